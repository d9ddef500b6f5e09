"""Probing: one pass of the encoder for all layers, only the masked position decoded, exact ranks."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from bertnesia.finetuning.batches import fill_batches, pad
from bertnesia.models.decoders import Decoders
from bertnesia.models.layered import LayeredModel
from bertnesia.probes.eligibility import Prompt
from bertnesia.probing.ranks import filter_ranks, log_probabilities, rank_answers

TOP = 5
"""Predictions kept for every fact and layer."""

BATCH_TOKENS = 4096
SHARD_PROMPTS = 4096
NO_PREDICTIONS = pa.table(
    {
        "model": pa.array([], pa.string()),
        "kind": pa.array([], pa.string()),
        "layer": pa.array([], pa.uint8()),
        "fact": pa.array([], pa.int64()),
        "tokens": pa.array([], pa.list_(pa.string())),
        "probabilities": pa.array([], pa.list_(pa.float32())),
    }
)


class Masked(Protocol):
    """A sequence with a mask, at which it is decoded."""

    @property
    def input_ids(self) -> Sequence[int]: ...

    @property
    def mask_position(self) -> int: ...


class OfFact(Protocol):
    """Something that is asked about one fact."""

    @property
    def fact(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Shard:
    """Some batches of a probe set's prompts: what one task probes and one part file holds."""

    number: int
    batches: tuple[tuple[Prompt, ...], ...]

    @property
    def prompts(self) -> int:
        """How many prompts the shard holds."""
        return sum(len(batch) for batch in self.batches)

    @property
    def longest(self) -> int:
        """Tokens of its longest prompt."""
        return max(len(prompt.input_ids) for batch in self.batches for prompt in batch)


def make_shards(prompts: Sequence[Prompt], batch_tokens: int = BATCH_TOKENS) -> list[Shard]:
    """Cut prompts into batches of like length and those into shards, the same ones whatever runs them."""
    ordered = sorted(prompts, key=lambda prompt: (len(prompt.input_ids), prompt.fact))
    lengths = [len(prompt.input_ids) for prompt in ordered]
    batches = [tuple(ordered[i] for i in batch) for batch in fill_batches(range(len(ordered)), lengths, batch_tokens)]
    shards: list[list[tuple[Prompt, ...]]] = []
    for batch in batches:
        if not shards or sum(map(len, shards[-1])) + len(batch) > SHARD_PROMPTS:
            shards.append([])
        shards[-1].append(batch)
    return [Shard(number, tuple(group)) for number, group in enumerate(shards)]


