"""A small made-up study with everything that measures need: seeds, variants, controls, steps, shares, coverage.

Models have different facts, some runs the last layer only, one model lacks its last layer and one a layer in between.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from bertnesia.store.publish import publish
from tests.store.synthetic_study import arrow, study_table

LAYERS = 4
PROBE = "p"
RELATIONS = {"r": 14, "s": 9, "t": 5}
LADDER = np.array([1, 1, 1, 2, 5, 10, 11, 40, 100, 101, 900])
MODELS = (  # model, base, role, variant of, further columns
    ("mini", None, "model", None, {}),
    ("qa", "mini", "model", None, {}),
    ("mlm", "mini", "model", None, {}),
    ("cut", "mini", "model", None, {}),
    ("qa-again", "mini", "seed", "qa", {"seed": 1}),
    ("qa-10", "mini", "step", "qa", {"step": 10, "steps": 100}),
    ("qa-50", "mini", "step", "qa", {"step": 50, "steps": 100}),
    ("qa-part", "mini", "data", "qa", {"share": 0.1, "matched": "epochs"}),
    ("qa-less", "mini", "data", "qa", {"share": 0.1, "matched": "steps"}),
    ("qa-sham", "mini", "control", "qa", {}),
)
ALL = tuple(range(1, LAYERS + 1))
LAST = (LAYERS,)
RUNS = (  # models, kind, seed, variant, layers
    (("mini", "qa", "mlm", "qa-again", "qa-10", "qa-50", "qa-part", "qa-less"), "trained", 0, "plain", ALL),
    (("mini", "qa", "mlm"), "stock", 0, "plain", ALL),
    (("qa", "qa-10", "qa-50"), "base", 0, "plain", ALL),
    (("mini",), "control", 0, "plain", ALL),
    (("mini",), "trained", 1, "plain", ALL),
    (("mini", "qa"), "trained", 2, "plain", LAST),
    (("qa",), "trained", 1, "plain", LAST),
    (("mini", "qa"), "trained", 0, "subject_masked", ALL),
    (("mlm",), "trained", 0, "subject_masked", LAST),
    (("mini",), "trained", 0, "subject_swapped", LAST),
    (("mini", "qa"), "trained", 0, "paraphrase_1", ALL),
    (("cut",), "trained", 0, "plain", (1, 2, 3)),
    (("cut",), "stock", 0, "plain", (1, 3, 4)),
    (("qa-sham",), "trained", 0, "plain", ALL),
)


@dataclass(frozen=True)
class Rich:
    """The tables that measures are computed from, as pandas sees them."""

    facts: pd.DataFrame
    ranks: pd.DataFrame
    coverage: pd.DataFrame


def make_rich(seed: int = 0, relations: dict[str, int] | None = None) -> Rich:
    """Random facts and ranks with many equal ones; fine-tuned models know less, and were not asked the same facts."""
    random = np.random.default_rng(seed)
    facts = _facts(random, relations or RELATIONS)
    ranks = pd.concat(list(_runs(random, facts)), ignore_index=True)
    found = facts["fact"].to_numpy()
    coverage = pd.DataFrame({"corpus": "SQuAD", "fact": found, "mentions": random.integers(0, 3, len(found))})
    return Rich(facts, ranks, coverage[: len(coverage) * 3 // 4])


def _facts(random: np.random.Generator, relations: dict[str, int]) -> pd.DataFrame:
    rows = []
    for probe_set, counts in ((PROBE, relations), ("other", {"r": 6})):
        for relation, count in counts.items():
            for number in range(count):
                name = f"Object {random.integers(0, 4)}"
                number_of_fact = int(random.integers(0, 2**52))
                eligible = bool(random.random() < 0.85)
                subject = f"Subject {number // 2}"
                rows.append((number_of_fact, probe_set, relation, subject, name, "[MASK]", eligible, ""))
    columns = ["fact", "probe_set", "relation", "subject", "object", "prompt", "eligible", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _runs(random: np.random.Generator, facts: pd.DataFrame) -> Iterator[pd.DataFrame]:
    known = facts.loc[facts["eligible"], "fact"].to_numpy()
    all_facts = facts["fact"].to_numpy()
    own = {"mlm": random.permutation(all_facts)[: len(all_facts) * 3 // 4], "cut": known[1:]}
    ease = dict(zip(all_facts, random.random(len(all_facts)), strict=True))
    for models, kind, seed, variant, layers in RUNS:
        for model in models:
            asked = own.get(model, known)
            if variant == "paraphrase_1":
                asked = asked[: len(asked) - 2]
            for layer in layers:
                hard = np.array([ease[fact] for fact in asked]) + 0.4 * (model != "mini") + 0.3 * (1 - layer / LAYERS)
                place = hard / 1.7 * len(LADDER) + random.normal(0, 2, len(asked))
                rank = LADDER[np.clip(place, 0, len(LADDER) - 1).astype(int)]
                yield pd.DataFrame(
                    {
                        "model": model,
                        "kind": kind,
                        "seed": np.uint8(seed),
                        "variant": variant,
                        "layer": np.uint8(layer),
                        "fact": asked,
                        "rank": rank.astype(np.int32),
                        "filtered_rank": np.maximum(1, rank - random.integers(0, 2, len(asked))).astype(np.int32),
                        "ties": random.integers(0, 2, len(asked)).astype(np.int32),
                        "log_probability": np.float32(-1),
                    }
                )


def models_table(depths: Mapping[str, int] = {}) -> pa.Table:
    rows = [
        {
            "model": model, "label": model.upper(), "base": base, "objective": "qa", "training_data": "",
            "architecture": "bert", "layers": depths.get(model, LAYERS), "hidden_size": 8,
            "vocabulary_size": 1000, "parameters": 1, "encoder_hash": model, "vocabulary_hash": "v",
            "folder": "", "scores": "{}", "position": position,
            "role": role, "variant_of": of,
            "seed": 0, "step": None, "steps": None, "share": None, "matched": None, **further,
        }
        for position, (model, base, role, of, further) in enumerate(MODELS)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def publish_rich(database: Path, rich: Rich, depths: Mapping[str, int] = {}) -> None:
    relations = rich.facts[["probe_set", "relation"]].drop_duplicates()
    relations = relations.assign(
        label="the " + relations["relation"], description="", template="[X] [Y]", type="N-1", source=""
    )
    publish(
        database,
        {
            "study": study_table(),
            "models": models_table(depths),
            "relations": arrow(relations),
            "facts": arrow(rich.facts),
            "ranks": arrow(rich.ranks.sample(frac=1, random_state=0)),
            "coverage": arrow(rich.coverage.astype({"mentions": "int32"})),
        },
    )
