"""Training all decoders of an encoder together, against one layer after another with a full forward each."""

import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle

import numpy as np
import torch

from benchmarks.sizes import Size, layered_model
from bertnesia.finetuning.mlm import MaskedLanguageModelling
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.decoder_bank import DecoderBank
from bertnesia.models.decoder_objective import DecoderObjective
from bertnesia.models.layered import LayeredModel

TOKENS = 32
"""Tokens of a training sequence."""
LEAST = 4.0
"""How many times faster all layers together are to be."""


def measure(size: Size = Size(), sequences: int = 16, repeats: int = 3) -> str:  # noqa: B008 - immutable
    """A Markdown table of seconds per step, the fastest of `repeats`, and how many times faster the bank is."""
    model = layered_model(size)
    text = _text(model, sequences)
    reads = range(1, size.layers + 1)
    together = _stepper(model, text, reads)
    alone = [_stepper(model, text, [layer]) for layer in reads]
    joint, one_by_one = np.inf, np.inf
    for _ in range(repeats):
        joint = min(joint, _seconds(together))
        one_by_one = min(one_by_one, sum(map(_seconds, alone)))
    tokens = sequences * TOKENS
    return "\n".join(
        (
            f"| {size.layers} layers, {size.width} wide, {tokens} tokens a step | seconds a step | ratio | at least |",
            "|---|---:|---:|---:|",
            f"| one layer after another | {one_by_one:.3g} | | |",
            f"| all layers in one pass | {joint:.3g} | {one_by_one / joint:.1f} times | {LEAST:.0f} times |",
        )
    )


def _text(model: LayeredModel, sequences: int) -> MaskedLanguageModelling:
    random = np.random.default_rng(0)
    chunks = [[2, *random.integers(5, len(model.tokenizer), TOKENS - 2).tolist(), 3] for _ in range(2 * sequences)]
    return MaskedLanguageModelling(model.tokenizer, chunks, chunks[:1])


def _stepper(model: LayeredModel, text: MaskedLanguageModelling, reads: Sequence[int]) -> Callable[[], None]:
    """One optimizer step of the decoders of these layers, on one half of the text and the other by turns."""
    random = np.random.default_rng(0)
    halves = np.array_split(np.arange(len(text.lengths)), 2)
    supply = cycle([text.batch(half.tolist(), random) for half in halves])
    objective = DecoderObjective(model.encoder, text, Schedule())
    bank = DecoderBank([model.stock] * len(reads), reads)
    optimizer = torch.optim.AdamW(bank.parameters(), lr=1e-3, weight_decay=0)

    def step() -> None:
        optimizer.zero_grad()
        objective.loss(bank, next(supply)).backward()
        optimizer.step()

    return step


def _seconds(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(measure() + "\n")