def probe_shard(
    model: LayeredModel,
    name: str,
    decoders: Sequence[str],
    shard: Shard,
    variant: str = "plain",
    shown: Container[str] | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Ask the layers of a model every prompt of a shard.

    Args:
        model: the encoder with its decoders.
        name: what the rows call it.
        decoders: names of the model's decoders to ask, e.g. `trained`, `trained-seed-1`.
        shard: the prompts.
        variant: what the rows call this kind of prompt.
        shown: the decoders whose predictions are wanted; all where it is left out.

    Returns:
        ranks: a row for each decoder, layer and fact, with kind and seed of the decoder, prompt variant, rank,
            filtered_rank, ties and log_probability.
        predictions: a row for each decoder that is shown, layer and fact, with the top tokens and their probabilities.
    """
    ranks: list[pa.Table] = []
    predictions: list[pa.Table] = [NO_PREDICTIONS]
    for batch in shard.batches:
        different, rows = _different(batch)
        hidden = mask_states(model, different)
        for each in decoders:
            heads = model.of_kind(each)
            for layer, found in layer_scores(heads, hidden):
                scores = found[rows] if len(different) < len(batch) else found
                keys = row_keys(name, heads.kind, layer, batch)
                asking = row_asking(len(batch), heads.seed, variant)
                ranks.append(pa.table({**keys, **asking, **_rank_columns(scores, batch)}))
                if shown is None or each in shown:
                    predictions.append(pa.table({**keys, **_top_columns(scores, model)}))
    return pa.concat_tables(ranks), pa.concat_tables(predictions)


def _different(batch: Sequence[Prompt]) -> tuple[list[Prompt], list[int]]:
    """The prompts that differ in what a model reads, and for each prompt which of them it is.

    Facts of several answers are asked alike, and without their subjects all facts of a relation are.
    """
    numbers: dict[tuple[tuple[int, ...], int], int] = {}
    different: list[Prompt] = []
    rows: list[int] = []
    for prompt in batch:
        number = numbers.setdefault((prompt.input_ids, prompt.mask_position), len(different))
        if number == len(different):
            different.append(prompt)
        rows.append(number)
    return different, rows


@torch.inference_mode()
def mask_states(model: LayeredModel, prompts: Sequence[Masked]) -> Tensor:
    """Hidden states at the mask of each prompt after each layer: (prompts, layers, hidden)."""
    device = model.encoder.device
    ids = pad([prompt.input_ids for prompt in prompts], model.tokenizer.pad_token_id)
    lengths = torch.tensor([len(prompt.input_ids) for prompt in prompts])
    attention = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    states = model.states(ids, attention)
    rows = torch.arange(len(prompts), device=device)
    positions = torch.tensor([prompt.mask_position for prompt in prompts], device=device)
    return torch.stack([state[rows, positions] for state in states], dim=1)


@torch.inference_mode()
def layer_scores(decoders: Decoders, hidden: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Each layer that has a decoder with its scores (prompts, vocab), one layer in memory at a time."""
    for layer in decoders.layers:
        yield layer, decoders.logits(hidden[:, layer - 1], layer)


def row_keys(name: str, kind: str, layer: int, batch: Sequence[OfFact]) -> dict[str, pa.Array]:
    """The columns that rows of all kinds begin with."""
    n = len(batch)
    return {
        "model": pa.array([name] * n),
        "kind": pa.array([kind] * n),
        "layer": pa.array(np.full(n, layer, dtype=np.uint8)),
        "fact": pa.array(np.array([prompt.fact for prompt in batch], dtype=np.int64)),
    }


def row_asking(n: int, seed: int, variant: str) -> dict[str, pa.Array]:
    """The columns that say with which decoder's seed and which kind of prompt ranks were had."""
    return {"seed": pa.array(np.full(n, seed, dtype=np.uint8)), "variant": pa.array([variant] * n)}


def _rank_columns(scores: Tensor, batch: Sequence[Prompt]) -> dict[str, pa.Array]:
    answers = torch.tensor([prompt.answer for prompt in batch], device=scores.device)
    ranks, ties = rank_answers(scores, answers)
    filtered = filter_ranks(scores, answers, ranks, [prompt.also_right for prompt in batch])

    def column(values: Tensor, dtype: type) -> pa.Array:
        return pa.array(values.cpu().numpy().astype(dtype))

    return {
        "rank": column(ranks, np.int32),
        "filtered_rank": column(filtered, np.int32),
        "ties": column(ties, np.int32),
        "log_probability": column(log_probabilities(scores, answers), np.float32),
    }


def _top_columns(scores: Tensor, model: LayeredModel) -> dict[str, pa.Array]:
    k = min(TOP, scores.shape[1])
    values, ids = scores.topk(k, dim=1)
    probabilities = (values - scores.logsumexp(1, keepdim=True)).exp()
    tokens = model.tokenizer.convert_ids_to_tokens(ids.flatten().tolist())
    offsets = pa.array(np.arange(0, len(tokens) + 1, k, dtype=np.int32))
    return {
        "tokens": pa.ListArray.from_arrays(offsets, pa.array(tokens)),
        "probabilities": pa.ListArray.from_arrays(offsets, pa.array(probabilities.flatten().cpu().numpy())),
    }
