"""Publishing: one DuckDB file per study, built beside the old one and put in its place in one step."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.dataset as pads

from bertnesia.errors import BertnesiaError
from bertnesia.files import replacing_file
from bertnesia.store.parts import damage

SCHEMA_VERSION = 3
"""What `study.schema_version` holds; a file of another version is refused on opening."""

Source: TypeAlias = pa.Table | Sequence[Path]

_OF_FACTS = "FROM incoming JOIN facts ON facts.id = incoming.fact"
_INSERTS = {
    "study": "INSERT INTO study BY NAME SELECT * FROM incoming",
    "models": "INSERT INTO models BY NAME SELECT * FROM incoming ORDER BY position",
    "decoders": "INSERT INTO decoders BY NAME SELECT * FROM incoming",
    "probe_sets": "INSERT INTO probe_sets BY NAME SELECT * FROM incoming",
    "relations": "INSERT INTO relations BY NAME SELECT * FROM incoming",
    "templates": "INSERT INTO templates BY NAME SELECT * FROM incoming",
    "facts": (
        "INSERT INTO facts BY NAME SELECT * EXCLUDE (fact), fact AS id,"
        " row_number() OVER (ORDER BY eligible DESC, fact) AS fact, fact & 1 AS half,"
        " dense_rank() OVER (ORDER BY probe_set, relation, lower(object)) AS answer FROM incoming"
    ),
    "ranks": (
        "INSERT INTO ranks BY NAME SELECT incoming.* EXCLUDE (filtered_rank)"
        " REPLACE (facts.fact AS fact, round(log_probability, 3) AS log_probability),"
        " rank - filtered_rank AS others_before"
        f" {_OF_FACTS} ORDER BY model, kind, seed, variant, facts.fact, layer"
    ),
    "predictions": (
        "INSERT INTO predictions BY NAME SELECT incoming.*"
        " REPLACE (facts.fact AS fact, list_transform(probabilities, lambda p: round(p, 4)) AS probabilities)"
        f" {_OF_FACTS} ORDER BY model, kind, facts.fact, layer"
    ),
    "training": "INSERT INTO training BY NAME SELECT * FROM incoming",
    "coverage": (
        "INSERT INTO coverage BY NAME SELECT incoming.* REPLACE (facts.fact AS fact)"
        f" {_OF_FACTS} ORDER BY corpus, facts.fact"
    ),
    "published": "INSERT INTO published BY NAME SELECT * FROM incoming",
}
_STRANGE_FACT = "SELECT fact FROM incoming ANTI JOIN facts ON facts.id = incoming.fact LIMIT 1"
_REQUIRED = ("study", "models", "relations", "facts", "ranks")


def publish(database: Path, tables: Mapping[str, Source]) -> None:
    """Build a study's DuckDB file and put it in the place of `database` in one step.

    Readers that hold the old file go on undisturbed. `ranks` are sorted by (model, kind, seed, variant, fact, layer),
    and the summaries `layer_counts`, `best` and `asked` are built from them. `published` gets the figures of
    `published.csv`, before those that are given.

    Args:
        database: the file to write or replace.
        tables: per table of the schema (summaries aside) an Arrow table, or the paths of its Parquet parts.
            Columns are matched by name, and `fact` is a fact's id. Tables that are left out stay empty, but for the
            required ones.

    Raises:
        BertnesiaError: if a table is missing, unknown or does not fit the schema, a part is damaged, a rank's fact or
            model does not exist, or a (model, kind, layer, fact) is there twice or not at all.
    """
    _check_names(tables)
    with replacing_file(database) as partial:
        partial.unlink()  # DuckDB makes the file itself
        try:
            with duckdb.connect(str(partial)) as connection:
                _fill(connection, tables)
                connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            raise BertnesiaError(f"Cannot write {database}: {_first_line(error)}.") from error
        finally:
            partial.with_name(f"{partial.name}.wal").unlink(missing_ok=True)


def quoted_figures() -> pa.Table:
    """The figures of the paper, its authors' code and LAMA, each with its source: the rows of `published.csv`."""
    numbers = {
        "value": pa.float64(),
        "low": pa.float64(),
        "high": pa.float64(),
        "right_facts": pa.int32(),
        "facts": pa.int32(),
    }
    texts = {name: pa.string() for name in ("figure", "model", "probe_set", "note", "source")}
    file = resources.files("bertnesia.store").joinpath("published.csv")
    with file.open("rb") as stream:
        return pacsv.read_csv(stream, convert_options=pacsv.ConvertOptions(column_types=numbers | texts))


def _check_names(tables: Mapping[str, Source]) -> None:
    missing = [name for name in _REQUIRED if name not in tables]
    unknown = [name for name in tables if name not in _INSERTS]
    if missing or unknown:
        fault = f"without {', '.join(missing)}" if missing else f"with {', '.join(unknown)}"
        raise BertnesiaError(f"Cannot publish a study {fault}: the tables are {', '.join(_INSERTS)}.")


def _fill(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Source]) -> None:
    connection.execute("SET enable_progress_bar = false")
    connection.execute(_script("schema.sql"))
    _insert(connection, "published", _INSERTS["published"], quoted_figures())
    for name, statement in _INSERTS.items():
        if name in tables:
            _insert(connection, name, statement, tables[name])
    problems = connection.execute(_script("sql/checks.sql")).fetchall()
    if problems:
        raise BertnesiaError(f"Cannot publish: {'; '.join(problem for (problem,) in problems)}.")
    connection.execute(_script("sql/summaries.sql"))


def _insert(connection: duckdb.DuckDBPyConnection, name: str, statement: str, source: Source) -> None:
    try:
        connection.register("incoming", source if isinstance(source, pa.Table) else _dataset(name, source))
        strange = connection.execute(_STRANGE_FACT).fetchone() if _OF_FACTS in statement else None
        if strange:
            raise BertnesiaError(f"Cannot publish {name}: they name fact {strange[0]}, which is not among the facts.")
        connection.execute(statement)
        connection.unregister("incoming")
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        paths: Sequence[Path] = () if isinstance(source, pa.Table) else source
        for path in paths:
            if fault := damage(path):
                raise BertnesiaError(f"Cannot publish {name} from {path}: {fault}; delete it and run again.") from error
        raise BertnesiaError(f"Cannot publish {name}: {_first_line(error)}.") from error


def _dataset(name: str, paths: Sequence[Path]) -> pads.Dataset:
    if not paths:
        raise BertnesiaError(f"Cannot publish {name}: there are no parts.")
    verify = pads.ParquetFragmentScanOptions(page_checksum_verification=True)
    form = pads.ParquetFileFormat(default_fragment_scan_options=verify)
    return pads.dataset([str(path) for path in paths], format=form)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")


def _script(name: str) -> str:
    return resources.files("bertnesia.store").joinpath(name).read_text(encoding="utf-8")
