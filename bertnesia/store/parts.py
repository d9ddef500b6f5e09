"""Parquet parts: results of one step of a study, either whole and verified or done again."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bertnesia.files import digest, replacing_file

_IDENTITY = b"bertnesia.identity"
_ROWS = b"bertnesia.rows"


def write_part(path: Path, table: pa.Table, identity: dict[str, Any]) -> None:
    """Write a table as one Parquet file in one step, with page checksums and what it was made from.

    `identity` is any JSON value that names the inputs (hashes of weights, facts, settings): its digest is kept in
    the file, so that `part_is_current` notices when they change.
    """
    metadata = {**(table.schema.metadata or {}), _IDENTITY: digest(identity).encode(), _ROWS: b"%d" % table.num_rows}
    with replacing_file(path) as partial:
        pq.write_table(table.replace_schema_metadata(metadata), partial, compression="zstd", write_page_checksum=True)


def part_is_current(path: Path, identity: dict[str, Any]) -> bool:
    """Whether the file is there, undamaged (every page's checksum is verified) and made from `identity`."""
    try:
        return _verified_identity(path) == digest(identity).encode()
    except (OSError, pa.ArrowException):
        return False


def damage(path: Path) -> str | None:
    """What is wrong with a part, or None where every page is as it was written."""
    try:
        identity = _verified_identity(path)
    except FileNotFoundError:
        return "it is missing"
    except (OSError, pa.ArrowException) as error:
        return f"it is damaged ({str(error).splitlines()[0]})"
    return None if identity else "it was not written as a part"


def _verified_identity(path: Path) -> bytes:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        metadata = file.schema_arrow.metadata or {}
        rows = sum(batch.num_rows for batch in file.iter_batches())
    if rows != int(metadata.get(_ROWS, rows)):
        raise OSError(f"{rows} rows in place of {metadata[_ROWS].decode()}")
    return bytes(metadata.get(_IDENTITY, b""))
