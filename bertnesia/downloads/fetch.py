"""A data set into a folder: transferred, checked against what is known of it, unpacked."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256 as hash_of
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from filelock import FileLock, Timeout

from bertnesia.downloads.catalogue import CATALOGUE, Download, RemoteFile
from bertnesia.downloads.transfer import Partial, UnreachableError, transfer
from bertnesia.errors import BertnesiaError
from bertnesia.files import read_json, replacing_file, sha256, write_json
from bertnesia.progress import byte_bar

RECORD = "downloads.json"
"""What was downloaded into a folder: the address, hash and time of every file, by its place there."""

_BAD_ARCHIVE = (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is in its place now: where, its hash, whether it came just now, and what it was checked against.

    `checked` is `published` for a known official checksum, `recorded` for that of an earlier download, `new` where
    this is the first time and the hash was only noted.
    """

    path: Path
    sha256: str
    bytes: int
    downloaded: bool
    checked: str


def fetch(name: str, folder: Path, mirror: str | None = None) -> list[Fetched]:
    """Download what is not there yet of a data set, and check everything.

    Args:
        name: of `CATALOGUE`.
        folder: the data folder; files go to their places below it.
        mirror: an address that has copies of the files at the same places, in place of the official ones.

    Raises:
        BertnesiaError: if there is no such data set, or a file cannot be had or is not the right one.
    """
    if name not in CATALOGUE:
        raise BertnesiaError(f"There is no download {name}; there are {', '.join(CATALOGUE)}.")
    return fetch_all(CATALOGUE[name], folder, mirror)


def fetch_all(download: Download, folder: Path, mirror: str | None = None) -> list[Fetched]:
    """The same for a data set that need not be in the catalogue."""
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        record = _Record(folder)
        return [found for remote in download.files for found in _Fetcher(folder, remote, record, mirror).fetch()]


