"""The page that `make bench` prints: a section for every benchmark, one that fails among them."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as page

ROOT = Path(__file__).resolve().parents[2]


def test_every_benchmark_has_its_section() -> None:
    modules = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text("utf-8")}
    assert set(page.TITLES) == modules - {"__main__", "__init__", "trials"}


def test_a_section_holds_what_a_benchmark_printed_and_whether_it_kept_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two made-up benchmarks in a package of that name elsewhere, run as the real ones are."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "good.py").write_text("print('| a | b |')")
    (folder / "slow.py").write_text("print('| c | d |')\nraise SystemExit('over 8 s')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(page, "TITLES", {"good": "Good", "slow": "Slow"})
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    with pytest.raises(SystemExit, match=r"over a budget, or failed: slow$"):
        page.main()
    told = capsys.readouterr().out
    assert told.startswith("# Speed\n")
    assert told.index("## Good\n\n| a | b |\n\nLoad at the start") < told.index("## Slow\n\n| c | d |\n\n")
    assert "cores; torch's threads" in told


def test_a_ratio_below_its_least_is_found() -> None:
    rows = ["| a | 7.4 | 59 % | 60 % |", "| b | 7 | 60 % | 60 % |", "| c | 2 | 9.9 times | 10 times |", "| d | 3 | | |"]
    assert page.missed("\n".join(rows)) == [rows[0], rows[2]]


def test_an_unknown_benchmark_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "sing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "There is no benchmark sing; there are start, pages, store, probing, decoders, cloze."
    )
