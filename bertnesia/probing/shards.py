"""Prompts of either kind, one mask or an answer space, as tasks: cut, identified and asked alike."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import pyarrow as pa

from bertnesia.files import digest
from bertnesia.models.layered import LayeredModel
from bertnesia.probes.eligibility import Prompt
from bertnesia.probing.choices import Choice, ChoiceShard, make_choice_shards
from bertnesia.probing.engine import BATCH_TOKENS, TOP, Shard, make_shards, probe_shard
from bertnesia.probing.likelihood import probe_choices

Prompts = tuple[Prompt, ...] | tuple[Choice, ...]
AnyShard = Shard | ChoiceShard


def cut_shards(prompts: Sequence[Prompt | Choice], scoring: str) -> list[AnyShard]:
    """Prompts, all of one kind, as the tasks that they are asked in."""
    choices = [one for one in prompts if isinstance(one, Choice)]
    others = [one for one in prompts if not isinstance(one, Choice)]
    return [*make_choice_shards(choices, scoring), *make_shards(others)]


def ask_shard(
    model: LayeredModel,
    name: str,
    decoders: Sequence[str],
    shard: AnyShard,
    variant: str = "plain",
    shown: Container[str] | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Ranks and predictions of a shard of either kind, as `probe_shard` returns them."""
    if isinstance(shard, ChoiceShard):
        return probe_choices(model, name, decoders, shard, variant, shown)
    return probe_shard(model, name, decoders, shard, variant, shown)


def shard_identity(shard: AnyShard) -> Mapping[str, Any]:
    """What is asked, as JSON values."""
    if isinstance(shard, ChoiceShard):
        choices = [(one.fact, one.candidates, one.answer, one.also_right, one.digest) for one in shard.choices]
        return {"choices": digest(choices), "scoring": shard.scoring, "batch_tokens": BATCH_TOKENS, "top": TOP}
    prompts = [
        [(prompt.fact, prompt.input_ids, prompt.mask_position, prompt.answer, prompt.also_right) for prompt in batch]
        for batch in shard.batches
    ]
    return {"prompts": digest(prompts), "batch_tokens": BATCH_TOKENS, "top": TOP}
