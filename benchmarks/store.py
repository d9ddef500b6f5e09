"""What pages and reports ask of a large study, query by query: `python -m benchmarks.store [STUDY]`.

Without one, a study of 5 million ranks is made up; a number stands for that many thousands of facts. The budget: 100 ms
with 5 million ranks, 1.5 s with 100 million. Processor time is told beside the clock's: on a busy
machine half of it is what two idle cores would take.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.synthetic import Shape, make_study
from bertnesia import findings
from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import Study, open_study

REPEATS = 5

Ask = Callable[[], object]


def measure(study: Study, repeats: int = REPEATS) -> pd.DataFrame:
    """The least milliseconds of each query, warm: query, wall, processor."""
    rows = []
    for name, ask in asks(study):
        ask()
        times = [_timed(ask) for _ in range(repeats)]
        wall, processor = (min(column) for column in zip(*times, strict=True))
        rows.append((name, wall, processor))
    return pd.DataFrame(rows, columns=["query", "wall", "processor"])


def asks(study: Study) -> Iterator[tuple[str, Ask]]:
    """Every question with its name, of all models of the largest probe set."""
    asked = queries.asked(study)
    mine = asked[asked["kind"] == "trained"]
    probe_set = str(mine["probe_set"].iloc[0])
    models = tuple(mine.loc[mine["probe_set"] == probe_set, "model"])
    every, tuned = Question(probe_set, models), Question(probe_set, models[1:])
    pair = Comparison(probe_set, study.base, models[1])
    at_last = Comparison(probe_set, study.base, models[1], layer=int(study.models()["layers"].iloc[0]))
    unusual = Question(probe_set, models, k=5)
    middle = Question(probe_set, models, middle=True)
    yield from _of_layers(study, every)
    for what, question in (("P@5", unusual), ("middle ranks", middle)):
        yield f"layers, {what}", partial(queries.layer_measures, study, question, "macro")
        yield f"halves, {what}", partial(queries.half_measures, study, question)
        yield f"first known, {what}", partial(queries.first_known, study, question)
    yield from _of_pairs(study, tuned, pair, at_last)
    yield from _found(study, every, pair)


def _of_layers(study: Study, every: Question) -> Iterator[tuple[str, Ask]]:
    yield "layers, P@1", partial(queries.layer_measures, study, every, "macro")
    yield "relations by layer", partial(queries.relation_measures, study, every)
    yield "halves", partial(queries.half_measures, study, every)
    yield "majority prior", partial(queries.prior, study, every)
    yield "union over layers", partial(queries.relation_totals, study, every)
    yield "first known", partial(queries.first_known, study, every)
    yield "known from, 1,000 facts", partial(queries.known_from, study, every)
    yield "facts compared", partial(queries.compared, study, every)
    yield "clusters", partial(queries.clusters, study, every)
    yield "clusters of totals", partial(queries.total_clusters, study, every)
    yield "examples", partial(queries.examples, study)


def _of_pairs(study: Study, tuned: Question, pair: Comparison, at_last: Comparison) -> Iterator[tuple[str, Ask]]:
    yield "models against the base by layer", partial(queries.forgetting_by_layer, study, tuned)
    yield "models against the base", partial(queries.forgetting_by_model, study, tuned)
    yield "models against the base by relation", partial(queries.forgetting_by_relation, study, tuned)
    yield "forgetting, any layer", partial(queries.forgetting, study, pair)
    yield "forgetting, last layer", partial(queries.forgetting, study, at_last)
    yield "outcomes by layer", partial(queries.outcomes_by_layer, study, pair)
    yield "lost and buried", partial(queries.lost_and_buried, study, pair)
    yield "rank changes, last layer", partial(queries.rank_changes, study, at_last)
    yield "rank changes by layer", partial(queries.rank_changes_by_layer, study, pair)
    yield "signed ranks, last layer", partial(queries.signed_ranks, study, at_last)
    yield "forgotten facts", partial(queries.changed_facts, study, at_last, limit=1000)
    yield "steps of a run", partial(queries.steps, study, pair)


def _found(study: Study, every: Question, pair: Comparison) -> Iterator[tuple[str, Ask]]:
    yield "totals", partial(findings.totals, study, every)
    yield "best layers, two readings", partial(findings.best_layers, study, every)
    yield "layer intervals, bootstrap", partial(findings.layer_intervals, study, every)
    yield "above the prior", partial(findings.above_prior, study, every)
    yield "falls first", partial(findings.falls_first, study, pair)


def _timed(ask: Ask) -> tuple[float, float]:
    """Milliseconds on the clock and of the processor."""
    began, worked = time.perf_counter(), time.process_time()
    ask()
    return 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked)


def _table(study: Study) -> str:
    rows = [f"| {row.query} | {row.wall:.0f} | {row.processor:.0f} |" for row in measure(study).itertuples()]
    return "\n".join(["| query | clock, ms | processor, ms |", "|---|---|---|", *rows])


def _main(argument: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(argument) if argument.endswith(".duckdb") else Path(folder) / "big.duckdb"
        if not argument.endswith(".duckdb"):
            shape = Shape(1000 * int(argument))
            make_study(shape, path)
            sys.stdout.write(f"A study of {shape.ranks:,} ranks; the least of {REPEATS} runs of each query, warm.\n\n")
        sys.stdout.write(f"{_table(open_study(path))}\n")


if __name__ == "__main__":
    _main(sys.argv[1] if len(sys.argv) > 1 else "47")
