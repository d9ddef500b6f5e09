"""Lists of prompts as people write them: lines, or a CSV file with the columns `prompt` and `answer`."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from bertnesia.errors import BertnesiaError
from bertnesia.plain import visible

MOST_PROMPTS = 10_000
MOST_MEGABYTES = 20


@dataclass(frozen=True, slots=True)
class ListedPrompt:
    """One prompt of a list, its number (from 1), and its right answer; where masks have their own, commas part them."""

    number: int
    text: str
    answer: str = ""


def read_lines(text: str) -> list[ListedPrompt]:
    """One prompt a line, empty lines left out; behind a tab may stand the right answer, as spreadsheets paste it.

    Raises:
        BertnesiaError: if there are too many.
    """
    pairs = (line.split("\t", 1) for line in text.splitlines() if line.strip())
    return _numbered((prompt, *rest) for prompt, *rest in pairs)


def read_csv(content: bytes, name: str = "The file") -> list[ListedPrompt]:
    """The prompts of a CSV file: a column `prompt`, and perhaps `answer`; other columns are passed over.

    Commas, semicolons or tabs may separate the columns.

    Raises:
        BertnesiaError: if it is too large, not UTF-8, without the column `prompt`, without rows or with too many.
    """
    check_size(len(content), name)
    name = visible(name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BertnesiaError(f"{name} is not UTF-8 text (byte {error.start}): save it as CSV in UTF-8.") from error
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    csv.field_size_limit(MOST_MEGABYTES * 2**20)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise BertnesiaError(f"{name} is not a CSV file ({error}).") from error
    columns = [column.strip().lower() for column in rows[0]] if rows else []
    if "prompt" not in columns:
        found = ", ".join(visible(column)[:40] for column in columns[:10]) or "nothing"
        raise BertnesiaError(f"{name} has no column 'prompt' in its first line, but {found}.")
    places = [columns.index(column) for column in ("prompt", "answer") if column in columns]
    cells = ([row[place] if place < len(row) else "" for place in places] for row in rows[1:])
    return _numbered(row for row in cells if any(cell.strip() for cell in row))


def check_size(size: int, name: str) -> None:
    """Refuse a file of more bytes than are read.

    Raises:
        BertnesiaError: if it is larger.
    """
    if size > MOST_MEGABYTES * 2**20:
        raise BertnesiaError(
            f"{visible(name)} has {size / 2**20:,.0f} MB, but at most {MOST_MEGABYTES} MB are read: split it."
        )


def _numbered(rows: Iterable[Iterable[str]]) -> list[ListedPrompt]:
    prompts = [ListedPrompt(number, *(cell.strip() for cell in row)) for number, row in enumerate(rows, start=1)]
    if not prompts:
        raise BertnesiaError("The list is empty: give one prompt a line.")
    if len(prompts) > MOST_PROMPTS:
        raise BertnesiaError(f"The list has {len(prompts):,} prompts, but at most {MOST_PROMPTS:,} can be asked.")
    return prompts
