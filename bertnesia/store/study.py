"""Opening a published study: the only place that connects to a database."""

import atexit
import contextlib
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from bertnesia.errors import BertnesiaError
from bertnesia.store.publish import SCHEMA_VERSION

_USE = "USE published"
_STUDY = "SELECT name, title, description, base, bertnesia_version, created, settings FROM study"
_SCHEMA_VERSION = "SELECT schema_version FROM study"
_MODELS = "SELECT * FROM models ORDER BY position, model"


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one published file from the next: changes whenever the file is replaced."""

    modified: int
    size: int
    inode: int


@dataclass(frozen=True)
class Study:
    """A published study, open for reading. Safe to share between threads: each query has a cursor of its own."""

    path: Path
    version: Version
    name: str
    title: str
    description: str
    base: str
    bertnesia_version: str
    created: datetime
    settings: str
    connection: duckdb.DuckDBPyConnection = field(repr=False, compare=False)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Rows of one statement with named parameters (`$name`).

        Raises:
            BertnesiaError: if the file turns out to be damaged or has gone.
        """
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(_USE)
                return cursor.execute(sql, parameters).df()
        except duckdb.Error as error:
            # A wrong checksum has no class of its own.
            if type(error) is duckdb.Error or isinstance(error, duckdb.IOException | duckdb.FatalException):
                raise _damaged(self.path) from error
            raise

    def models(self) -> pd.DataFrame:
        """The models, the base first: every column of the table `models`."""
        return self.query(_MODELS)

    def place(self, folder: str) -> str:
        """A folder that the study names, relative to the database, or a hub's name if nothing of that path is there.

        A path that is there but for its last part is a folder that has gone, not a name of the hub.
        """
        local = self.path.parent / folder
        return str(local) if local.is_dir() or (local.parent != self.path.parent and local.parent.is_dir()) else folder


_open: dict[Path, Study] = {}
_lock = threading.Lock()


@atexit.register
def _close_all() -> None:
    """Close what is open before the interpreter goes down."""
    for study in _open.values():
        with contextlib.suppress(duckdb.Error):  # one that is being asked goes down with its thread
            study.connection.close()
    _open.clear()


def open_study(path: Path) -> Study:
    """Open a published study read-only, with no access to any other file.

    Cheap to call again: the same version of a file is opened once per process. When a new version has been
    published, it is opened beside the old one, which goes on working for those who hold it.

    Raises:
        BertnesiaError: if there is no such file, it is not a study or damaged, or of another schema version.
    """
    path = path.resolve()
    with _lock:
        version = _version(path)
        study = _open.get(path)
        if study is None or study.version != version:
            study = _read(path, version)
            _open[path] = study
        return study


def close_study(study: Study) -> None:
    """Close a study that nobody will ask any more; opening its file again opens it anew."""
    with _lock:
        if _open.get(study.path) is study:
            del _open[study.path]
        study.connection.close()


def _version(path: Path) -> Version:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise BertnesiaError(f"There is no study at {path}; publish one or choose another file.") from None
    except OSError as error:
        raise BertnesiaError(f"Cannot read {path}: {error.strerror or error}.") from error
    if not path.is_file():
        raise BertnesiaError(f"{path} is not a file; a study is one .duckdb file.")
    return Version(status.st_mtime_ns, status.st_size, status.st_ino)


def _read(path: Path, version: Version) -> Study:
    try:
        connection = _connect(path)
        _check_schema(path, connection)
        row = connection.execute(_STUDY).fetchone()
    except duckdb.CatalogException as error:
        raise BertnesiaError(f"{path} is a DuckDB file but holds no study.") from error
    except duckdb.Error as error:
        raise _damaged(path) from error
    if row is None:
        raise _damaged(path)
    name, title, description, base, made_by, created, settings = row
    return Study(path, version, name, title, description, base, made_by, created, settings, connection)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Attach the file to an in-memory database of its own and lock everything else.

    Connecting to the file directly would give one process the old file under any spelling of its path, symbolic
    links included, until every handle is closed; attached to separate databases, old and new version live side by side.
    """
    # Large sorts spill into the scratch folder: it stays reachable when everything else is locked.
    connection = duckdb.connect(":memory:", config={"temp_directory": str(_scratch())})
    connection.execute("ATTACH $path AS published (READ_ONLY)", {"path": str(path)})
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(_USE)
    return connection


def _scratch() -> Path:
    return Path(tempfile.mkdtemp(dir=_scratch_folder().name))


@cache
def _scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="bertnesia-", ignore_cleanup_errors=True)


def _check_schema(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    row = connection.execute(_SCHEMA_VERSION).fetchone()
    found = None if row is None else row[0]
    if found == SCHEMA_VERSION:
        return
    if isinstance(found, int) and found > SCHEMA_VERSION:
        raise BertnesiaError(
            f"{path} was published by a newer bertnesia (schema {found}, this one reads {SCHEMA_VERSION}); "
            "update bertnesia to read it."
        )
    raise BertnesiaError(
        f"{path} was published by an older bertnesia (schema {found}, this one reads {SCHEMA_VERSION}); "
        "publish the study again."
    )


def _damaged(path: Path) -> BertnesiaError:
    return BertnesiaError(
        f"{path} cannot be read as a study: it is not a DuckDB file, damaged, or written by a newer DuckDB; "
        "publish it again or fetch it anew."
    )
