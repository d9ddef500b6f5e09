"""Masked language modelling: a share of the tokens is hidden, and only those are decoded."""

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.batches import fill_batches, pad
from bertnesia.models.heads import mlm_head

IGNORED = -100  # the label of a token that is not scored
_MOST_HIDDEN = 0.5


class MaskingTask:
    """Hides tokens of a tokenised text. Devlin et al. 2019, section 3.1, task 1.

    `chances`, of shape (vocab,), is how likely each token is to be hidden; by default all are alike, at `share`.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        share: float,
        only_mask_token: bool = False,
        chances: np.ndarray | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.only_mask_token = only_mask_token
        self.chances = np.full(len(tokenizer), share) if chances is None else chances
        self._special = np.zeros(len(tokenizer), dtype=bool)
        self._special[tokenizer.all_special_ids] = True

    def __call__(self, chunks: Sequence[Sequence[int]], random: np.random.Generator) -> dict[str, Tensor]:
        """Inputs and labels of shape (batch, tokens).

        Of the hidden tokens 80 % become the mask token, 10 % a random one, 10 % stay; with `only_mask_token` all
        become the mask token. At least one token of every batch is hidden.
        """
        tokenizer = self.tokenizer
        ids = pad(chunks, tokenizer.pad_token_id).numpy()
        free = ~self._special[ids]
        hidden = free & (random.random(ids.shape) < self.chances[ids])
        if free.any() and not hidden.any():
            hidden[tuple(np.argwhere(free)[0])] = True
        labels = np.where(hidden, ids, IGNORED)
        fate = np.zeros(ids.shape) if self.only_mask_token else random.random(ids.shape)
        words = random.integers(0, len(tokenizer), ids.shape)
        shown = np.where(fate < 0.8, tokenizer.mask_token_id, np.where(fate < 0.9, words, ids))
        inputs = np.where(hidden, shown, ids)
        return {
            "input_ids": torch.from_numpy(inputs),
            "attention_mask": torch.from_numpy((ids != tokenizer.pad_token_id).astype(np.int64)),
            "labels": torch.from_numpy(labels),
        }


class MaskedLanguageModelling:
    """The `mlm` objective: held-out text is masked at 15 %, always by the mask token, the same in every evaluation."""

    name = "mlm"

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        train: Sequence[list[int]],
        validation: Sequence[list[int]],
        share: float = 0.15,
        batch_tokens: int = 4096,
        favour_rare: float = 0.0,
    ) -> None:
        if not train or not validation:
            raise BertnesiaError("The text is too short: training or validation got no sentence. Add text.")
        self.train = train
        self.lengths = [len(chunk) for chunk in train]
        self.validation = validation
        chances = hiding_chances(train, len(tokenizer), share, favour_rare)
        self.mask = MaskingTask(tokenizer, share, chances=chances)
        self.mask_validation = MaskingTask(tokenizer, 0.15, only_mask_token=True)
        self.batch_tokens = batch_tokens

    def batch(self, indices: Sequence[int], random: np.random.Generator) -> dict[str, Tensor]:
        return self.mask([self.train[i] for i in indices], random)

    def loss(self, model: PreTrainedModel, batch: dict[str, Tensor]) -> Tensor:
        logits, labels = masked_logits(model, batch)
        return nn.functional.cross_entropy(logits, labels)

    def validation_batches(self) -> Iterator[dict[str, Tensor]]:
        """The validation text in batches of like length, masked the same at every call."""
        lengths = [len(chunk) for chunk in self.validation]
        order = np.argsort(lengths, kind="stable")
        for number, indices in enumerate(fill_batches(order, lengths, self.batch_tokens)):
            yield self.mask_validation([self.validation[i] for i in indices], np.random.default_rng((0, number)))

    @torch.inference_mode()
    def evaluate(self, model: PreTrainedModel) -> dict[str, float]:
        """`loss` in nats per hidden token and `accuracy`, the share of hidden tokens ranked first."""
        cast(nn.Module, model).eval()
        total, right, count = 0.0, 0, 0
        for batch in self.validation_batches():
            logits, labels = masked_logits(model, {k: v.to(model.device) for k, v in batch.items()})
            total += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
            right += int((logits.argmax(-1) == labels).sum())
            count += len(labels)
        return {"loss": total / count, "accuracy": right / count, "tokens": float(count)}


def hiding_chances(text: Sequence[Sequence[int]], vocabulary: int, share: float, favour_rare: float) -> np.ndarray:
    """How likely each token is to be hidden, shape (vocab,): proportional to frequency ** -favour_rare.

    On average over the text a `share` of the tokens is hidden, or a little less where a token would need more than
    `_MOST_HIDDEN`.
    """
    counts = np.bincount(np.concatenate([np.asarray(chunk) for chunk in text]), minlength=vocabulary) + 1.0
    weights = counts**-favour_rare
    chances: np.ndarray = share * weights * counts.sum() / (weights * counts).sum()
    return chances.clip(max=max(share, _MOST_HIDDEN))


def masked_logits(model: PreTrainedModel, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Logits (hidden tokens, vocab) and labels (hidden tokens,): only the hidden positions are decoded."""
    hidden = model.base_model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    scored = batch["labels"] != IGNORED
    return mlm_head(model)(hidden[scored]), batch["labels"][scored]
