"""Batches as a fixed function of seed and step, so that a resumed run continues exactly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from bertnesia.finetuning.objectives import Objective

_POOL = 100  # batches whose sentences are sorted by length together


def plan_batches(
    lengths: Sequence[int], tokens: int, steps: int, seed: int, sequences: int | None = None
) -> list[list[int]]:
    """Which examples each step takes: `steps` lists of indices, of at most `tokens` padded tokens each.

    Every epoch visits every example once in a new order; sentences of like length share a batch. An example longer
    than `tokens` is a batch of its own. With `sequences`, batches are of so many examples instead, as they come.
    """
    random = np.random.default_rng(seed)
    plan: list[list[int]] = []
    while len(plan) < steps:
        plan.extend(_epoch(np.asarray(lengths), tokens, random, sequences))
    return plan[:steps]


def count_steps(lengths: Sequence[int], tokens: int, epochs: float, seed: int, sequences: int | None = None) -> int:
    """How many steps `epochs` passes over the examples take, by the first epoch of the plan; one at least."""
    return max(1, round(epochs * len(_epoch(np.asarray(lengths), tokens, np.random.default_rng(seed), sequences))))


def _epoch(
    sizes: np.ndarray, tokens: int, random: np.random.Generator, sequences: int | None = None
) -> list[list[int]]:
    order = random.permutation(len(sizes))
    if sequences:
        return [order[start : start + sequences].tolist() for start in range(0, len(order), sequences)]
    pool = max(1, int(_POOL * tokens / max(1.0, sizes.mean())))
    batches: list[list[int]] = []
    for start in range(0, len(order), pool):
        chunk = order[start : start + pool]
        batches.extend(fill_batches(chunk[np.argsort(sizes[chunk], kind="stable")], sizes, tokens))
    return [batches[i] for i in random.permutation(len(batches))]


def fill_batches(
    order: Sequence[int] | np.ndarray, lengths: Sequence[int] | np.ndarray, tokens: int
) -> list[list[int]]:
    """Cut a sequence of examples into batches whose padded size stays within `tokens` (one example at least)."""
    batches: list[list[int]] = []
    longest = 0
    for index in order:
        longest = max(longest, int(lengths[index]))
        if not batches or (len(batches[-1]) + 1) * longest > tokens:
            batches.append([])
            longest = int(lengths[index])
        batches[-1].append(int(index))
    return batches


def pad(sequences: Sequence[Sequence[int]], value: int) -> Tensor:
    """Sequences of ids as one (batch, longest) tensor, filled up with `value`."""
    tensors = [torch.tensor(sequence) for sequence in sequences]
    return nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=value)


class StepBatches(Dataset[dict[str, Tensor]]):
    """A dataset whose item is the whole batch of one step."""

    def __init__(
        self, objective: Objective[Any], tokens: int, steps: int, seed: int, sequences: int | None = None
    ) -> None:
        self.objective = objective
        self.seed = seed
        self.plan = plan_batches(objective.lengths, tokens, steps, seed, sequences)

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        return self.objective.batch(self.plan[step], np.random.default_rng((self.seed, step)))
