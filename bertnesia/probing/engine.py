"""Probing: one pass of the encoder for all layers, only the masked position decoded, exact ranks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Shard:
    """Some batches of a probe set's prompts: what one task probes and one part file holds."""

    number: int
    batches: tuple[tuple[Prompt, ...], ...]

    @property
    def prompts(self) -> int:
        """How many prompts the shard holds."""
        return sum(len(batch) for batch in self.batches)


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


def probe_shard(model: LayeredModel, name: str, kinds: Sequence[str], shard: Shard) -> tuple[pa.Table, pa.Table]:
    """Ask every layer of a model every prompt of a shard.

    Returns:
        ranks: a row for each kind, layer and fact, with decoder seed, prompt variant, rank, filtered_rank, ties and
            log_probability.
        predictions: a row for each kind, layer and fact, with the top tokens and their probabilities.
    """
    ranks: list[pa.Table] = []
    predictions: list[pa.Table] = []
    for batch in shard.batches:
        hidden = mask_states(model, batch)
        for kind in kinds:
            for layer, scores in layer_scores(model.of_kind(kind), hidden):
                keys = _keys(name, kind, layer, batch)
                ranks.append(pa.table({**keys, **_asking(len(batch)), **_rank_columns(scores, batch)}))
                predictions.append(pa.table({**keys, **_top_columns(scores, model)}))
    return pa.concat_tables(ranks), pa.concat_tables(predictions)


@torch.inference_mode()
def mask_states(model: LayeredModel, prompts: Sequence[Prompt]) -> Tensor:
    """Hidden states at the mask of each prompt after each layer: (prompts, layers, hidden)."""
    device = model.encoder.device
    ids = pad([prompt.input_ids for prompt in prompts], model.tokenizer.pad_token_id)
    lengths = torch.tensor([len(prompt.input_ids) for prompt in prompts])
    attention = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    states = model.encoder(
        input_ids=ids.to(device), attention_mask=attention.to(device), output_hidden_states=True
    ).hidden_states
    rows = torch.arange(len(prompts), device=device)
    positions = torch.tensor([prompt.mask_position for prompt in prompts], device=device)
    return torch.stack([state[rows, positions] for state in states[1:]], dim=1)


@torch.inference_mode()
def layer_scores(decoders: Decoders, hidden: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Each layer with its scores (prompts, vocab), one layer in memory at a time."""
    for layer in range(1, hidden.shape[1] + 1):
        yield layer, decoders.logits(hidden[:, layer - 1], layer)


def _keys(name: str, kind: str, layer: int, batch: Sequence[Prompt]) -> dict[str, pa.Array]:
    n = len(batch)
    return {
        "model": pa.array([name] * n),
        "kind": pa.array([kind] * n),
        "layer": pa.array(np.full(n, layer, dtype=np.uint8)),
        "fact": pa.array(np.array([prompt.fact for prompt in batch], dtype=np.int64)),
    }


def _asking(n: int, seed: int = 0, variant: str = "plain") -> dict[str, pa.Array]:
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
