"""`make app` on machines of many kinds: what tools/install.sh says and does before there is an environment."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def install(*arguments: str, **variables: object) -> subprocess.CompletedProcess[str]:
    given = {name: str(value) for name, value in variables.items()}
    return subprocess.run(
        ["sh", str(ROOT / "tools/install.sh"), *arguments],
        env={"PATH": "/usr/bin:/bin", **given}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def write_python(path: Path, version: str, modules: str = "") -> Path:
    """A program that answers like a Python of this version, which can import these modules."""
    too_old = version < "3.11"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        "#!/bin/sh\n"
        f'case "$*" in --version) echo "Python {version}" ;; *version_info*) exit {int(too_old)} ;;\n'
        f'*ensurepip*) [ "{modules}" ] ;; *) echo "ran $*"; exit 3 ;; esac\n'
    )
    path.chmod(0o755)
    return path


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_without_a_python_that_will_do_one_sentence_says_so(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    missing = refused(install(PYTHON="no-such-python", VENV=venv))
    assert missing.startswith("bertnesia needs Python 3.11 or newer, and no-such-python is not there: install it")
    old = refused(install(PYTHON=write_python(tmp_path / "my python", "3.10"), VENV=venv))
    assert "my python is Python 3.10: install it, or name another with PYTHON=" in old
    bare = refused(install(PYTHON=write_python(tmp_path / "bare", "3.12"), VENV=venv))
    assert "apt-get install python3-venv" in bare
    assert refused(install(TORCH="gpu", VENV=venv)) == "TORCH is 'gpu', and can only be cpu."
    assert not venv.exists()


def test_a_newer_python_is_taken_where_python3_is_too_old(tmp_path: Path) -> None:
    write_python(tmp_path / "bin/python3", "3.10", "venv")
    write_python(tmp_path / "bin/python3.13", "3.13", "venv")
    done = install(VENV=tmp_path / "venv", PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert "with Python 3.13" in done.stdout
    assert f"ran -m venv --clear {tmp_path / 'venv'}" in done.stdout
    assert done.stderr.strip().endswith("could not be made: see above.")


@pytest.mark.parametrize("torch", ["", "cpu"])
def test_the_download_is_announced_before_it_starts(tmp_path: Path, torch: str) -> None:
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\ncase "$*" in "-m pip --version") ;; *) exit 1 ;; esac\n')
    python.chmod(0o755)
    done = install("--no-index", VENV=tmp_path / "venv", TORCH=torch)
    size, step = done.stdout.splitlines()
    assert "0.4 GB" in size
    assert step == f"Installing --no-index into {tmp_path / 'venv'}"
    assert "The installation failed: see above." in done.stderr
    assert done.returncode == 1


def test_of_what_pip_prints_the_large_downloads_and_the_last_step_are_told(tmp_path: Path) -> None:
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    lines = [
        "Collecting torch", "  Downloading small-1.whl (10 kB)", "  Downloading torch-2.whl (200.5 MB)",
        "Installing build dependencies: started", "Installing collected packages: small, torch",
    ]  # fmt: skip
    printed = "\n".join(f"echo '{line}'" for line in lines)
    python.write_text(
        '#!/bin/sh\ncase "$*" in "-m pip --version") ;; *"pip install"*)\n' + printed + "\n;; *) exit 1 ;; esac\n"
    )
    python.chmod(0o755)
    done = install("--no-index", VENV=tmp_path / "venv")
    assert done.returncode == 0, done.stderr
    *_, download, unpacking, last = done.stdout.splitlines()[1:]
    assert (download, unpacking) == ("  downloading torch-2.whl (200.5 MB)", "  unpacking and installing")
    assert re.fullmatch(rf"Installed in \d+ s; {re.escape(str(tmp_path / 'venv'))} takes \d+ MB\.", last)
    assert len(done.stdout.splitlines()) == 5
