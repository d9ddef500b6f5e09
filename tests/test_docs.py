"""The Python of README and documentation, carried out block by block as a reader would."""

import re
from pathlib import Path

import pytest

from bertnesia.probes import registry
from tests.codeblocks import Block, blocks

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
HUB_STAND_INS = {"google-bert/bert-base-uncased": "precomputed/models/mini"}
"""What lies in the folder under the name of a model of the hub, which tests do not reach."""


def has_python(page: Path) -> bool:
    return any(block.language == "python" and not block.title for block in blocks(page.read_text("utf-8")))


@pytest.mark.parametrize(
    "page", [page for page in PAGES if has_python(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_a_pages_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with what ships, the page's files written, one block after another in one session."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bertnesia.probes.registry._readers", dict(registry._readers))
    (tmp_path / "precomputed").symlink_to(ROOT / "precomputed")
    for name, place in HUB_STAND_INS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(ROOT / place)
    session: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page.read_text("utf-8")):
        if block.title:
            Path(block.title).write_text(block.code, "utf-8")
        elif block.language == "python" and block.reason is None:
            # Blank lines in front make the numbers in a traceback those of the page.
            exec(compile("\n" * (block.line - 1) + block.code, str(page), "exec"), session)


def test_blocks_that_are_not_run_say_why() -> None:
    skipped = [
        (page.name, block) for page in PAGES for block in blocks(page.read_text("utf-8")) if block.reason is not None
    ]
    assert all(re.match(r"(needs|takes) \w+", block.reason or "") for _, block in skipped), skipped


def test_blocks_are_found_as_written() -> None:
    page = ["a", "```python", "x = 1", "```", "", "<!-- not run: needs the hub -->", "```python", "x = 2", "```", ""]
    page += ["- b", "", '  ```csv title="a.csv"', "  y", "  ```", ""]
    assert blocks("\n".join(page)) == [
        Block(3, "python", None, None, "x = 1\n"),
        Block(8, "python", None, "needs the hub", "x = 2\n"),
        Block(14, "csv", "a.csv", None, "y\n"),
    ]


def test_the_pages_on_probes_and_python_are_among_them() -> None:
    assert {page.name for page in PAGES if has_python(page)} >= {"probes.md", "python.md"}
    assert {block.title for block in blocks((ROOT / "docs/probes.md").read_text("utf-8"))} >= {"rivers.csv"}
