"""BEAR (Wiland et al., 2024, arXiv 2404.04113): relations with several templates and a fixed answer space each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bertnesia.errors import BertnesiaError
from bertnesia.probes.facts import Fact, ProbeSet, Relation, distinct
from bertnesia.probes.sources import BadRowError, ProbeFiles, Reading, Row
from bertnesia.probes.templated import check_template, other_templates
from bertnesia.probes.wikidata import LABELS

METADATA = "metadata_relations.json"
LICENCE = "CC BY-SA 4.0 (its page on the Hugging Face hub; the files themselves name none)"
SCORINGS: Mapping[str, str] = {"bear": "within_word_l2r", "bear_original": "original"}
"""The probe sets made of BEAR's files: the same facts, their candidates scored in two ways."""

_FOLDERS = ("", "BEAR", "bear", "bear/BEAR")
_SOURCE = "BEAR, from Wikidata"


@dataclass(frozen=True, slots=True)
class _Space:
    """A relation's answer space: labels, and their URIs where the file has them."""

    labels: tuple[str, ...]
    uris: tuple[str, ...]


def read_bear(source: Path, name: str = "bear") -> ProbeSet:
    """Read BEAR from its folder, the one with `metadata_relations.json`, or from one that holds it.

    The first template asks, the others are paraphrases. Whatever cannot be used is listed in the `problems`.

    Args:
        source: the folder.
        name: `bear` to score candidates within words from left to right, `bear_original` to score them token by token.

    Raises:
        BertnesiaError: if BEAR is not there, or none of its facts can be used.
    """
    reading = Reading(_files(source))
    spaces: dict[str, _Space] = {}
    relations: list[Relation] = []
    facts: list[Fact] = []
    domains = _domains(reading.files.root)
    for relation, values in _metadata(reading).items():
        try:
            spaces[relation] = _space(Row(values))
            relations.append(_relation(name, relation, Row(values), spaces[relation], domains.get(relation, ())))
        except BadRowError as error:
            reading.left_out(METADATA, f"relation {relation}: {error}")
            continue
        file = f"{relation}.jsonl"
        if file not in reading.files.members:
            reading.left_out(file, f"no file with facts of relation {relation}")
            continue
        facts += reading.rows(file, partial(_fact, probe_set=name, relation=relation, space=spaces[relation]))
    found = {fact.relation for fact in facts}
    if not found:
        raise BertnesiaError(f"{reading.files.root} holds no facts of BEAR that can be used.")
    present = tuple(relation for relation in relations if relation.id in found)
    label = "BEAR" if name == "bear" else "BEAR (original scores)"
    problems = tuple(reading.problems)
    return ProbeSet(name, present, distinct(facts), problems, reading.hashes, LICENCE, label, SCORINGS[name])


def _files(source: Path) -> ProbeFiles:
    if not source.exists():
        raise BertnesiaError(f"There is no probe data at {source}.")
    for root in (source / folder for folder in _FOLDERS):
        if (root / METADATA).is_file():
            return ProbeFiles(root, {path.name: path.name for path in (root / METADATA, *root.glob("*.jsonl"))})
    raise BertnesiaError(
        f"{source} does not hold BEAR: there is no {METADATA} in it, nor in bear/BEAR below it. "
        f"'bertnesia download bear --to {source}' fetches it."
    )


def _metadata(reading: Reading) -> dict[str, dict[str, Any]]:
    try:
        values = json.loads(reading.content(METADATA))
    except ValueError as error:
        raise BertnesiaError(f"{reading.files.root / METADATA} is not valid JSON ({error}).") from error
    if not isinstance(values, dict) or not all(isinstance(value, dict) for value in values.values()):
        raise BertnesiaError(f"{reading.files.root / METADATA} is not a table of relations.")
    return values


def _domains(root: Path) -> dict[str, list[str]]:
    """The domains of each relation, which stand in a file of their own that may be missing."""
    try:
        values = json.loads((root.parent / "relation_info.json").read_bytes())
        return {relation: [str(domain) for domain in info["domains"]] for relation, info in values.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _space(row: Row) -> _Space:
    labels = tuple(row.texts("answer_space_labels"))
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise BadRowError(f'the answer space names "{twice}" twice')
    uris = tuple(row.texts("answer_space_ids")) if row.values.get("answer_space_ids") else ()
    return _Space(labels, uris if len(uris) == len(labels) else ())


def _relation(probe_set: str, relation: str, row: Row, space: _Space, domains: list[str] | tuple[str, ...]) -> Relation:
    template, *others = row.texts("templates")
    return Relation(
        probe_set,
        relation,
        LABELS.get(relation, relation),
        check_template(template),
        f"Domains: {', '.join(domains)}." if domains else "",
        source=_SOURCE,
        paraphrases=other_templates(template, others),
        answer_space=space.labels,
    )


def _fact(row: Row, probe_set: str, relation: str, space: _Space) -> Fact:
    index = row.values.get("answer_idx")
    if not isinstance(index, int) or not 0 <= index < len(space.labels):
        raise BadRowError('field "answer_idx" is not a place in the answer space')
    answer = space.labels[index]
    named = row.optional_text("obj_label")
    if named is not None and named != answer:
        raise BadRowError(f'field "answer_idx" leads to "{answer}", not to "{named}"')
    uri = row.optional_text("obj_id") or (space.uris[index] if space.uris else None)
    return Fact(probe_set, relation, row.text("sub_label"), answer, row.optional_text("sub_id"), uri)
