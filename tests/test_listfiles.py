"""Lists of prompts as people write them."""

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.listfiles import MOST_MEGABYTES, MOST_PROMPTS, ListedPrompt, read_csv, read_lines


def test_lines_with_and_without_answers() -> None:
    assert read_lines("a [MASK] .\tb\n\n  c [MASK] .  \n") == [
        ListedPrompt(1, "a [MASK] .", "b"),
        ListedPrompt(2, "c [MASK] ."),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_in_any_order_of_columns(separator: str) -> None:
    rows = [["id", "Answer", " PROMPT "], ["7", "b", '"a, [MASK]; ."'], ["8", "", "c [MASK] ."], ["", "", ""]]
    content = "\r\n".join(separator.join(row) for row in rows).encode("utf-8-sig")
    assert read_csv(content) == [ListedPrompt(1, "a, [MASK]; .", "b"), ListedPrompt(2, "c [MASK] .")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"sentence,answer\na [MASK],b\n", r"list\.csv has no column 'prompt' in its first line, but sentence, answer"),
        (b"prompt\n", "The list is empty"),
        (b"", "no column 'prompt' in its first line, but nothing"),
        (b"prompt\n\xff [MASK]\n", r"not UTF-8 text \(byte 7\)"),
        (b"prompt\n" + b"a [MASK]\n" * (MOST_PROMPTS + 1), "has 10,001 prompts, but at most 10,000 can be asked"),
        (b"prompt\n" + b"x" * 50 * 2**20, f"has 50 MB, but at most {MOST_MEGABYTES} MB are read"),
    ],
)
def test_lists_that_cannot_be_read_are_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(BertnesiaError, match=sentence):
        read_csv(content, "list.csv")


def test_too_many_lines_are_refused() -> None:
    assert len(read_lines("a [MASK]\n" * MOST_PROMPTS)) == MOST_PROMPTS
    with pytest.raises(BertnesiaError, match="has 10,001 prompts"):
        read_lines("a [MASK]\n" * (MOST_PROMPTS + 1))
