"""Commands in README and documentation: all of them are ones that exist, and the tutorials' are carried out."""

import re
import shlex
import sys
from pathlib import Path

import pytest
import typer

from bertnesia import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.md"))
BLOCK = re.compile(r'^ *```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<lines>.*?)^ *```$', re.DOTALL | re.M)


def commands(page: Path) -> list[list[str]]:
    """The words of every `bertnesia` command in a page's blocks."""
    blocks = [
        block["lines"] for block in BLOCK.finditer(page.read_text("utf-8")) if block["language"] in ("sh", "text")
    ]
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.strip().startswith("bertnesia ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_documented_commands_exist_with_their_options(page: Path) -> None:
    known = typer.main.get_group(cli.app).commands
    for name, *arguments in commands(page):
        assert name in known, f"there is no command {name}"
        known[name].make_context(name, arguments)


def test_commands_are_found_at_all() -> None:
    assert len(commands(ROOT / "README.md")) >= 3
    assert ["app"] in commands(ROOT / "docs/index.md")
    with pytest.raises(Exception, match="--no-such-option"):
        typer.main.get_group(cli.app).commands["app"].make_context("app", ["--no-such-option"])


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_can_be_followed(
    tutorial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its files written, its commands run one after another; the dashboard alone is not opened."""
    monkeypatch.chdir(tmp_path)
    Path("precomputed").symlink_to(ROOT / "precomputed")
    for block in BLOCK.finditer(tutorial.read_text("utf-8")):
        if block["title"]:
            Path(block["title"]).write_text(block["lines"], "utf-8")
        elif block["language"] == "sh":
            command = shlex.split(block["lines"])
            if command[:2] == ["bertnesia", "app"]:
                assert all(Path(database).is_file() for database in command[2:])
                continue
            monkeypatch.setattr(sys, "argv", command)
            with pytest.raises(SystemExit) as ended:
                cli.main()
            shown = capsys.readouterr()
            assert not ended.value.code, shown.err
            assert shown.out
