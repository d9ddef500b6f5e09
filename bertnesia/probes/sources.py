"""Probe files in a folder or a zip archive, and the reading of their lines: one bad line never stops the rest."""

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile, ZipFile

from bertnesia.errors import BertnesiaError
from bertnesia.probes.facts import Problem

_PLACE = (
    r"(?:relations\.jsonl|(?:TREx|Google_RE|ConceptNet|Squad|Atlas)/[^/]+\.jsonl"
    r"|(?:TREx|Google_RE)_UHN/(?:[^/]+/)?[^/]+\.jsonl)"
)
_MEMBER = re.compile(rf"(?P<prefix>(?:.*/)?)(?P<place>{_PLACE})")
_FOLDERS = ("", "lama", "data", "lama/data")
_ARCHIVES = ("data.zip", "lama/data.zip")
_UNREADABLE = (OSError, BadZipFile, zlib.error, RuntimeError, EOFError)
T = TypeVar("T")


class BadRowError(ValueError):
    """A line that cannot be taken as a fact or a relation; the message is the reason shown to the user."""


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object of a file, with fields taken out by type."""

    values: Mapping[str, Any]

    def text(self, field: str) -> str:
        """A field that must be there: text, without surplus white space.

        Raises:
            BadRowError: if it is missing, empty or not text.
        """
        text = self.optional_text(field)
        if text is None:
            raise BadRowError(f'field "{field}" is missing')
        if not text:
            raise BadRowError(f'field "{field}" is empty')
        return text

    def optional_text(self, field: str) -> str | None:
        """A field that may be missing or null, without surplus white space.

        Raises:
            BadRowError: if it is there and not text.
        """
        value = self.values.get(field)
        return None if value is None else _clean(field, value)

    def texts(self, field: str) -> list[str]:
        """A field that must be a list of texts, at least one.

        Raises:
            BadRowError: if it is anything else.
        """
        value = self.values.get(field)
        if value is None:
            raise BadRowError(f'field "{field}" is missing')
        if not isinstance(value, list) or not value:
            raise BadRowError(f'field "{field}" is not a list of sentences')
        texts = [_clean(field, item) for item in value]
        if "" in texts:
            raise BadRowError(f'field "{field}" holds an empty sentence')
        return texts


Numbered = tuple[int, Row | BadRowError]
"""A row with the number of its line, or the reason why it cannot be read."""


def _clean(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadRowError(f'field "{field}" is not text')
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadRowError(f'field "{field}" holds a broken character') from error
    return " ".join(value.split())


@dataclass(frozen=True, slots=True)
class ProbeFiles:
    """Files in LAMA's layout, named by their place in it (`TREx/P19.jsonl`), in a folder or an archive.

    `members` maps these names to paths below `root`, or to the names that the archive gives them. Nothing is
    extracted to disk.
    """

    root: Path
    members: Mapping[str, str]

    @classmethod
    def find(cls, source: Path) -> "ProbeFiles":
        """Open a folder in LAMA's layout, one that holds such a folder (`lama`, `data`), or LAMA's `data.zip`.

        Raises:
            BertnesiaError: if there is nothing at `source`, or nothing in LAMA's layout.
        """
        if not source.exists():
            raise BertnesiaError(f"There is no probe data at {source}.")
        for root in [source] if source.is_file() else [source / name for name in (*_FOLDERS, *_ARCHIVES)]:
            if root.is_dir() and (members := _folder_members(root)):
                return cls(root, members)
            if root.is_file() and (members := _archive_members(root)):
                return cls(root, members)
        raise BertnesiaError(
            f"{source} holds no probe files in LAMA's layout (relations.jsonl, TREx/, Google_RE/, ConceptNet/, "
            f"Squad/): 'bertnesia download lama --to {source}' fetches them."
        )

    def below(self, folder: str) -> list[str]:
        """Names of the files of one folder, numbers inside names in their natural order."""
        return sorted((name for name in self.members if name.startswith(f"{folder}/")), key=_natural)

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            BertnesiaError: if they cannot be read.
        """
        try:
            if self.root.is_dir():
                return (self.root / self.members[name]).read_bytes()
            with ZipFile(self.root) as archive:
                return archive.read(self.members[name])
        except _UNREADABLE as error:
            raise BertnesiaError(f"Cannot read {name} of {self.root}: {error}.") from error


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _folder_members(root: Path) -> dict[str, str]:
    patterns = ("*.jsonl", "*/*.jsonl", "*_UHN/*/*.jsonl")
    found = (path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern))
    return {name: name for name in sorted(found) if re.fullmatch(_PLACE, name)}


def _archive_members(path: Path) -> dict[str, str]:
    """The members below the shortest prefix that any has: the archive's own leading folder."""
    try:
        with ZipFile(path) as archive:
            names = sorted(archive.namelist())
    except _UNREADABLE as error:
        raise BertnesiaError(f"{path} is not a readable zip archive ({error}).") from error
    matches = [match for name in names if (match := _MEMBER.fullmatch(name)) and not _is_junk(name)]
    prefix = min((match["prefix"] for match in matches), key=lambda each: (each.count("/"), each), default="")
    return {match["place"]: match[0] for match in matches if match["prefix"] == prefix}


def _is_junk(name: str) -> bool:
    return any(part.startswith(("__MACOSX", "._")) for part in name.split("/"))


class Reading:
    """One probe set while it is read: what was left out so far, and the hashes of the files read."""

    def __init__(self, files: ProbeFiles) -> None:
        self.files = files
        self.problems: list[Problem] = []
        self.hashes: dict[str, str] = {}

    def rows(self, name: str, make: Callable[[Row], T]) -> list[T]:
        """What `make` makes of the file's lines, one JSON object each; lines that it refuses become problems.

        Raises:
            BertnesiaError: if the file cannot be read.
        """
        return self.take(name, json_rows(self.content(name)), make)

    def take(self, name: str, rows: Iterable[Numbered], make: Callable[[Row], T]) -> list[T]:
        """What `make` makes of rows of the file; those that could not be read or that it refuses become problems."""
        made: list[T] = []
        for number, row in rows:
            try:
                if isinstance(row, BadRowError):
                    raise row
                made.append(make(row))
            except BadRowError as error:
                self.problems.append(Problem(name, number, str(error)))
        return made

    def content(self, name: str) -> bytes:
        """The bytes of a file, whose hash is noted.

        Raises:
            BertnesiaError: if the file cannot be read.
        """
        content = self.files.read(name)
        self.hashes[name] = hashlib.sha256(content).hexdigest()
        return content

    def left_out(self, file: str, reason: str) -> None:
        """Note something that is missing or left out as a whole."""
        self.problems.append(Problem(file, None, reason))


def json_rows(content: bytes) -> Iterator[Numbered]:
    """One JSON object a line."""
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            try:
                yield number, _parse(line)
            except BadRowError as error:
                yield number, error


def _parse(line: bytes) -> Row:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRowError("not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise BadRowError("not JSON") from error
    if not isinstance(value, dict):
        raise BadRowError("not a JSON object")
    return Row(value)
