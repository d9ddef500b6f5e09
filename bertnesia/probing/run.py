"""Probing a model on probe sets: shards that are done are kept, the others are probed and written as parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertnesia.errors import BertnesiaError
from bertnesia.files import digest
from bertnesia.models.decoders import TRAINED_TENSORS, output_hash
from bertnesia.models.encoder import encoder_hash, state_hash, vocabulary_hash
from bertnesia.models.heads import HeadWeights
from bertnesia.models.layered import LayeredModel
from bertnesia.probes.eligibility import Ineligible, Prompt, make_prompts
from bertnesia.probes.facts import ProbeSet
from bertnesia.probing.engine import BATCH_TOKENS, TOP, Shard, make_shards, probe_shard
from bertnesia.progress import progress_bar
from bertnesia.store.parts import part_is_current, write_part

_CONFIG = ("model_type", "num_attention_heads", "hidden_act", "layer_norm_eps", "position_embedding_type")
"""What changes a model's ranks without changing its weights."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe set as one tokenizer can be asked it: prompts of the eligible facts, and the facts left out."""

    probe_set: ProbeSet
    prompts: tuple[Prompt, ...]
    ineligible: tuple[Ineligible, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The part files that hold a model's results."""

    ranks: tuple[Path, ...]
    predictions: tuple[Path, ...]


def ask(probe_sets: Sequence[ProbeSet], model: LayeredModel) -> list[Asked]:
    """The probe sets with the prompts that are eligible for the model's tokenizer and length."""
    asked = []
    for probe_set in probe_sets:
        prompts, ineligible = make_prompts(probe_set, model.tokenizer, model.max_tokens)
        asked.append(Asked(probe_set, tuple(prompts), tuple(ineligible)))
    return asked


def probe_to_parts(name: str, model: LayeredModel, asked: Sequence[Asked], folder: Path) -> Parts:
    """Probe a model with all its decoder kinds and write ranks and predictions as parts into `folder`.

    Shards whose parts are there, undamaged and made from the same weights and prompts are not probed again.

    Raises:
        BertnesiaError: if a prompt is longer than the model takes, or its scores are not finite.
    """
    longest = max((len(prompt.input_ids) for one in asked for prompt in one.prompts), default=0)
    if longest > model.max_tokens:
        raise BertnesiaError(f"{name} reads at most {model.max_tokens} tokens, but a prompt has {longest}.")
    kinds = list(model.decoders)
    weights = {
        "encoder": encoder_hash(model.encoder),
        "config": {name: getattr(model.encoder.config, name, None) for name in _CONFIG},
        "vocabulary": vocabulary_hash(model.tokenizer),
        "output": output_hash(model.stock),
        "decoders": {kind: [head_hash(head) for head in model.decoders[kind].heads] for kind in kinds},
    }
    ranks: list[Path] = []
    predictions: list[Path] = []
    work = [(one.probe_set.name, shard) for one in asked for shard in make_shards(one.prompts)]
    with progress_bar(f"Probing {name}", sum(shard.prompts for _, shard in work)) as advance:
        for probe_set, shard in work:
            identity = {"model": name, "weights": weights, **_shard_identity(shard)}
            stem = f"{name}.{probe_set}.{shard.number:04d}"
            pair = folder / f"ranks.{stem}.parquet", folder / f"predictions.{stem}.parquet"
            if not all(part_is_current(path, identity) for path in pair):
                for path, table in zip(pair, probe_shard(model, name, kinds, shard), strict=True):
                    write_part(path, table, identity)
            ranks.append(pair[0])
            predictions.append(pair[1])
            advance(shard.prompts)
    return Parts(tuple(ranks), tuple(predictions))


def head_hash(head: HeadWeights) -> str:
    """Hex digest of everything in a head but its output matrix."""
    return state_hash({name: getattr(head, name) for name in TRAINED_TENSORS})


def _shard_identity(shard: Shard) -> Mapping[str, Any]:
    prompts = [
        [(prompt.fact, prompt.input_ids, prompt.mask_position, prompt.answer, prompt.also_right) for prompt in batch]
        for batch in shard.batches
    ]
    return {"prompts": digest(prompts), "batch_tokens": BATCH_TOKENS, "top": TOP}
