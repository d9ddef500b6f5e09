"""The router, the study picker and what is shown when there is no study."""

import subprocess
import sys
from pathlib import Path

import pytest

from bertnesia.ui.study import available
from tests.app.conftest import APP, OpenPage, figures
from tests.store.synthetic_study import Synthetic, publish_synthetic


@pytest.mark.parametrize("page", ["layers", "forgetting", "cloze"])
def test_a_page_run_without_the_router_goes_back_to_it(open_page: OpenPage, page: str) -> None:
    app = open_page(page)
    assert [title.value for title in app.title] == [page.capitalize()]
    assert "A made-up study" in [text.value for text in app.sidebar.text], "the router chose the study"


@pytest.mark.parametrize("page", ["", "forgetting", "cloze"])
def test_what_is_no_study_is_told_in_one_sentence(open_page: OpenPage, tmp_path: Path, page: str) -> None:
    path = tmp_path / "broken.duckdb"
    path.write_bytes(b"nothing " * 4096)
    app = open_page(page, study=path)
    assert figures(app) == []
    assert any("cannot be read as a study" in text.value for text in app.text)
    missing = open_page(page, study=tmp_path / "missing.duckdb")
    assert any("There is no study at" in text.value for text in missing.text)


def test_studies_are_found_where_they_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BERTNESIA_DB", raising=False)
    assert available(tmp_path) == {}
    for name in ("precomputed/mini.duckdb", "precomputed/big.duckdb", "precomputed/notes.txt", "mini.duckdb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(available(tmp_path)) == ["big", "mini"]
    monkeypatch.setenv("BERTNESIA_DB", str(tmp_path / "mini.duckdb"))
    folder = tmp_path.resolve()
    assert available(tmp_path) == {
        "mini": folder / "mini.duckdb",
        "big": folder / "precomputed" / "big.duckdb",
        "mini (precomputed)": folder / "precomputed" / "mini.duckdb",
    }
    monkeypatch.setenv("BERTNESIA_DB", str(tmp_path / "precomputed" / "mini.duckdb"))
    assert list(available(tmp_path)) == ["mini", "big"]


def test_a_new_version_is_shown_on_the_next_run(open_page: OpenPage, tmp_path: Path, synthetic: Synthetic) -> None:
    path = tmp_path / "changing.duckdb"
    publish_synthetic(path, synthetic, title="first")
    app = open_page("layers", study=path)
    before = figures(app)[0]["data"]
    publish_synthetic(path, Synthetic(**{**vars_of(synthetic), "ranks": synthetic.ranks.assign(rank=1)}), "second")
    app.run()
    assert "second" in [text.value for text in app.sidebar.text]
    assert figures(app)[0]["data"] != before
    assert set(app.dataframe[0].value["value"]) == {100.0}


def vars_of(synthetic: Synthetic) -> dict[str, object]:
    return {name: getattr(synthetic, name) for name in ("relations", "facts", "ranks", "predictions")}


def test_only_the_cloze_page_needs_torch(database: Path) -> None:
    program = (
        "import os, sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"os.environ['BERTNESIA_DB'] = {str(database)!r}\n"
        f"app = AppTest.from_file({str(APP)!r}, default_timeout=60)\n"
        "for page in ('layers', 'forgetting'):\n"
        "    app.run(); app.switch_page(f'pages/{page}.py').run(); assert app.title[0].value.lower() == page\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=APP.parent)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("eighth", range(1, 8))
def test_damage_inside_a_study_never_breaks_a_page(
    open_page: OpenPage, database: Path, tmp_path: Path, eighth: int
) -> None:
    """Wherever a block is damaged, the page shows its figures or says in a sentence why it cannot."""
    content = bytearray(database.read_bytes())
    start = len(content) * eighth // 8
    content[start : start + 4096] = bytes(4096)
    path = tmp_path / "damaged.duckdb"
    path.write_bytes(bytes(content))
    app = open_page("layers", study=path)
    assert figures(app) or any("cannot be read as a study" in text.value for text in app.text)
