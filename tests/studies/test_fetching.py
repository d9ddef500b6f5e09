"""Texts made of a data set's Parquet files, and the page on the study file."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.studies.docs import study_reference
from bertnesia.studies.fetching import write_texts


def write(path: Path, table: dict[str, pa.Array]) -> Path:
    pq.write_table(pa.table(table), path)
    return path


def test_a_column_of_texts_becomes_lines_each_once(tmp_path: Path) -> None:
    """As SQuAD's paragraphs, which are there once for each question."""
    one = write(tmp_path / "a.parquet", {"context": pa.array(["First\nline", "second", "First  line", None, " "])})
    two = write(tmp_path / "b.parquet", {"context": pa.array(["third", "second"])})
    assert write_texts([one, two], "context", tmp_path / "out/texts.txt") == 3
    assert (tmp_path / "out/texts.txt").read_text() == "First line\nsecond\nthird\n"


def test_lists_in_structs_are_reached(tmp_path: Path) -> None:
    """As MS MARCO's passages, several to a query."""
    passages = [{"is_selected": [0, 1], "passage_text": ["a b", "c"]}, {"is_selected": [1], "passage_text": ["d"]}]
    path = write(tmp_path / "a.parquet", {"passages": pa.array(passages), "query": pa.array(["q", "r"])})
    assert write_texts([path], "passages.passage_text", tmp_path / "texts.txt") == 3
    assert (tmp_path / "texts.txt").read_text() == "a b\nc\nd\n"


@pytest.mark.parametrize("column", ["text", "passages.text", "passages", "query.text"])
def test_a_missing_column_is_named_and_nothing_is_left_behind(tmp_path: Path, column: str) -> None:
    path = write(tmp_path / "a.parquet", {"passages": pa.array([{"passage_text": ["a"]}]), "query": pa.array(["q"])})
    with pytest.raises(BertnesiaError, match=rf"has no column {column}"):
        write_texts([path], column, tmp_path / "texts.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]


def test_the_page_on_the_study_file_is_up_to_date() -> None:
    page = Path(__file__).resolve().parents[2] / "docs/study-file.md"
    assert page.read_text(encoding="utf-8") == study_reference(), (
        "run: python -m bertnesia.studies.docs > docs/study-file.md"
    )
    for key in ("`variants`", "`last_layer_seeds`", "`variant_of`", "`batch_sequences`", "`probe_at`"):
        assert key in study_reference()
