"""A small made-up study with everything in it that pages show: two models, six layers, two kinds, three probe sets."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from bertnesia.store.parts import write_part
from bertnesia.store.publish import SCHEMA_VERSION, publish

LAYERS = 6
VOCABULARY = 1000
MODELS = ("mini", "qa-squad")
KINDS = ("stock", "trained")
RELATIONS = (  # probe set, relation, label, template, type, facts
    ("google_re", "place_of_birth", "place of birth", "[X] was born in [Y] .", "N-1", 30),
    ("google_re", "date_of_birth", "date of birth", "[X] (born [Y]).", "N-1", 20),
    ("trex", "P19", "place of birth", "[X] was born in [Y] .", "N-1", 40),
    ("trex", "P36", "capital", "The capital of [X] is [Y] .", "1-1", 25),
    ("trex", "P37", "official language <b>of</b> & more", "The official language of [X] is [Y] .", "N-M", 35),
    ("trex", "P101", "field of work", "[X] works in the field of [Y] .", "N-M", 9),
    ("squad", "squad", "SQuAD", None, "", 40),
)
OBJECTS = ("Paris", "Rome", "Oslo", "Vienna", "Lima", "Cairo", "Bern", "Quito")


@dataclass(frozen=True)
class Synthetic:
    """The tables of a study as pandas sees them, for independent computation."""

    relations: pd.DataFrame
    facts: pd.DataFrame
    ranks: pd.DataFrame
    predictions: pd.DataFrame


def make_study(seed: int = 0) -> Synthetic:
    """Random facts and ranks; later layers know more, `qa-squad` knows less than `mini` at the last layers."""
    random = np.random.default_rng(seed)
    relations = pd.DataFrame(
        [
            (probe_set, relation, label, "", template, kind, "made up")
            for probe_set, relation, label, template, kind, _ in RELATIONS
        ],
        columns=["probe_set", "relation", "label", "description", "template", "type", "source"],
    )
    facts = _facts(random)
    ranks = _ranks(random, facts)
    return Synthetic(relations, facts, ranks, _predictions(random, ranks))


def _facts(random: np.random.Generator) -> pd.DataFrame:
    rows = []
    for probe_set, relation, _, template, _, count in RELATIONS:
        for number in range(count):
            subject = f"Subject {number // 2 if relation == 'P37' else number} of {relation}"
            name = OBJECTS[number % 2] if relation == "P37" else str(random.choice(OBJECTS))
            prompt = (template or "[X] lies near [Y].").replace("[X]", subject).replace("[Y]", "[MASK]")
            eligible = number % 10 != 9
            reason = "" if eligible else "the object is not one token"
            rows.append((len(rows) + 10**14, probe_set, relation, subject, name, prompt, eligible, reason))
    columns = ["fact", "probe_set", "relation", "subject", "object", "prompt", "eligible", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _ranks(random: np.random.Generator, facts: pd.DataFrame) -> pd.DataFrame:
    asked = facts.loc[facts.eligible, "fact"].to_numpy()
    difficulty = random.normal(0, 1.5, len(asked))
    frames = []
    for model in MODELS:
        drift = random.normal(0.4 if model == "qa-squad" else 0, 0.5, len(asked))
        for kind in KINDS:
            for layer in range(1, LAYERS + 1):
                level = difficulty + drift * layer / LAYERS - layer * (0.7 if kind == "trained" else 0.5) + 4.0
                rank = np.clip(np.exp(level + random.normal(0, 0.5, len(asked))), 1, VOCABULARY).astype(np.int32)
                frames.append(
                    pd.DataFrame(
                        {
                            "model": model,
                            "kind": kind,
                            "seed": np.uint8(0),
                            "variant": "plain",
                            "layer": np.uint8(layer),
                            "fact": asked,
                            "rank": rank,
                            "filtered_rank": np.maximum(1, rank - random.integers(0, 2, len(asked))).astype(np.int32),
                            "ties": np.int32(0),
                            "log_probability": (-np.log(rank) - 0.7).astype(np.float32),
                        }
                    )
                )
    return pd.concat(frames, ignore_index=True)


def _predictions(random: np.random.Generator, ranks: pd.DataFrame) -> pd.DataFrame:
    rows = ranks[["model", "kind", "layer", "fact"]].copy()
    tokens = [[str(token) for token in random.permutation(OBJECTS)[:5]] for _ in range(50)]
    rows["tokens"] = [tokens[number % 50] for number in range(len(rows))]
    rows["probabilities"] = [[0.40004, 0.2, 0.1, 0.05, 0.01]] * len(rows)
    return rows


def models_table() -> pa.Table:
    rows = [
        {
            "model": model,
            "label": model.upper() if model == "mini" else "QA-SQUAD",
            "base": None if position == 0 else "mini",
            "objective": ("mlm", "qa")[position],
            "training_data": ("text", "SQuAD")[position],
            "architecture": "bert",
            "layers": LAYERS,
            "hidden_size": 32,
            "vocabulary_size": VOCABULARY,
            "parameters": 123_456,
            "encoder_hash": f"e{position}",
            "vocabulary_hash": "v",
            "folder": f"models/{model}",
            "scores": json.dumps({"accuracy": 0.45}),
            "position": position,
        }
        for position, model in enumerate(MODELS)
    ]
    return pa.Table.from_pylist(rows)


def study_table(schema_version: int = SCHEMA_VERSION, title: str = "A made-up study") -> pa.Table:
    row = {
        "name": "synthetic",
        "title": title,
        "description": "Made up for tests.",
        "base": "mini",
        "schema_version": schema_version,
        "bertnesia_version": "0.1.0",
        "created": datetime(2026, 1, 2, 3, 4, 5),
        "settings": "{}",
    }
    return pa.Table.from_pylist([row])


def decoders_table() -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"model": model, "layer": layer, "kind": kind, "corpus": "text", "steps": 100, "loss": 4.0 - layer / 3,
             "accuracy": 0.1 + layer / 20, "hash": f"{model}-{layer}-{kind}"}
            for model in MODELS
            for kind in KINDS
            for layer in range(1, LAYERS + 1)
        ]
    )  # fmt: skip


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def publish_synthetic(database: Path, study: Synthetic, title: str = "A made-up study") -> None:
    """Publish as a run does: ranks and predictions as parts, one per model, everything else as tables."""
    parts: dict[str, list[Path]] = {"ranks": [], "predictions": []}
    for name, frame in (("ranks", study.ranks), ("predictions", study.predictions)):
        for model, rows in frame.groupby("model"):
            path = database.parent / "parts" / f"{name}-{model}.parquet"
            write_part(path, arrow(rows.sample(frac=1, random_state=0)), {"model": model})
            parts[name].append(path)
    tables = {
        "study": study_table(title=title),
        "models": models_table(),
        "decoders": decoders_table(),
        "relations": arrow(study.relations),
        "facts": arrow(study.facts),
    }
    publish(database, {**tables, **parts})