class _Record:
    """The hashes of what was downloaded into a folder before."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / RECORD
        self.entries: dict[str, dict[str, Any]] = read_json(self.path) if self.path.exists() else {}

    def expected(self, place: str, published: str | None) -> tuple[str | None, str]:
        """The hash that a file must have, and whose word that is."""
        if published:
            return published, "published"
        recorded = self.entries.get(place, {}).get("sha256")
        return (recorded, "recorded") if recorded else (None, "new")

    def note(self, entries: Mapping[str, dict[str, Any]]) -> None:
        """Keep what is new."""
        new = {k: v for k, v in entries.items() if self.entries.get(k, {}).get("sha256") != v["sha256"]}
        if new:
            self.entries |= new
            write_json(self.path, self.entries)


class _Fetcher:
    """Brings one remote file into a folder."""

    def __init__(self, folder: Path, remote: RemoteFile, record: _Record, mirror: str | None) -> None:
        self.folder = folder
        self.remote = remote
        self.record = record
        self.target = folder / remote.path
        self.url = f"{mirror.rstrip('/')}/{remote.path}" if mirror else remote.url

    def fetch(self) -> list[Fetched]:
        """The file, or those that it unpacks to."""
        if self.remote.unpack is None:
            return [self._file()]
        into = self.folder / self.remote.unpack
        return self._unpacked(into) or self._unpack(self._file(), into)

    def _file(self) -> Fetched:
        """The file itself, from its place or from its address."""
        if self.target.exists():
            return self._check(self.target, self.remote.path, self.remote.sha256)
        partial = Partial.of(self.target)
        self._transfer(partial)
        found, size = sha256(partial.path), partial.path.stat().st_size
        expected, checked = self.record.expected(self.remote.path, self.remote.sha256)
        if expected not in (None, found):
            partial.forget()
            changed = f"; if it has a new version, delete its entry in {self.record.path}"
            raise BertnesiaError(
                f"{self.url} sent another file than the {checked} one (SHA-256 {found}, expected {expected}), "
                f"which was not kept: try again{changed if checked == 'recorded' else ''}."
            )
        if self.target.suffix == ".zip" and not _is_whole(partial.path):
            partial.forget()
            raise BertnesiaError(f"{self.url} sent no zip archive that can be read, and it was not kept: try again.")
        partial.finish(self.target)
        self.record.note({self.remote.path: self._entry(found, size)})
        return Fetched(self.target, found, size, True, checked)

    def _check(self, path: Path, place: str, published: str | None) -> Fetched:
        """A file that is there already."""
        found, size = sha256(path), path.stat().st_size
        expected, checked = self.record.expected(place, published)
        if expected not in (None, found):
            raise BertnesiaError(
                f"{path} is not the {checked} file (SHA-256 {found}, expected {expected}): move it away, "
                "and it will be downloaded."
            )
        self.record.note({place: self._entry(found, size) | {"url": "a local copy"}})
        return Fetched(path, found, size, False, checked)

    def _transfer(self, partial: Partial) -> None:
        try:
            with byte_bar(self.target.name, self.remote.size, partial.size) as advance:
                transfer(self.url, partial, advance)
        except UnreachableError as error:
            kept = f" {partial.size:,} bytes of it are kept, to go on from." if partial.size else ""
            raise BertnesiaError(
                f"Cannot download {self.url}: {error}.{kept} Try again later, or put a copy of the file at "
                f"{self.target} and run this again: it will be checked."
            ) from error

    def _unpacked(self, into: Path) -> list[Fetched]:
        """The archive's files, if all that it has are there."""
        noted = [place for place, entry in self.record.entries.items() if entry.get("archive") == self.remote.path]
        names = [Path(place).relative_to(self.remote.unpack or "").as_posix() for place in noted]
        names = names or list(self.remote.members)
        if not names or not all((into / name).is_file() for name in names):
            return []
        return [self._check(into / name, self._place(into / name), self.remote.members.get(name)) for name in names]

    def _unpack(self, archive: Fetched, into: Path) -> list[Fetched]:
        """Put the archive's files in their places, each in one step, and then delete it."""
        try:
            contents = _contents(archive.path, self.remote.top)
        except _BAD_ARCHIVE as error:
            raise BertnesiaError(f"{archive.path} is no archive that can be used ({error}): delete it.") from error
        hashes = {name: hash_of(content).hexdigest() for name, content in contents.items()}
        for name, digest in hashes.items():
            if self.remote.members.get(name, digest) != digest:
                raise BertnesiaError(f"{archive.path} has another {name} than the published one: delete it.")
            if (into / name).exists() and sha256(into / name) != digest:
                raise BertnesiaError(f"{into / name} is there and differs from the downloaded one: move it away.")
        for name, content in contents.items():
            with replacing_file(into / name) as partial:
                partial.write_bytes(content)
        found = [
            Fetched(into / name, digest, len(contents[name]), archive.downloaded, archive.checked)
            for name, digest in hashes.items()
        ]
        entries = {self._place(one.path): self._entry(one.sha256, one.bytes) for one in found}
        self.record.note({place: entry | {"archive": self.remote.path} for place, entry in entries.items()})
        archive.path.unlink()
        return found

    def _place(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _entry(self, digest: str, size: int) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return {"sha256": digest, "bytes": size, "url": self.url, "when": now}


def _is_whole(archive: Path) -> bool:
    """Whether a zip archive can be read, every file of it."""
    try:
        with ZipFile(archive) as zipped:
            return zipped.testzip() is None
    except _BAD_ARCHIVE:
        return False


def _contents(archive: Path, top: str) -> dict[str, bytes]:
    """The files below `top` by their names there."""
    with ZipFile(archive) as zipped:
        names = [name for name in zipped.namelist() if name.startswith(top) and not name.endswith("/")]
        if not names:
            raise BadZipFile(f"it has nothing below {top}")
        _check_names([name.removeprefix(top) for name in names])
        return {name.removeprefix(top): zipped.read(name) for name in names}


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts or "\\" in name:
            raise BadZipFile(f"it has a file outside its folder, {name}")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other downloads out of the folder."""
    try:
        with FileLock(folder / ".downloads.lock", timeout=0):
            yield
    except Timeout as error:
        raise BertnesiaError(f"Another download into {folder} is running: wait until it has ended.") from error
