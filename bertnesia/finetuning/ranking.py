"""Ranking by a cross-encoder: question and passage are read together, and [CLS] says how well they fit."""

import hashlib
from collections.abc import Sequence
from statistics import fmean
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.corpora import spread
from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.batches import fill_batches, pad
from bertnesia.finetuning.inputs import Pair, collate, encode_pairs, forward, on_device
from bertnesia.finetuning.triples import Ranking

MOST_HELD_OUT = 150
_NOBODY = -1  # stands for a passage where a question has fewer than others of its batch
_CUT = 10


class PassageRanking:
    """The `ranking` objective: cross entropy of the right passage over it and a few wrong ones.

    The model gives every token one score, and that of the first token ([CLS]) is the pair's: a token classifier with
    a single label, so that nothing but one linear layer is new. Nogueira and Cho 2019, with a softmax over the passages
    of a question in place of one over two labels.
    """

    name = "ranking"

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        train: Sequence[Ranking],
        held_out: Sequence[Ranking],
        *,
        max_tokens: int,
        negatives: int = 1,
        candidates: int = 20,
        most_held_out: int = MOST_HELD_OUT,
        batch_tokens: int = 4096,
    ) -> None:
        train, held_out = ([one for one in side if one.others] for side in (train, held_out))
        if not train or not held_out:
            raise BertnesiaError("There is no question with a wrong passage to train on or none to hold out: add some.")
        self.padding = tokenizer.pad_token_id
        self.batch_tokens = batch_tokens
        self.train = _encode(tokenizer, train, negatives, max_tokens)
        self.lengths = [len(pairs) * max(len(pair.ids) for pair in pairs) for pairs in self.train]
        self.held_out = _encode(tokenizer, spread(held_out, most_held_out), candidates - 1, max_tokens)

    def batch(self, indices: Sequence[int], random: np.random.Generator) -> dict[str, Tensor]:  # noqa: ARG002
        chosen = [self.train[i] for i in indices]
        rows = iter(range(sum(map(len, chosen))))
        passages = pad([[next(rows) for _ in pairs] for pairs in chosen], _NOBODY)
        return {**collate([pair for pairs in chosen for pair in pairs], self.padding), "passages": passages}

    def loss(self, model: PreTrainedModel, batch: dict[str, Tensor]) -> Tensor:
        scores, passages = pair_scores(model, batch), batch["passages"]
        table = scores[passages.clamp(min=0)].masked_fill(passages == _NOBODY, -torch.inf)
        right = torch.zeros(len(table), dtype=torch.long, device=table.device)
        return nn.functional.cross_entropy(table, right)

    @torch.inference_mode()
    def evaluate(self, model: PreTrainedModel) -> dict[str, float]:
        """`loss` in nats per question, `mrr@10`, `first` (share ranked first) and the number of `questions`."""
        cast(nn.Module, model).eval()
        scores = self._held_out_scores(model)
        ranks = [rank_of_right(one.tolist()) for one in scores]
        return {
            "loss": -fmean(float(one.log_softmax(0)[0]) for one in scores),
            "mrr@10": fmean(reciprocal_rank(rank) for rank in ranks),
            "first": fmean(float(rank == 1) for rank in ranks),
            "questions": float(len(ranks)),
        }

    def _held_out_scores(self, model: PreTrainedModel) -> list[Tensor]:
        """The scores of each held-out question's passages, the right one first."""
        pairs = [pair for passages in self.held_out for pair in passages]
        lengths = [len(pair.ids) for pair in pairs]
        scores = torch.zeros(len(pairs))
        for indices in fill_batches(np.argsort(lengths, kind="stable"), lengths, self.batch_tokens):
            batch = on_device(model, collate([pairs[i] for i in indices], self.padding))
            scores[indices] = pair_scores(model, batch).float().cpu()
        return list(torch.split(scores, [len(passages) for passages in self.held_out]))


def _encode(
    tokenizer: PreTrainedTokenizerBase, rankings: Sequence[Ranking], others: int, max_tokens: int
) -> list[list[Pair]]:
    """The pairs of each question: with its right passage, then with at most `others` of the wrong ones.

    Which ones is decided by the texts of question and right passage.
    """
    passages = [[one.right, *_draw(one, others)] for one in rankings]
    questions = [one.question for one, texts in zip(rankings, passages, strict=True) for _ in texts]
    pairs = iter(encode_pairs(tokenizer, questions, [text for texts in passages for text in texts], max_tokens))
    return [[next(pairs) for _ in texts] for texts in passages]


def _draw(ranking: Ranking, most: int) -> list[str]:
    seed = int.from_bytes(hashlib.sha256(f"{ranking.question}\n{ranking.right}".encode()).digest()[:8])
    order = np.random.default_rng(seed).permutation(len(ranking.others))
    return [ranking.others[i] for i in order[:most]]


def pair_scores(model: PreTrainedModel, batch: dict[str, Tensor]) -> Tensor:
    """How well question and passage of each pair fit, (pairs,): the only label's score at the first token."""
    scores: Tensor = forward(model, batch).logits[:, 0, 0]
    return scores


def rank_of_right(scores: Sequence[float]) -> float:
    """The rank of the first of these scores, from 1; among equal scores the middle of their ranks."""
    higher = sum(score > scores[0] for score in scores)
    equal = sum(score == scores[0] for score in scores) - 1
    return 1 + higher + equal / 2


def reciprocal_rank(rank: float, cut: int = _CUT) -> float:
    """1 / rank, and 0 beyond the cut. The mean is MRR@10, MS MARCO's measure."""
    return 1 / rank if rank <= cut else 0.0
