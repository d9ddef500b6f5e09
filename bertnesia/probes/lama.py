"""The probe sets of LAMA (Petroni et al., 2019, arXiv 1909.01066), read from its own files."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bertnesia.errors import BertnesiaError
from bertnesia.probes.facts import MASK, Fact, ProbeSet, Relation, distinct
from bertnesia.probes.sources import BadRowError, ProbeFiles, Reading, Row
from bertnesia.probes.templated import read_templated

LICENCE = "CC BY-NC 4.0"
FOLDERS: Mapping[str, str] = {"trex": "TREx", "google_re": "Google_RE", "conceptnet": "ConceptNet", "squad": "Squad"}
"""The folder of each probe set in LAMA's layout."""

LABELS: Mapping[str, str] = {
    "trex": "LAMA T-REx",
    "google_re": "LAMA Google-RE",
    "conceptnet": "LAMA ConceptNet",
    "squad": "LAMA SQuAD",
}

_GOOGLE_RE = (
    Relation("google_re", "place_of_birth", "place of birth", "[X] was born in [Y] .", "", "N-1", "Google-RE"),
    Relation("google_re", "date_of_birth", "date of birth", "[X] (born [Y]).", "", "N-1", "Google-RE"),
    Relation("google_re", "place_of_death", "place of death", "[X] died in [Y] .", "", "N-1", "Google-RE"),
)


def read_lama(source: Path, names: Sequence[str] | None = None) -> dict[str, ProbeSet]:
    """Read LAMA's probe sets by name: `trex`, `google_re`, `conceptnet`, `squad`.

    Bad lines and missing optional files are listed in each probe set's `problems`; without `names`, the probe sets
    that are not there are listed in the first one's.

    Args:
        source: a folder in LAMA's layout, a folder with it in `lama` or `data`, or LAMA's `data.zip`.
        names: the probe sets that must be there; without it, all that are.

    Raises:
        BertnesiaError: if a name is unknown, or a probe set asked for or the file it cannot do without is missing.
    """
    if unknown := [name for name in names or () if name not in FOLDERS]:
        raise BertnesiaError(f"LAMA has no probe set {unknown[0]}; it has {', '.join(FOLDERS)}.")
    files = ProbeFiles.find(source)
    absent = [name for name, folder in FOLDERS.items() if not files.below(folder)]
    wanted = list(names) if names is not None else [name for name in FOLDERS if name not in absent]
    if not wanted:
        raise BertnesiaError(f"{files.root} holds none of LAMA's probe sets ({', '.join(FOLDERS.values())}).")
    probe_sets: dict[str, ProbeSet] = {}
    for name in wanted:
        if name in absent:
            raise BertnesiaError(f"The probe set {name} is not in {files.root}: there is no {FOLDERS[name]}/*.jsonl.")
        reading = Reading(files)
        if names is None and not probe_sets:
            for missing in absent:
                reading.left_out(FOLDERS[missing], f"the probe set {missing} is not there")
        probe_sets[name] = _READERS[name](reading)
    return probe_sets


def _read_trex(reading: Reading) -> ProbeSet:
    return read_templated(reading, "trex", "TREx", LABELS["trex"], LICENCE)


def read_google_re(reading: Reading, probe_set: str, folder: str, label: str) -> ProbeSet:
    """Read the facts of Google-RE's three relations, a file for each in `folder`.

    Raises:
        BertnesiaError: if there is no fact, or a file cannot be read.
    """
    facts: list[Fact] = []
    found: list[Relation] = []
    for relation in _GOOGLE_RE:
        name = f"{folder}/{relation.id}_test.jsonl"
        if name not in reading.files.members:
            reading.left_out(name, f"no file with facts of relation {relation.id}")
            continue
        judged = reading.rows(name, partial(_google_fact, probe_set=probe_set, relation=relation.id))
        facts += (fact for fact in judged if fact is not None)
        found.append(replace(relation, probe_set=probe_set))
        if rejected := judged.count(None):
            reading.left_out(name, f"facts that most judges reject: {rejected}")
    return _probe_set(probe_set, label, folder, tuple(found), facts, reading)


def _read_google_re(reading: Reading) -> ProbeSet:
    return read_google_re(reading, "google_re", "Google_RE", LABELS["google_re"])


def _google_fact(row: Row, probe_set: str, relation: str) -> Fact | None:
    """The fact, or None where more judgements say no than yes."""
    subject, answer = row.text("sub_label"), row.text("obj_label")
    uris = (
        row.optional_text("sub") or row.optional_text("sub_w"),
        row.optional_text("obj") or row.optional_text("obj_w"),
    )
    judgements = row.values.get("judgments") or []
    if not isinstance(judgements, list) or not all(isinstance(each, dict) for each in judgements):
        raise BadRowError('field "judgments" is not a list of judgements')
    said = [each.get("judgment") for each in judgements]
    return None if said.count("no") > said.count("yes") else Fact(probe_set, relation, subject, answer, *uris)


def _read_conceptnet(reading: Reading) -> ProbeSet:
    def fact(row: Row) -> Fact:
        answer, sentence = row.text("obj_label"), _sentence(row)
        return Fact("conceptnet", row.text("pred"), row.text("sub_label"), answer, sentence=sentence)

    facts = _only_file(reading, "ConceptNet/test.jsonl", fact)
    relations = (
        Relation("conceptnet", name, re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower(), None, source="ConceptNet")
        for name in sorted({fact.relation for fact in facts})
    )
    return _probe_set("conceptnet", LABELS["conceptnet"], "ConceptNet", tuple(relations), facts, reading)


def _read_squad(reading: Reading) -> ProbeSet:
    """LAMA gives all its SQuAD facts the subject "Squad"; here the question's id is what tells them apart.

    It names nothing in the sentence, so a fact of this probe set is best shown by its prompt.
    """

    def fact(row: Row) -> Fact:
        answer, sentence = row.text("obj_label"), _sentence(row)
        question = row.optional_text("id") or row.text("uuid")
        return Fact("squad", "squad", question, answer, sentence=sentence)

    facts = _only_file(reading, "Squad/test.jsonl", fact)
    description = "A question of SQuAD, rewritten as a sentence that lacks its answer."
    relation = Relation("squad", "squad", "SQuAD question", None, description, source="SQuAD")
    return _probe_set("squad", LABELS["squad"], "Squad", (relation,), facts, reading)


def _only_file(reading: Reading, name: str, make: Callable[[Row], Fact]) -> list[Fact]:
    if name not in reading.files.members:
        raise BertnesiaError(f"{reading.files.root} has no {name}.")
    return reading.rows(name, make)


def _sentence(row: Row) -> str:
    sentence = row.texts("masked_sentences")[0]
    if MASK not in sentence:
        raise BadRowError(f"the sentence has no {MASK}")
    return sentence


def _probe_set(
    name: str, label: str, folder: str, relations: tuple[Relation, ...], facts: Sequence[Fact], reading: Reading
) -> ProbeSet:
    if not facts:
        raise BertnesiaError(f"{reading.files.root} holds no facts of the probe set {name} (in {folder}/).")
    return ProbeSet(name, relations, distinct(facts), tuple(reading.problems), reading.hashes, LICENCE, label)


_READERS: Mapping[str, Callable[[Reading], ProbeSet]] = {
    "trex": _read_trex,
    "google_re": _read_google_re,
    "conceptnet": _read_conceptnet,
    "squad": _read_squad,
}
