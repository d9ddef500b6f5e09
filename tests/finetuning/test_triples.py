"""Rankings from MS MARCO's triples and from SQuAD's articles."""

from pathlib import Path

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.squad import Question
from bertnesia.finetuning.triples import Ranking, rank_paragraphs, read_triples


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_lines_of_a_question_are_one_ranking_a_right_passage(tmp_path):
    first = write(
        tmp_path / "a.tsv", 'who ?\tBert  did "it.\tno', "", "where ?\tin Arlo\tin Bexi", 'who ?\tBert did "it.\tnor he'
    )
    second = write(tmp_path / "b.tsv", "where ?\tin Cumo\tin Arlo", "where ?\tin Cumo\tin Dalu")

    assert read_triples([first, second]) == [
        Ranking("who ?", "who ?", 'Bert did "it.', ("no", "nor he")),
        Ranking("where ?", "where ?", "in Arlo", ("in Bexi", "in Dalu")),
        Ranking("where ?", "where ?", "in Cumo", ("in Bexi", "in Dalu")),
    ]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["who ?\tBert\tno", "who ?\tBert"], "odd.tsv, line 2: .*found 2 columns"),
        (["who ?\t \tno"], "line 1: expected question, right passage and wrong passage"),
        (["1\t2\t3\t4"], "found 4 columns"),
        ([""], "holds no line"),
    ],
)
def test_a_file_of_another_kind_is_named_with_the_line_at_fault(tmp_path, lines, told):
    with pytest.raises(BertnesiaError, match=told):
        read_triples([write(tmp_path / "odd.tsv", *lines)])


def test_every_file_must_hold_something(tmp_path):
    good = write(tmp_path / "good.tsv", "who ?\tBert\tno")
    with pytest.raises(BertnesiaError, match=r"empty.tsv holds no line"):
        read_triples([good, write(tmp_path / "empty.tsv", "")])


def test_unreadable_files(tmp_path):
    with pytest.raises(BertnesiaError, match=r"Cannot read .*none.tsv"):
        read_triples([tmp_path / "none.tsv"])
    (tmp_path / "latin.tsv").write_bytes(b"caf\xe9\ta\tb\n")
    with pytest.raises(BertnesiaError, match="not a tab-separated UTF-8 file"):
        read_triples([tmp_path / "latin.tsv"])


def test_paragraphs_of_an_article_against_each_other():
    asked = [("A", "a1", "1"), ("A", "a2", "2"), ("A", "a1", "3"), ("B", "b1", "4")]
    questions = [Question(name, article, context, name, ()) for article, context, name in asked]

    assert rank_paragraphs(questions) == [
        Ranking("1", "A", "a1", ("a2",)),
        Ranking("2", "A", "a2", ("a1",)),
        Ranking("3", "A", "a1", ("a2",)),
        Ranking("4", "B", "b1", ("a1", "a2")),  # the only paragraph of its article
    ]
