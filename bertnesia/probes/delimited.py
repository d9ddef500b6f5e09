"""CSV and TSV as people really save them: one bad line is named and does not stop the rest."""

import csv
import io
from collections.abc import Iterator, Sequence

from bertnesia.errors import BertnesiaError
from bertnesia.probes.sources import BadRowError, Numbered, Row

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_delimited(name: str, content: bytes, delimiters: str) -> tuple[tuple[str, ...], list[Numbered]]:
    """A file's columns, and its rows with their values by column.

    Args:
        name: of the file, for messages.
        content: its bytes.
        delimiters: what may stand between fields; the one that the header holds most often is taken.

    Returns:
        columns: as the header names them.
        rows: one for each line that is not empty; bytes that are not UTF-8 stand in them as lone surrogates.

    Raises:
        BertnesiaError: if it is empty, UTF-16, or its header cannot be used.
    """
    if content.startswith(_UTF_16):
        raise BertnesiaError(f"{name} is UTF-16 text: save it as UTF-8.")
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    lines = list(io.StringIO(text, newline=None))
    start = next((i for i, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise BertnesiaError(f"{name} is empty: its first line must name the columns.")
    delimiter = max(delimiters, key=lines[start].count)
    try:
        header, used = _parse(lines, start, delimiter)
    except csv.Error as error:
        raise BertnesiaError(f"The header of {name}, line {start + 1}, cannot be read: {error}.") from error
    columns = tuple(" ".join(column.split()) for column in header)
    if twice := [column for column in columns if column and columns.count(column) > 1]:
        raise BertnesiaError(f"{name} has two columns called {twice[0]}.")
    return columns, list(_rows(lines, start + used, delimiter, columns))


def _rows(lines: Sequence[str], start: int, delimiter: str, columns: Sequence[str]) -> Iterator[Numbered]:
    position, width = start, len(columns)
    while position < len(lines):
        try:
            fields, used = _parse(lines, position, delimiter)
        except csv.Error as error:
            yield position + 1, BadRowError(f"no row of fields ({error})")
            position += 1
            continue
        if any(field.strip() for field in fields):
            while len(fields) > width and not fields[-1].strip():
                fields.pop()
            if len(fields) != width:
                used = 1  # a stray quotation mark may have swallowed good lines
                yield position + 1, BadRowError(f"{_count(len(fields))} in place of {width}")
            else:
                yield position + 1, Row(dict(zip(columns, fields, strict=True)))
        position += used


def _parse(lines: Sequence[str], position: int, delimiter: str) -> tuple[list[str], int]:
    """The fields of the row that starts on a line, and how many lines it takes."""
    rest = (lines[i] for i in range(position, len(lines)))
    reader = csv.reader(rest, delimiter=delimiter, strict=True)
    try:
        return next(reader, []), reader.line_num
    except csv.Error:
        if delimiter != "\t":
            raise
        # Tab-separated files are often written without any quoting.
        return next(csv.reader([lines[position]], delimiter=delimiter, quoting=csv.QUOTE_NONE)), 1


def _count(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"
