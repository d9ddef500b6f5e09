"""The installed package: what a wheel holds, and the dashboard run from it in a folder of one's own."""

import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

import bertnesia
from bertnesia.shipped import shipped_folder
from bertnesia.store.study import open_study
from tests.servers import free_port, serving

ROOT = Path(__file__).resolve().parents[1]
SIZE_LIMIT = 220 * 10**6
"""What may ship in all, models included; the package index asks before it takes a file over 100 MB."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `pip install .` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A folder to put first on Python's path: what pip makes of the wheel, its dependencies left where they are."""
    target = wheel.parent / "site"
    with ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run_there(target: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an empty folder, with the installed package in place of the clone's."""
    folder = target.parent / "elsewhere"
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment(target), capture_output=True, text=True, check=False
    )


def environment(target: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BERTNESIA", "STREAMLIT"))}
    return {**kept, "PYTHONPATH": str(target), "OMP_NUM_THREADS": "1"}


def test_a_wheel_holds_the_dashboard_and_what_ships_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    top = {PurePosixPath(name).parts[0] for name in names}
    assert top == {"bertnesia", f"bertnesia-{bertnesia.__version__}.dist-info"}
    inside = {name.removeprefix("bertnesia/_shipped/") for name in names if "/_shipped/" in name}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    ours = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    shipped = re.compile(r"(app\.py|pages/|\.streamlit/|precomputed/)")
    assert inside == {name for name in ours if shipped.match(name)}
    assert {name for name in ours if name.startswith("bertnesia/")} <= names
    assert not [name for name in names if "test" in name or "__pycache__" in name]
    assert "bertnesia/py.typed" in names
    assert wheel.stat().st_size < SIZE_LIMIT


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "bertnesia/__init__.py"
    others = ["pyproject.toml", "CITATION.cff", "README.md", "mkdocs.yml", "docs/index.md"]
    assert not [name for name in others if bertnesia.__version__ in (ROOT / name).read_text("utf-8")]
    assert f"## {bertnesia.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8").replace("[", "").replace("]", "")


def test_what_ships_is_found_in_a_clone_and_in_an_installed_package(installed: Path) -> None:
    assert shipped_folder() == ROOT
    program = (
        "from bertnesia.probes import read_probe_sets; from bertnesia.shipped import shipped_folder\n"
        "print(shipped_folder(), len(read_probe_sets(['atlas'], None)[0].facts))"
    )
    done = run_there(installed, "-c", program)
    folder, facts = done.stdout.split()
    assert Path(folder) == installed / "bertnesia" / "_shipped"
    assert int(facts) > 1000


def test_cloze_answers_from_another_folder(installed: Path) -> None:
    done = run_there(installed, "-m", "bertnesia.cli", "cloze", "Paris is the capital of [MASK].", "--layers", "6")
    assert done.returncode == 0, done.stderr
    assert "paris" in done.stdout


def test_the_dashboard_finds_its_pages_and_the_study(installed: Path) -> None:
    program = (
        "from streamlit.testing.v1 import AppTest; from bertnesia.shipped import shipped_folder\n"
        "app = AppTest.from_file(str(shipped_folder() / 'app.py'), default_timeout=60).run()\n"
        "print(app.title[0].value, len(app.dataframe), len(app.exception), app.sidebar.text[0].value, sep='|')"
    )
    done = run_there(installed, "-c", program)
    title, tables, exceptions, study = done.stdout.strip().split("|")
    assert title
    assert int(tables) >= 1
    assert exceptions == "0"
    assert study == open_study(ROOT / "precomputed" / "mini.duckdb").title


def test_the_dashboard_opens_from_another_folder(installed: Path) -> None:
    """The command's server answers, whatever lies in that folder, and with its own settings: on this machine alone."""
    folder = installed.parent / "own"
    folder.mkdir()
    (folder / "streamlit.py").write_text("raise SystemExit('a file of the user was taken for a module')")
    port = free_port()
    command = [sys.executable, "-P", "-m", "bertnesia.cli", "app", "--port", str(port)]
    with (
        serving(command, port, folder, environment(installed)),
        pytest.raises(OSError, match=r"refused|reach|timed out"),
    ):
        socket.create_connection(("127.0.0.2", port), timeout=3)
