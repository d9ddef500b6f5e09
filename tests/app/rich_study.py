"""The made-up study with everything that a full run adds: steps, parts of the data, other seeds, coverage, curves."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from bertnesia.store.publish import publish
from tests.store.synthetic_study import LAYERS, VOCABULARY, Synthetic, arrow, decoders_table, models_table, study_table

STEPS = {50: 0.25, 100: 0.5, 150: 0.75}
"""Steps at which the run of `qa-squad` was probed, and how far it was from the base by then; 200 in all."""

EARLY = {100: 0.5, 400: 0.2}
"""Steps of its pre-training at which `mini` was kept, of 1,000, and how far it was from itself then."""

SEEDS = {"qa-squad-again": 0.9, "qa-squad-once-more": 0.8}
"""Fine-tuning runs with other seeds, and how far they were from the base in the end."""

CONTROL = "qa-squad-sham"
"""A control of fine-tuning itself, half as far from the base as `qa-squad`."""

SHARES = ((0.1, "epochs", 0.2), (0.5, "epochs", 0.6), (0.1, "steps", 0.7))
CORPUS = "trex_sentences.txt"


def between(synthetic: Synthetic, name: str, far: float, salt: int) -> pd.DataFrame:
    """Ranks of a variant: of each fact the base's or the fine-tuned model's, the latter for about a share of `far`."""
    ranks = synthetic.ranks[synthetic.ranks["kind"] == "trained"]
    chance = np.random.default_rng(salt).random(len(synthetic.facts))
    moved = dict(zip(synthetic.facts["fact"], chance < far, strict=True))
    source = ranks["fact"].map(moved).map({True: "qa-squad", False: "mini"})
    return ranks[ranks["model"] == source].assign(model=name)


def variants() -> dict[str, dict[str, object]]:
    """Models of the roles step, data, seed and control, by name."""
    steps = {
        f"qa-squad-{step}": {"role": "step", "step": step, "steps": 200, "share": None, "matched": None}
        for step in STEPS
    }
    shares = {
        f"qa-squad-{matched}-{share}": {"role": "data", "step": None, "steps": None, "share": share, "matched": matched}
        for share, matched, _ in SHARES
    }
    seeds = {
        name: {"role": "seed", "seed": seed, "step": None, "steps": None, "share": None, "matched": None}
        for seed, name in enumerate(SEEDS, start=1)
    }
    early = {
        f"mini-{step}": {
            "role": "step",
            "variant_of": "mini",
            "step": step,
            "steps": 1000,
            "share": None,
            "matched": None,
        }
        for step in EARLY
    }
    control = {"role": "control", "step": None, "steps": None, "share": None, "matched": None}
    return {**steps, **shares, **seeds, CONTROL: control, **early}


def all_ranks(synthetic: Synthetic) -> pd.DataFrame:
    """Ranks of the models, their variants, and the base's last layer with a second decoder seed."""
    second = synthetic.ranks.query(f"kind == 'trained' and layer == {LAYERS} and model == 'mini'")
    moved = np.random.default_rng(7).random(len(second)) < 0.1
    second = second.assign(seed=np.uint8(1), rank=np.where(moved, second["rank"] + 5, second["rank"]).astype(np.int32))
    masked = synthetic.ranks.query("kind == 'trained'")
    masked = masked.assign(variant="subject_masked", rank=np.minimum(masked["rank"] + 1, VOCABULARY).astype(np.int32))
    swapped = masked.assign(variant="subject_swapped", rank=np.minimum(masked["rank"] + 1, VOCABULARY).astype(np.int32))
    fars = [*STEPS.values(), *(far for *_, far in SHARES), *SEEDS.values(), 0.5, *EARLY.values()]
    parts = [between(synthetic, name, far, salt) for salt, (name, far) in enumerate(zip(variants(), fars, strict=True))]
    return pd.concat([synthetic.ranks, second, masked, swapped, *parts], ignore_index=True)


def coverage(synthetic: Synthetic) -> pd.DataFrame:
    """Every third fact is mentioned twice, the others never."""
    mentions = np.where(np.arange(len(synthetic.facts)) % 3 == 0, 2, 0).astype(np.int32)
    return pd.DataFrame({"corpus": CORPUS, "fact": synthetic.facts["fact"], "mentions": mentions})


def publish_rich(database: Path, synthetic: Synthetic) -> None:
    """Publish all of it."""
    models = models_table().to_pylist()
    extra = [
        {
            **models[1],
            "model": name,
            "label": name,
            "variant_of": "qa-squad",
            "position": 2 + place,
            "seed": 0,
            **columns,
        }
        for place, (name, columns) in enumerate(variants().items())
    ]
    none = dict.fromkeys(("variant_of", "step", "steps", "share", "matched"))
    plain = [{**model, "role": "model", "seed": 0, **none} for model in models]
    curve = [("qa-squad", "model", None, None, step, "loss", 5 - step / 100) for step in (50, 100, 150, 200)]
    training = pd.DataFrame(curve, columns=["model", "run", "layer", "kind", "step", "score", "value"])
    quoted = {
        "figure": "forgetting_rate", "model": "QA-SQUAD-1", "probe_set": "", "value": 0.53, "low": None, "high": None,
        "right_facts": None, "facts": None, "note": "share forgotten", "source": "Wallat et al. 2020",
    }  # fmt: skip
    publish(
        database,
        {
            "study": study_table(title="A rich study"),
            "models": pa.Table.from_pylist([*plain, *extra]),
            "decoders": decoders_table(),
            "relations": arrow(synthetic.relations),
            "facts": arrow(synthetic.facts),
            "ranks": arrow(all_ranks(synthetic)),
            "predictions": arrow(synthetic.predictions),
            "coverage": arrow(coverage(synthetic)),
            "training": arrow(training.astype({"layer": "Int64"})),
            "published": pa.Table.from_pylist([quoted]),
        },
    )
