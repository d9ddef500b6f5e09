"""Masked language modelling with many decoders at once."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from bertnesia.finetuning.mlm import IGNORED, MaskedLanguageModelling
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.decoder_bank import DecoderBank
from bertnesia.models.encoder import layer_states


class DecoderObjective:
    """Masked language modelling with every head of a bank at once; the encoder stays frozen.

    With `bootstrap`, head i weighs the hidden tokens of each step with exponential weights of its own, drawn from
    `bootstrap[i]`: heads that read the same layer in the same batches then differ as if each had met other batches
    (the Bayesian bootstrap: weights of mean 1 and variance 1 repeat the sampling noise of the text).
    """

    name = "decoders"

    def __init__(
        self,
        encoder: PreTrainedModel,
        text: MaskedLanguageModelling,
        schedule: Schedule,
        bootstrap: Sequence[int] | None = None,
    ) -> None:
        self.encoder = encoder
        self.text = text
        self.lengths = text.lengths
        self.schedule = schedule
        self.bootstrap = bootstrap

    def batch(self, indices: Sequence[int], random: np.random.Generator) -> dict[str, Tensor]:
        return self.text.batch(indices, random)

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        bank = cast(DecoderBank, model)
        bank.step += 1
        hidden, labels = masked_hidden(self.encoder, batch)
        losses = []
        for i, (head, layer) in enumerate(zip(bank.all_heads, bank.reads, strict=True)):
            losses.append(self._weighted(i, bank, head.weights().logits(hidden[layer - 1]), labels))
        return torch.stack(losses).sum()

    def _weighted(self, head: int, bank: DecoderBank, logits: Tensor, labels: Tensor) -> Tensor:
        if self.bootstrap is None:
            return nn.functional.cross_entropy(logits, labels)
        random = np.random.default_rng((self.schedule.seed, self.bootstrap[head], int(bank.step)))
        weights = torch.from_numpy(random.exponential(size=len(labels)).astype(np.float32)).to(logits.device)
        return (nn.functional.cross_entropy(logits, labels, reduction="none") * weights).mean()

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean `loss` and `accuracy`, and head by head `loss_1`, `accuracy_1`, ...; keeps the best weights."""
        bank = cast(DecoderBank, model)
        heads = [head.weights() for head in bank.all_heads]
        totals, right, count = np.zeros(len(heads)), np.zeros(len(heads)), 0
        for batch in self.text.validation_batches():
            hidden, labels = masked_hidden(self.encoder, {k: v.to(self.encoder.device) for k, v in batch.items()})
            for i, (head, layer) in enumerate(zip(heads, bank.reads, strict=True)):
                logits = head.logits(hidden[layer - 1])
                totals[i] += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
                right[i] += int((logits.argmax(-1) == labels).sum())
            count += len(labels)
        losses, accuracies = totals / count, right / count
        bank.keep_better(list(losses), list(accuracies), self.schedule.patience, self.schedule.min_delta)
        each = {f"loss_{i + 1}": float(loss) for i, loss in enumerate(losses)}
        each |= {f"accuracy_{i + 1}": float(accuracy) for i, accuracy in enumerate(accuracies)}
        return {"loss": float(losses.mean()), "accuracy": float(accuracies.mean()), **each}


def masked_hidden(encoder: PreTrainedModel, batch: dict[str, Tensor]) -> tuple[list[Tensor], Tensor]:
    """Hidden states (hidden tokens, width) of the tokens to score after each layer, and their labels."""
    scored = batch["labels"] != IGNORED
    states = layer_states(encoder, batch["input_ids"], batch["attention_mask"])
    return [state[scored] for state in states], batch["labels"][scored]
