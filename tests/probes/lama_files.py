"""A small LAMA of made-up facts, as its own folder or zip archive lays it out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

Line = dict[str, Any] | str
BORN = {"relation": "P19", "template": "[X] was born in [Y] .", "label": "place of birth", "type": "N-1"}
DIED = {"relation": "P20", "template": "[X] died in [Y] .", "label": "place of death", "type": "N-1"}


def trex(subject: str, answer: str, relation: str = "P19", **more: Any) -> dict[str, Any]:
    return {"uuid": "u", "sub_label": subject, "obj_label": answer, "predicate_id": relation, "evidences": [], **more}


def google(subject: str, answer: str, yes: int = 5, no: int = 0) -> dict[str, Any]:
    judgements = [{"rater": "1", "judgment": "yes"}] * yes + [{"rater": "2", "judgment": "no"}] * no
    return {"sub": f"/m/{subject}", "obj": "/m/o", "sub_label": subject, "obj_label": answer, "judgments": judgements}


def sentence(text: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"masked_sentences": [text], "obj_label": answer, **more}


def small_lama() -> dict[str, list[Line]]:
    return {
        "relations.jsonl": [BORN, DIED],
        "TREx/P19.jsonl": [trex("Ann", "Oslo", sub_uri="Q1", obj_uri="Q9"), trex("ANN", "oslo"), trex("Bob", "Rome")],
        "Google_RE/place_of_birth_test.jsonl": [
            google("Cy", "Bonn"),
            google("Di", "Kiel", 2, 3),
            google("Ed", "Ulm", 3, 3),
        ],
        "Google_RE/date_of_birth_test.jsonl": [google("Cy", "1941")],
        "Google_RE/place_of_death_test.jsonl": [google("Cy", "Bern"), google("CY", "bern")],
        "ConceptNet/test.jsonl": [
            sentence("Hens can [MASK].", "run", pred="CapableOf", sub_label="hen", uuid="1"),
            sentence("Hens are [MASK].", "birds", pred="IsA", sub_label="hen", uuid="2"),
        ],
        "Squad/test.jsonl": [
            sentence("The sky is [MASK].", "blue", sub_label="Squad", id="q1_0"),
            sentence("The sea is [MASK].", "blue", sub_label="Squad", id="q2_0"),
        ],
    }


def text_of(lines: Sequence[Line]) -> str:
    return "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)


def write_folder(folder: Path, files: Mapping[str, Sequence[Line]]) -> Path:
    for name, lines in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(lines), encoding="utf-8")
    return folder


def write_zip(path: Path, files: Mapping[str, Sequence[Line]], prefix: str = "") -> Path:
    with ZipFile(path, "w") as archive:
        for name, lines in files.items():
            archive.writestr(prefix + name, text_of(lines))
            archive.writestr(f"__MACOSX/{prefix}{name.replace('/', '/._')}", "junk")
    return path
