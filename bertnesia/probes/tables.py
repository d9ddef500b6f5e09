"""The user's own facts: a CSV, TSV, JSONL or Parquet file with subjects, objects and relations, or ready prompts."""

import io
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bertnesia.errors import BertnesiaError
from bertnesia.probes.delimited import read_delimited
from bertnesia.probes.facts import MASK, Fact, ProbeSet, Problem, Relation, normalise_masks
from bertnesia.probes.sources import BadRowError, Numbered, ProbeFiles, Reading, Row, json_rows
from bertnesia.probes.templated import check_template, other_templates, read_relations

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
"""The kinds of files that are read as tables of facts."""

TEMPLATE_FILES = (
    "{stem}.relations.jsonl",
    *(f"{{stem}}.templates{suffix}" for suffix in SUFFIXES),
    "relations.jsonl",
    *(f"templates{suffix}" for suffix in SUFFIXES),
)
"""Where a table's templates are looked for, beside it: the first that is there is read."""

_ALIASES = {
    "sub_label": "subject",
    "obj_label": "object",
    "predicate_id": "relation",
    "sub_uri": "subject_uri",
    "obj_uri": "object_uri",
}
_TEMPLATED = ("subject", "object", "relation")
_READY = ("prompt", "answer")
_GAP = "___"


@dataclass(frozen=True, slots=True)
class _Table:
    """A file's columns and rows, under the names used here."""

    columns: frozenset[str]
    rows: tuple[Numbered, ...]


def is_table(name: str) -> bool:
    """Whether a probe set's name is the path of a table."""
    return Path(name).suffix.lower() in SUFFIXES


def table_name(path: Path) -> str:
    """What the probe set of a table is called: the file's name without its ending, and only characters of file names.

    Raises:
        BertnesiaError: if nothing is left of it.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", path.stem).strip("._-")
    if not name:
        raise BertnesiaError(f"The probe file {path} needs a name with letters or digits: rename it.")
    return name


def paths_of_tables(names: Iterable[str]) -> dict[str, str]:
    """The tables among the names that probe sets were asked for by, by what they are called in results."""
    return {table_name(Path(name)): name for name in names if is_table(name)}


def read_table(path: Path) -> ProbeSet:
    """Read a table of facts.

    Its columns are `subject`, `object` and `relation`, with templates in a column `template` or in a file beside it
    (`TEMPLATE_FILES`); or `prompt`, a sentence with `[MASK]`, and `answer`. `paraphrases`, a list, or columns whose
    names begin with `paraphrase` hold further templates; `subject_uri` and `object_uri` may be there, too. Bad lines
    and repeated facts are listed in `problems`.

    Raises:
        BertnesiaError: if the file cannot be read, or lacks columns or templates, or no line of it can be used.
    """
    if not path.is_file():
        raise BertnesiaError(f"There is no probe file {path}.")
    reading = Reading(ProbeFiles(path.parent, {each.name: each.name for each in path.parent.iterdir()}))
    table = _read(reading, path.name)
    if table.columns.issuperset(_READY):
        maker: _Ready | _Templated = _Ready(table_name(path), path.name)
    elif table.columns.issuperset(_TEMPLATED):
        maker = _Templated(table_name(path), path.name, _templates(reading, path, table.columns))
    else:
        raise _missing(path, table.columns)
    facts = _facts(reading, path.name, table.rows, maker.fact)
    if not facts:
        first = f"; the first problem is: {reading.problems[0]}" if reading.problems else ""
        raise BertnesiaError(f"{path} holds no facts that can be used{first}.")
    used = {fact.relation for fact in facts}
    relations = tuple(relation for relation in maker.relations.values() if relation.id in used)
    return ProbeSet(table_name(path), relations, facts, tuple(reading.problems), reading.hashes, "", path.name)


def _facts(reading: Reading, name: str, rows: Iterable[Numbered], make: Callable[[Row], Fact]) -> tuple[Fact, ...]:
    """The facts of the rows, each once; a repeated one is a problem."""
    found: dict[tuple[str, str, str], Fact] = {}
    lines: dict[tuple[str, str, str], int] = {}
    for number, row in rows:
        for fact in reading.take(name, [(number, row)], make):
            if fact.key in found:
                reading.problems.append(Problem(name, number, f"the same fact as in line {lines[fact.key]}"))
            else:
                found[fact.key], lines[fact.key] = fact, number
    return tuple(found.values())


class _Ready:
    """Makes facts of ready prompts; a prompt without a subject of its own is its subject, with a gap for the mask."""

    def __init__(self, probe_set: str, file: str) -> None:
        self.probe_set, self.file = probe_set, file
        self.relations: dict[str, Relation] = {}

    def fact(self, row: Row) -> Fact:
        prompt = normalise_masks(row.text("prompt"))
        if MASK not in prompt:
            raise BadRowError(f"the prompt has no {MASK}")
        relation = row.optional_text("relation") or self.probe_set
        fact = Fact(
            self.probe_set,
            relation,
            row.optional_text("subject") or prompt.replace(MASK, _GAP),
            row.text("answer"),
            row.optional_text("subject_uri") or None,
            row.optional_text("object_uri") or None,
            prompt,
        )
        self.relations.setdefault(relation, Relation(self.probe_set, relation, relation, None, source=self.file))
        return fact


class _Templated:
    """Makes facts of subjects, objects and relations, whose templates may come with them."""

    def __init__(self, probe_set: str, file: str, relations: Mapping[str, Relation]) -> None:
        self.probe_set, self.file = probe_set, file
        self.relations = dict(relations)

    def fact(self, row: Row) -> Fact:
        relation = self._relation(row)
        fact = Fact(
            self.probe_set,
            relation.id,
            row.text("subject"),
            row.text("object"),
            row.optional_text("subject_uri") or None,
            row.optional_text("object_uri") or None,
        )
        self.relations[relation.id] = relation
        return fact

    def _relation(self, row: Row) -> Relation:
        """The row's relation, with the paraphrases that the row adds to it."""
        name, template = row.text("relation"), row.optional_text("template")
        known = self.relations.get(name)
        if not known and not template:
            raise BadRowError(f"relation {name} has no template")
        relation = known or Relation(self.probe_set, name, name, check_template(template or ""), source=self.file)
        if template and template not in (relation.template, *relation.paraphrases):
            raise BadRowError(f'relation {name} has another template, "{relation.template}"')
        more = row.texts("paraphrases") if row.values.get("paraphrases") else []
        return replace(relation, paraphrases=other_templates(relation.template or "", [*relation.paraphrases, *more]))


