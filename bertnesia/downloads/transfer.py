"""One file over HTTP: what has come is kept and gone on from, whatever breaks."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from bertnesia import __version__
from bertnesia.errors import BertnesiaError

ATTEMPTS = 5
"""How often in a row a transfer may break off without a single new byte; a server that is not there is asked twice."""

_CHUNK = 1 << 14
"""What can get lost when a connection breaks."""

_TIMEOUT = (15, 60)
_HEADERS = {"User-Agent": f"bertnesia/{__version__}", "Accept-Encoding": "identity"}
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_NOWHERE = "cannot be reached"
_BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)

Advance = Callable[[int, int | None], None]
"""Told how many bytes are there and, if that is known, of how many."""


class UnreachableError(BertnesiaError):
    """A file could not be had from its address; the message says why, without a full stop."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What has come of a file so far: `<name>.partial`, and beside it what the server called that version of it."""

    path: Path

    @classmethod
    def of(cls, target: Path) -> "Partial":
        """The partial file of a file."""
        return cls(target.with_name(f"{target.name}.partial"))

    @property
    def _mark(self) -> Path:
        return self.path.with_name(f"{self.path.name}.version")

    @property
    def size(self) -> int:
        """Bytes that can be gone on from: none where the server gave no name to that version of the file."""
        return self.path.stat().st_size if self.version and self.path.exists() else 0

    @property
    def version(self) -> str:
        """The server's name for the version that the bytes are of (an ETag or a date)."""
        return self._mark.read_text("utf-8") if self._mark.exists() else ""

    def begin(self, version: str) -> None:
        """Start from nothing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(b"")
        self._mark.write_text(version, "utf-8")

    def forget(self) -> None:
        """Delete what has come."""
        self.path.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Put the file in its place, in one step."""
        self.path.replace(target)
        self._mark.unlink(missing_ok=True)


def transfer(url: str, partial: Partial, advance: Advance) -> None:
    """Bring a whole file into `partial`, going on where an earlier attempt stopped if the server can and has the same.

    Args:
        url: where from.
        partial: where to.
        advance: told about every bit that comes.

    Raises:
        UnreachableError: if the server cannot be reached, refuses, or keeps breaking off.
    """
    failures = 0
    while True:
        before = partial.size
        try:
            if _go_on(url, partial, advance):
                return
            fault = "broke off"
        except _BROKEN as error:
            fault = _plain(error)
        except requests.RequestException as error:
            raise UnreachableError(f"that is no address that can be asked ({error})") from error
        failures = 1 if partial.size > before else failures + 1
        if failures == (ATTEMPTS if fault != _NOWHERE else 2):
            raise UnreachableError(f"{urlsplit(url).netloc} {fault}")
        time.sleep(min(2.0**failures, 30))


def _go_on(url: str, partial: Partial, advance: Advance) -> bool:
    """One request; whether the file is whole now."""
    have = partial.size
    headers = {**_HEADERS, **({"Range": f"bytes={have}-", "If-Range": partial.version} if have else {})}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        if response.status_code == 416:  # nothing is left to send, or the file has become shorter
            if _total(response) == have:
                return True
            partial.forget()
            return False
        if response.status_code in _PASSING:
            raise requests.ConnectionError(f"answers {response.status_code} {response.reason}")
        if response.status_code not in (200, 206):
            raise UnreachableError(f"{urlsplit(url).netloc} answers {response.status_code} {response.reason}")
        if response.status_code == 200:
            partial.begin(_version(response))
            have = 0
        elif _start(response) != have:
            partial.forget()
            return False
        total = _total(response)
        advance(have, total)
        with partial.path.open("ab") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                have += len(chunk)
                advance(have, total)
    return total is None or have == total


def _chunks(response: requests.Response) -> Iterator[bytes]:
    return (bytes(chunk) for chunk in response.iter_content(_CHUNK))


def _version(response: requests.Response) -> str:
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _start(response: requests.Response) -> int | None:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _total(response: requests.Response) -> int | None:
    """How many bytes the whole file has, if the server says so."""
    if response.status_code in (206, 416):
        match = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
        return int(match[1]) if match else None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and "Content-Encoding" not in response.headers else None


def _plain(error: requests.RequestException) -> str:
    """What a broken transfer's server did."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if str(error).startswith("answers"):
        return str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "has no certificate that can be trusted"
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return _NOWHERE
    return "does not go on" if isinstance(error, requests.Timeout) else "broke off"
