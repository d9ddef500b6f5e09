"""Predictions of all layers of several models for one prompt, with one matrix product for all that share an output."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bertnesia.errors import BertnesiaError
from bertnesia.live.limits import check_k
from bertnesia.live.results import ClozeResult, Distance, LayerPrediction, RankedWord, Request, UnrankedWord
from bertnesia.live.shelf import Loaded
from bertnesia.live.words import Encoded
from bertnesia.models.decoders import Decoders
from bertnesia.sentences import answers_for

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model, ready to answer one prompt: `features` (masks, layers, width) are what its output matrices get."""

    name: str
    loaded: Loaded
    decoders: Decoders
    prompt: Encoded
    features: Tensor


@torch.inference_mode()
def prepare(name: str, loaded: Loaded, request: Request) -> Prepared:
    """Run the encoder once and each layer's decoder up to its output matrix.

    Raises:
        BertnesiaError: if the model has no such decoders, the prompt is too long for it, or its vocabulary too small.
    """
    model = loaded.model
    decoders = model.of_kind(request.kind)
    check_k(request.k, name, len(model.tokenizer))
    prompt = loaded.reader.prompt(request.prompt, model.max_tokens)
    ids = torch.tensor([prompt.ids])
    states = model.states(ids, torch.ones_like(ids))
    hidden = torch.stack([states[layer - 1][0, list(prompt.masks)] for layer in decoders.layers], dim=1)
    return Prepared(name, loaded, decoders, prompt, decoders.features(hidden))


@torch.inference_mode()
def answer(prepared: Sequence[Prepared], request: Request) -> tuple[ClozeResult, ...]:
    """The predictions of every model for every mask, model by model.

    Raises:
        BertnesiaError: if a model's scores are not finite.
    """
    masks = len(prepared[0].prompt.masks)
    by_mask = [_answer_mask(prepared, request, mask) for mask in range(masks)]
    return tuple(by_mask[mask][place] for place in range(len(prepared)) for mask in range(masks))


def scores_of(prepared: Sequence[Prepared], mask: int) -> list[Tensor]:
    """Each model's scores (layers, vocab) for one mask: one matrix product for all layers with the same output."""
    places: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for i, one in enumerate(prepared):
        for layer, head in enumerate(one.decoders.heads):
            places[head.output.data_ptr()].append((i, layer))
    rows: dict[tuple[int, int], Tensor] = {}
    for group in places.values():
        heads = [prepared[i].decoders.heads[layer] for i, layer in group]
        products = torch.stack([prepared[i].features[mask, layer] for i, layer in group]) @ heads[0].output.T
        products += torch.stack([head.bias for head in heads])
        rows.update(zip(group, products, strict=True))
    return [torch.stack([rows[i, layer] for layer in range(one.features.shape[1])]) for i, one in enumerate(prepared)]


def ranks_of(scores: Scores, ids: Sequence[int]) -> list[int]:
    """Ranks of some entries by one layer's scores (vocab,): 1 + the number of entries that score strictly higher."""
    higher = np.count_nonzero(scores > scores[list(ids), None], axis=1)
    return [1 + int(count) for count in higher]


def distances(reference: Tensor, other: Tensor) -> list[Distance]:
    """Layer by layer, how far two models' log-probabilities (layers, vocab) are apart, over their common layers."""
    depth = min(len(reference), len(other))
    p, q = reference[:depth], other[:depth]
    share = p.exp()
    variation = (share - q.exp()).abs_().sum(-1) / 2
    divergence = (share * (p - q)).sum(-1).clamp(min=0)
    return [Distance(*pair) for pair in zip(variation.tolist(), divergence.tolist(), strict=True)]


class _Predictions:
    """One model's scores (layers, vocab) for one mask, and what can be read from them."""

    def __init__(self, one: Prepared, scores: Tensor, k: int) -> None:
        if not all(end.isfinite() for end in scores.aminmax()):
            raise BertnesiaError(f"{one.name} gives scores that are not finite: its weights are damaged or overflow.")
        self.one = one
        self.scores: Scores = scores.numpy(force=True)
        self.logs = scores.log_softmax(-1)
        self.top: list[list[int]] = scores.topk(k, dim=-1).indices.tolist()
        self._numbers = self.logs.numpy(force=True)

    def probabilities(self, layer: int, ids: Sequence[int]) -> list[float]:
        """Probabilities of some entries at a layer (counted from 0)."""
        found: list[float] = np.exp(self._numbers[layer, list(ids)]).tolist()
        return found

    def ranked(self, layer: int, words: Mapping[str, int]) -> dict[str, RankedWord]:
        """Rank and probability of some words, given their tokens, at a layer (counted from 0)."""
        ids = list(dict.fromkeys(words.values()))
        found = dict(
            zip(ids, zip(ranks_of(self.scores[layer], ids), self.probabilities(layer, ids), strict=True), strict=True)
        )
        written = self.one.loaded.written
        return {word: RankedWord(word, written(token), *found[token]) for word, token in words.items()}

    def layer(self, layer: int, shared: Sequence[int], words: Mapping[str, int]) -> LayerPrediction:
        """A layer (counted from 0), but for its distance; `shared` are the tokens that all models rank."""
        likeliest = self.top[layer]
        also = self.ranked(layer, {self.one.loaded.written(token): token for token in shared})
        return LayerPrediction(
            layer=layer + 1,
            tokens=tuple(self.one.loaded.written(token) for token in likeliest),
            probabilities=tuple(self.probabilities(layer, likeliest)),
            watched=tuple(self.ranked(layer, words).values()),
            ranks_before=tuple(ranks_of(self.scores[layer - 1], likeliest)) if layer else None,
            also=tuple(sorted(also.values(), key=lambda word: word.rank)),
        )


def _answer_mask(prepared: Sequence[Prepared], request: Request, mask: int) -> list[ClozeResult]:
    scores = scores_of(prepared, mask)
    predictions = [_Predictions(one, table, request.k) for one, table in zip(prepared, scores, strict=True)]
    reference = predictions[0]
    results = []
    for mine in predictions:
        alike = [other for other in predictions if other.one.loaded.vocabulary == mine.one.loaded.vocabulary]
        apart = distances(reference.logs, mine.logs) if reference in alike and mine is not reference else []
        watched, unranked = _tokens(mine.one, mask, request.watched)
        answer, no_answer = _tokens(mine.one, mask, answers_for(request.answers, mask))
        layers = []
        for layer in range(len(mine.top)):
            shared = {token for other in alike if layer < len(other.top) for token in other.top[layer]}
            layers.append(
                replace(
                    mine.layer(layer, sorted(shared), watched),
                    answer=next(iter(mine.ranked(layer, answer).values()), None),
                    distance=apart[layer] if layer < len(apart) else None,
                )
            )
        without_rank = tuple(dict.fromkeys((*no_answer, *unranked)))
        results.append(ClozeResult(mine.one.name, request.kind, mask + 1, tuple(layers), without_rank))
    return results


def _tokens(one: Prepared, mask: int, words: Sequence[str]) -> tuple[dict[str, int], list[UnrankedWord]]:
    """The token of each word, and the words that are not one token."""
    found: dict[str, int] = {}
    unranked = []
    for word, token in zip(words, one.loaded.reader.tokens(words, mask, one.prompt), strict=True):
        if isinstance(token, int):
            found[word] = token
        else:
            unranked.append(UnrankedWord(word, token))
    return found, unranked
