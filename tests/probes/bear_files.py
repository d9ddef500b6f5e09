"""A small BEAR of made-up facts, as its own folder lays it out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

METADATA: dict[str, dict[str, Any]] = {
    "P36": {
        "templates": ["The capital of [X] is [Y].", "[Y] is the capital of [X].", "The capital of [X] is [Y]."],
        "answer_space_labels": ["Arlo", "New Bexi", "Cumo"],
        "answer_space_ids": ["Q1", "Q2", "Q3"],
    },
    "P30": {"templates": ["[X] lies in [Y]."], "answer_space_labels": ["Norland", "South Sea"]},
}


def fact(subject: str, index: int, label: str, **more: Any) -> dict[str, Any]:
    return {
        "sub_id": f"Q{subject}",
        "sub_label": subject,
        "sub_aliases": [],
        "obj_label": label,
        "answer_idx": index,
        **more,
    }


FACTS: dict[str, list[Any]] = {
    "P36": [fact("Westland", 0, "Arlo", obj_id="Q1"), fact("Eastland", 1, "New Bexi"), fact("Mid", 2, "Cumo")],
    "P30": [fact("Westland", 0, "Norland"), fact("Eastland", 1, "South Sea")],
}


def write_bear(
    folder: Path, metadata: Mapping[str, Any] = METADATA, facts: Mapping[str, Sequence[Any]] = FACTS
) -> Path:
    """Write `BEAR/` and the file on domains beside it into the folder, and give the folder."""
    (folder / "BEAR").mkdir(parents=True)
    (folder / "relation_info.json").write_text(json.dumps({"P36": {"domains": ["Geographic", "Political"]}}))
    (folder / "BEAR/metadata_relations.json").write_text(json.dumps(metadata))
    for relation, rows in facts.items():
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        (folder / f"BEAR/{relation}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder
