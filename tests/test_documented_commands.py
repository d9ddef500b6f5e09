"""Commands in README and documentation: all exist with their options, and those of a reader's first pages are run."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
import typer

from bertnesia import cli
from tests import tiny
from tests.codeblocks import blocks
from tests.downloads.server import Site
from tests.downloads.server import serving as serving_files
from tests.servers import free_port, serving

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
IN_THE_APP = [path for path in sorted(ROOT.glob("pages/*.py")) if "```sh" in path.read_text("utf-8")]
FOLLOWED = [
    ROOT / "README.md",
    *(ROOT / "docs" / name for name in ("index.md", "probes.md", "python.md", "study-file.md")),
    *sorted((ROOT / "docs/tutorials").glob("*.md")),
]
"""The pages of which every command is run."""


@dataclass(frozen=True)
class StandIn:
    """What is run in the place of a command, and why it is not run itself."""

    command: str
    reason: str


STAND_INS = {
    "make app": StandIn("make --dry-run app", "installs packages from the network; `bertnesia app` is run below"),
    "make test": StandIn("make --dry-run test", "runs every test, this one among them"),
    "pip install -r requirements.txt": StandIn(
        "python -m pip install --no-index --dry-run -r requirements.txt",
        "the tests' environment was made so: it must satisfy every pin without the network",
    ),
    "pip install .": StandIn(
        "python -m pip install --no-index --no-build-isolation --dry-run .",
        "would replace the tests' own package; tests/test_packaging.py builds and opens a wheel",
    ),
    "bertnesia download lama --to data": StandIn(
        "bertnesia download lama --to data --mirror MIRROR", "tests do not reach LAMA's official address"
    ),
    "bertnesia download lama wikitext2 squad --to data": StandIn(
        "bertnesia download lama --to data --mirror MIRROR",
        "tests do not reach the official addresses, and the others' files are known by their SHA-256",
    ),
}
"""Every other command is run as it is written."""


def commands(page: Path, language: str = "sh") -> list[str]:
    """Every line of a page's shell blocks, without comments, continued lines joined."""
    text = "".join(block.code for block in blocks(page.read_text("utf-8")) if block.language == language)
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.join(words) for line in lines if (words := shlex.split(line, comments=True))]


@pytest.mark.parametrize("page", [*PAGES, *IN_THE_APP], ids=lambda page: str(page.relative_to(ROOT)))
def test_documented_commands_exist_with_their_options(page: Path) -> None:
    known = typer.main.get_group(cli.app).commands
    for command in commands(page):
        program, *arguments = shlex.split(command)
        if program == "bertnesia":
            assert arguments[0] in known, f"there is no command {arguments[0]}"
            known[arguments[0]].make_context(arguments[0], arguments[1:])


def test_commands_are_found_at_all() -> None:
    assert len(commands(ROOT / "README.md")) >= 3
    assert "bertnesia app" in commands(ROOT / "docs/index.md")
    assert [len(commands(page)) for page in IN_THE_APP if page.name == "models.py"] == [3]
    with pytest.raises(Exception, match="--no-such-option"):
        typer.main.get_group(cli.app).commands["app"].make_context("app", ["--no-such-option"])


def test_stand_ins_are_of_commands_that_pages_have() -> None:
    written = {command for page in FOLLOWED for command in commands(page)}
    assert set(STAND_INS) <= written
    assert all(stand_in.reason for stand_in in STAND_INS.values())


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """The address of a copy of what `download` fetches: LAMA's archive with made-up facts."""
    lama = tiny.write_lama(tmp_path / "lama")
    with ZipFile(tmp_path / "data.zip", "w") as archive:
        for path in sorted(lama.rglob("*.jsonl")):
            archive.write(path, Path("data", path.relative_to(lama)))
    with serving_files(Site({"lama/data.zip": (tmp_path / "data.zip").read_bytes()})) as site:
        yield site.address


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader's folder: what a clone has, and models, text and facts of the reader's own."""
    folder = tmp_path / "reader"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("precomputed", "studies"):
        (folder / name).symlink_to(ROOT / name)
    for seed, name in enumerate(("base", "mine", "my-bert")):
        tiny.save_masked_lm(folder / "models" / name, seed)
    tiny.write_text(folder / "text.txt")
    rows = [f"{town} is a town in [MASK] .,{tiny.land_of(town)}" for town in tiny.TOWNS]
    (folder / "my-facts.csv").write_text("\n".join(["prompt,answer", *rows]))
    return folder


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_can_be_followed(
    page: Path, reader: Path, mirror: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its files written, its commands run one after another."""
    for block in blocks(page.read_text("utf-8")):
        if block.title:
            (reader / block.title).write_text(block.code, "utf-8")
    for command in commands(page):
        words = shlex.split(STAND_INS[command].command if command in STAND_INS else command)
        words = [mirror if word == "MIRROR" else word for word in words]
        if words[:2] in (["bertnesia", "app"], ["streamlit", "run"]):
            opens(words, reader if words[0] == "bertnesia" else ROOT)
        elif words[0] == "bertnesia":
            monkeypatch.setattr(sys, "argv", words)
            with pytest.raises(SystemExit) as ended:
                cli.main()
            shown = capsys.readouterr()
            assert not ended.value.code, shown.err
            assert shown.out
        else:
            done = subprocess.run(
                [sys.executable if words[0] == "python" else words[0], *words[1:]],
                cwd=ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (command, done.stderr)


def opens(words: list[str], folder: Path) -> None:
    """The dashboard answers, on a port of its own."""
    port = free_port()
    if words[0] == "bertnesia":
        command = [sys.executable, "-m", "bertnesia.cli", *words[1:], f"--port={port}"]
    else:
        command = [sys.executable, "-m", *words, f"--server.port={port}"]
    with serving(command, port, folder, {**os.environ, "PYTHONPATH": str(ROOT)}):
        pass
