"""Time of a live prompt, all layers of two models that are loaded: `python -m benchmarks.cloze [RUNS]`."""

import copy
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from benchmarks.sizes import Size, layered_model
from bertnesia.live import Request, live_models
from bertnesia.live.predict import answer, prepare
from bertnesia.live.shelf import Loaded
from bertnesia.shipped import shipped_folder
from bertnesia.store.study import open_study

SUBJECTS = ("Paris", "Rome", "Brasilia", "Berlin", "Madrid", "Oslo", "London", "Tokyo", "Vienna", "Lima")
BUDGETS = {"mini": 0.06, "random": 0.5}
"""Seconds."""

Ask = Callable[[str], object]


def ask_mini() -> Ask:
    """The shipped base and a fine-tuned sibling with `trained` decoders, as the page asks them."""
    study = open_study(shipped_folder() / "precomputed" / "mini.duckdb")
    live = live_models(study)
    pair = (study.base, next(name for name in live.names if name != study.base))
    return lambda prompt: live.ask(Request(prompt, pair, watched=("france", "italy")))


def ask_random() -> Ask:
    """Two siblings of BERT-base's size with random weights, whose decoders share the base's output matrix."""
    base = layered_model(Size())
    pair = [Loaded.of(model) for model in (base, replace(base, encoder=copy.deepcopy(base.encoder)))]

    def ask(prompt: str) -> object:
        request = Request(prompt, ("first", "second"), watched=("word1", "word2"))
        return answer([prepare(name, one, request) for name, one in zip(request.models, pair, strict=True)], request)

    return ask


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that each of some prompts took: by the clock, and of processor time, all threads together."""

    clock: Sequence[float]
    processor: Sequence[float]


def times(ask: Ask, runs: int) -> Times:
    """Ask some different prompts, after two that are not counted."""
    prompts = [f"{SUBJECTS[run % len(SUBJECTS)]} is the {run} th capital city of [MASK] ." for run in range(runs + 2)]
    clock, processor = [], []
    for prompt in prompts:
        start = time.perf_counter(), time.process_time()
        ask(prompt)
        clock.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    return Times(clock[2:], processor[2:])


def main() -> None:
    """Print a table in Markdown; fail where the processor time, which a busy machine changes least, breaks a budget."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", max(1, (os.cpu_count() or 2) // 2))))
    asked = {
        "mini": ("mini and a sibling, 6 layers each", ask_mini),
        "random": ("two of 12 layers, 768 wide, random weights", ask_random),
    }
    slow = []
    print("| Models | Processor, median | Clock, fastest | Clock, median | Budget |\n|---|---:|---:|---:|---:|")  # noqa: T201
    for name, (label, make) in asked.items():
        taken = times(make(), runs)
        processor = statistics.median(taken.processor)
        figures = (processor, min(taken.clock), statistics.median(taken.clock), BUDGETS[name])
        print(f"| {label} | {' | '.join(f'{1000 * value:.0f} ms' for value in figures)} |", flush=True)  # noqa: T201
        if processor > BUDGETS[name]:
            slow.append(name)
    if slow:
        raise SystemExit(f"over the budget: {', '.join(slow)}")


if __name__ == "__main__":
    main()
