"""Server time of every page on a large study: `python -m benchmarks.pages [STUDY]`.

Warm is a run after the same view was shown before: what a user waits for when a control is touched and touched back.
Fresh is the first run of a view in a warm process: every query is answered anew.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from benchmarks.synthetic import Shape, make_study

APP = Path(__file__).resolve().parents[1] / "app.py"
PAGES = ("overview", "layers", "forgetting", "relations", "facts", "models")
BUDGET = 0.3
"""Seconds of server time of a warm page."""


def times(page: str, runs: int = 5) -> tuple[float, float]:
    """Seconds of the first run of a page, and the median of later ones."""
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.run()
    app.switch_page(f"pages/{page}.py")
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        app.run()
        taken.append(time.perf_counter() - start)
        if app.exception:
            raise SystemExit(f"{page}: {app.exception[0].message}")
    return taken[0], statistics.median(taken[1:])


def main() -> None:
    """Print a table in Markdown; fail where a warm page is over the budget."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "big.duckdb"
        if len(sys.argv) == 1:
            shape = Shape(47_000)
            print(f"A study of {shape.ranks:,} ranks.\n")  # noqa: T201
            make_study(shape, study)
        os.environ["BERTNESIA_DB"] = str(study)
        times("layers", 1)  # imports
        measured = {page: times(page) for page in PAGES}
    print("| server time of a page | first view, ms | again, ms | at most, again |\n|---|---:|---:|---:|")  # noqa: T201
    for page, (fresh, warm) in measured.items():
        print(f"| {page} | {1000 * fresh:.0f} | {1000 * warm:.0f} | {1000 * BUDGET:.0f} |")  # noqa: T201
    slow = [page for page, (_, warm) in measured.items() if warm > BUDGET]
    if slow:
        raise SystemExit(f"over {1000 * BUDGET:.0f} ms: {', '.join(slow)}")


if __name__ == "__main__":
    main()
