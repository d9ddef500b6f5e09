"""Probe sets in T-REx's format: relations with a template in `relations.jsonl`, and a file of facts for each."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from bertnesia.errors import BertnesiaError
from bertnesia.probes.facts import Fact, ProbeSet, Relation, distinct
from bertnesia.probes.sources import BadRowError, Numbered, ProbeFiles, Reading, Row, json_rows

RELATIONS_FILE = "relations.jsonl"
ATLAS_LICENCE = "CC BY 4.0, Unicode-3.0, MIT, BSD-3-Clause and WordNet, by relation"
_TYPES = ("", "1-1", "N-1", "N-M")


def read_templated(reading: Reading, probe_set: str, folder: str, source: str, licence: str) -> ProbeSet:
    """Read the facts of `folder`, one file for each relation of `relations.jsonl`; `source` is what it is shown as.

    A relation without a file, and a file without a relation, is a problem of the probe set; both are left out.

    Raises:
        BertnesiaError: if `relations.jsonl` is missing, or if the folder has no file of any of its relations.
    """
    files = reading.files
    if RELATIONS_FILE not in files.members:
        raise BertnesiaError(f"{files.root} has no {RELATIONS_FILE}, which holds the templates of {probe_set}.")
    rows = json_rows(reading.content(RELATIONS_FILE))
    relations = read_relations(reading, RELATIONS_FILE, rows, probe_set, source)
    facts: list[Fact] = []
    for name in files.below(folder):
        relation = name.removeprefix(f"{folder}/").removesuffix(".jsonl")
        if relation in relations:
            facts += reading.rows(name, partial(_fact, probe_set=probe_set, relation=relation))
        else:
            reading.left_out(name, f"no relation {relation} in {RELATIONS_FILE}")
    for relation in relations:
        if f"{folder}/{relation}.jsonl" not in files.members:
            reading.left_out(f"{folder}/{relation}.jsonl", f"no file with facts of relation {relation}")
    found = {fact.relation for fact in facts}
    if not found:
        raise BertnesiaError(f"{files.root} holds no facts of the probe set {probe_set} (looked in {folder}/).")
    present = tuple(relation for relation in relations.values() if relation.id in found)
    return ProbeSet(probe_set, present, distinct(facts), tuple(reading.problems), reading.hashes, licence, source)


def read_atlas(folder: Path) -> ProbeSet:
    """Read the probe set that ships, `relations.jsonl` and `Atlas/*.jsonl`, from its folder.

    Raises:
        BertnesiaError: if the folder does not hold it.
    """
    return read_templated(Reading(ProbeFiles.find(folder)), "atlas", "Atlas", "Atlas", ATLAS_LICENCE)


def read_relations(
    reading: Reading, name: str, rows: Iterable[Numbered], probe_set: str, source: str
) -> dict[str, Relation]:
    """Relations by id from the rows of a file: `relation`, `template` and what else is known.

    `label`, `description`, `type`, `source` and `paraphrases` (a list of templates) may be left out.
    """
    relations: dict[str, Relation] = {}

    def take(row: Row) -> None:
        relation = _relation(row, probe_set, source)
        if relation.id in relations:
            raise BadRowError(f"relation {relation.id} is given twice")
        relations[relation.id] = relation

    reading.take(name, rows, take)
    return relations


def check_template(template: str) -> str:
    """The template, if it has a place for the subject and one for the object.

    Raises:
        BadRowError: if it has not.
    """
    if "[X]" not in template or template.count("[Y]") != 1:
        raise BadRowError(f'the template "{template}" needs [X] and one [Y]')
    return template


def _relation(row: Row, probe_set: str, source: str) -> Relation:
    relation, template = row.text("relation"), check_template(row.text("template"))
    kind = row.optional_text("type") or ""
    if kind not in _TYPES:
        raise BadRowError(f'the type "{kind}" is not 1-1, N-1 or N-M')
    others = row.texts("paraphrases") if row.values.get("paraphrases") else []
    return Relation(
        probe_set,
        relation,
        row.optional_text("label") or relation,
        template,
        row.optional_text("description") or "",
        kind,
        row.optional_text("source") or source,
        other_templates(template, others),
    )


def other_templates(template: str, others: Sequence[str]) -> tuple[str, ...]:
    """Paraphrases of a template, each once and without the template itself.

    Raises:
        BadRowError: if one is no template.
    """
    return tuple(dict.fromkeys(check_template(other) for other in others if other != template))


def _fact(row: Row, probe_set: str, relation: str) -> Fact:
    named = row.optional_text("predicate_id")
    if named is not None and named != relation:
        raise BadRowError(f"a fact of relation {named} in the file of {relation}")
    subject, answer = row.text("sub_label"), row.text("obj_label")
    return Fact(
        probe_set,
        relation,
        subject,
        answer,
        row.optional_text("sub_uri") or None,
        row.optional_text("obj_uri") or None,
    )
