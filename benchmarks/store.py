"""What pages and reports ask of a large study, query by query: `python -m benchmarks.store [THOUSANDS OF FACTS]`."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.synthetic import Shape, make_study
from bertnesia import findings
from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import Study, open_study

REPEATS = 5


def measure(study: Study) -> str:
    """A Markdown table: median milliseconds of each query, warm."""
    asked = queries.asked(study)
    mine = asked[asked["kind"] == "trained"]
    probe_set = str(mine["probe_set"].iloc[0])
    models = tuple(mine.loc[mine["probe_set"] == probe_set, "model"])
    every = Question(probe_set, models)
    pair = Comparison(probe_set, study.base, models[1])
    asks: dict[str, Callable[[], Any]] = {
        "layers, P@1": lambda: queries.layer_measures(study, every),
        "layers, P@5 (from the ranks)": lambda: queries.layer_measures(study, Question(probe_set, models, k=5)),
        "relations by layer": lambda: queries.relation_measures(study, every),
        "majority prior": lambda: queries.prior(study, every),
        "union over layers": lambda: queries.relation_totals(study, every),
        "forgetting, any layer": lambda: queries.forgetting(study, pair),
        "forgetting by layer": lambda: queries.forgetting_by_layer(study, Question(probe_set, models[1:])),
        "lost and buried": lambda: queries.lost_and_buried(study, pair),
        "best layers, two readings": lambda: findings.best_layers(study, every),
    }
    lines = ["| query | median, ms |", "|---|---|"]
    for name, ask in asks.items():
        ask()
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            ask()
            times.append(time.perf_counter() - began)
        lines.append(f"| {name} | {1000 * statistics.median(times):.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        shape = Shape(1000 * int(sys.argv[1]) if len(sys.argv) > 1 else 47_000)
        make_study(shape, Path(folder) / "big.duckdb")
        sys.stdout.write(f"{shape.ranks:,} ranks\n\n{measure(open_study(Path(folder) / 'big.duckdb'))}\n")