def _templates(reading: Reading, path: Path, columns: frozenset[str]) -> dict[str, Relation]:
    """The relations of the file with templates beside the table, if there is one."""
    names = [name.format(stem=path.stem) for name in TEMPLATE_FILES]
    file = next((name for name in names if name in reading.files.members and name != path.name), None)
    if file is not None:
        return read_relations(reading, file, _read(reading, file).rows, table_name(path), path.name)
    if "template" in columns:
        return {}
    raise BertnesiaError(
        f"{path} has no column template, and there is no {names[0]} or relations.jsonl beside it: "
        "the relations need templates with [X] and [Y]."
    )


def _missing(path: Path, columns: frozenset[str]) -> BertnesiaError:
    wanted = _READY if columns & set(_READY) else _TEMPLATED
    missing = " and ".join(column for column in wanted if column not in columns)
    return BertnesiaError(
        f"{path} has no column {missing}: it needs subject, object and relation, or prompt and answer."
    )


def _read(reading: Reading, name: str) -> _Table:
    content = reading.content(name)
    suffix = Path(name).suffix.lower()
    if suffix == ".jsonl":
        rows = list(json_rows(content))
        columns: Iterable[str] = {column for _, row in rows if isinstance(row, Row) for column in row.values}
    elif suffix == ".parquet":
        columns, rows = _parquet_rows(name, content)
    else:
        columns, rows = read_delimited(name, content, "\t" if suffix == ".tsv" else ",;\t")
    return _Table(
        frozenset(_canonical(dict.fromkeys(columns, ""))),
        tuple((number, row if isinstance(row, BadRowError) else Row(_canonical(row.values))) for number, row in rows),
    )


def _parquet_rows(name: str, content: bytes) -> tuple[list[str], list[Numbered]]:
    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise BertnesiaError(f"{name} is not a readable Parquet file ({str(error).splitlines()[0]}).") from error
    return table.column_names, [(number, Row(values)) for number, values in enumerate(table.to_pylist(), start=1)]


def _canonical(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values under the names used here; numbers as text; paraphrases of several columns as one list."""
    named: dict[str, Any] = {}
    paraphrases: list[Any] = []
    for column, value in values.items():
        name = column.strip().casefold()
        if name.startswith("paraphrase"):
            paraphrases += value if isinstance(value, list) else [value]
        else:
            named[_ALIASES.get(name, name)] = _text(value)
    return named | ({"paraphrases": kept} if (kept := [value for value in paraphrases if value]) else {})


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else str(int(value)) if value.is_integer() else str(value)
    return str(value) if isinstance(value, int) else value
