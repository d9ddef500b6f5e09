"""Trainable heads, many at once, and beside each its best weights so far."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from bertnesia.models.weights import HeadWeights

IMPROVING = 0.005
"""A loss that fell by more than this share over the last two evaluations was still improving."""


class TrainableHead(nn.Module):
    """One head in training. The best weights and their scores are buffers: a checkpoint carries them."""

    best_loss: Tensor
    best_accuracy: Tensor
    best_step: Tensor
    reference: Tensor
    waited: Tensor
    output: Tensor

    def __init__(self, start: HeadWeights) -> None:
        super().__init__()
        self.start = start
        for name, tensor in start.tensors.items():
            self.register_parameter(name, nn.Parameter(tensor.clone()))
            self.register_buffer(f"best_{name}", tensor.clone())
        for name, value in (("best_loss", torch.inf), ("best_accuracy", 0.0), ("reference", torch.inf)):
            self.register_buffer(name, torch.tensor(value))
        for name in ("best_step", "waited"):
            self.register_buffer(name, torch.tensor(0))
        if not start.own_output:
            self.register_buffer("output", start.output, persistent=False)

    def weights(self, prefix: str = "") -> HeadWeights:
        """The head as it is now, or with `prefix="best_"` as it was at its best."""
        weights: dict[str, Any] = {name: getattr(self, prefix + name) for name in self.start.tensors}
        return replace(self.start, **{"output": self.output, **weights})

    @torch.no_grad()
    def judge(self, loss: float, accuracy: float, step: Tensor, patience: int | None, min_delta: float) -> None:
        """Take an evaluation into account: keep the weights if they are the best, count the wait for better ones.

        A head that has waited for `patience` evaluations has stopped: whatever comes later is not kept. What a head was
        before its first step is never its best: that is the head that it started from, whatever the seed.
        """
        if self.has_stopped(patience):
            return
        if loss < self.best_loss or int(self.best_step) == 0:
            self.best_loss.fill_(loss)
            self.best_accuracy.fill_(accuracy)
            self.best_step.copy_(step)
            for name in self.start.tensors:
                getattr(self, f"best_{name}").copy_(getattr(self, name))
        if loss < self.reference - min_delta:
            self.reference.fill_(loss)
            self.waited.zero_()
        else:
            self.waited += 1

    def has_stopped(self, patience: int | None) -> bool:
        """Whether so many evaluations in a row brought no improvement; without `patience` never."""
        return patience is not None and int(self.waited) >= patience


class DecoderBank(nn.Module):
    """Heads that are trained together, each on the hidden states of the layer that it reads.

    Every head's parameters see only their own loss, so training them together gives what training them one by one
    would.
    """

    step: Tensor

    def __init__(self, starts: Sequence[HeadWeights], reads: Sequence[int]) -> None:
        """Make a trainable head of each of `starts`; `reads[i]` is the layer (1..L) that head i decodes."""
        super().__init__()
        self.heads = nn.ModuleList(TrainableHead(start) for start in starts)
        self.reads = tuple(reads)
        self.register_buffer("step", torch.tensor(0))

    @property
    def all_heads(self) -> list[TrainableHead]:
        """The heads in order."""
        return [cast(TrainableHead, head) for head in self.heads]

    def keep_better(
        self,
        losses: Sequence[float],
        accuracies: Sequence[float],
        patience: int | None = None,
        min_delta: float = 0.0,
    ) -> None:
        """Remember the weights of every head whose validation loss is its lowest so far."""
        for head, loss, accuracy in zip(self.all_heads, losses, accuracies, strict=True):
            head.judge(loss, accuracy, self.step, patience, min_delta)

    def has_stopped(self, patience: int | None) -> bool:
        """Whether no head is worth going on for."""
        return all(head.has_stopped(patience) for head in self.all_heads)


def still_improving(losses: Sequence[float]) -> bool:
    """Whether a loss, evaluation by evaluation, was lowest at the end and had just fallen by more than `IMPROVING`.

    Compared are the last evaluation and the one two before it.
    """
    if len(losses) < 2 or losses[-1] > min(losses):
        return False
    before = losses[max(0, len(losses) - 3)]
    return (before - losses[-1]) / before > IMPROVING
