"""Probing a model on probe sets: shards that are done are kept, the others are probed and written as parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from bertnesia.errors import BertnesiaError
from bertnesia.models.decoders import output_hash
from bertnesia.models.encoder import device, encoder_hash, state_hash, vocabulary_hash
from bertnesia.models.layered import LayeredModel
from bertnesia.models.weights import HeadWeights
from bertnesia.probes.eligibility import Ineligible, make_prompts
from bertnesia.probes.facts import VOCABULARY, ProbeSet
from bertnesia.probing.choices import make_choices
from bertnesia.probing.shards import AnyShard, Prompts, ask_shard, cut_shards, shard_identity
from bertnesia.probing.variants import (
    PLAIN,
    SUBJECT_MASKED,
    expand_variants,
    make_variant,
    paraphrase_number,
    paraphrased,
)
from bertnesia.progress import progress_bar
from bertnesia.store.parts import part_is_current, write_part

_CONFIG = ("model_type", "num_attention_heads", "hidden_act", "layer_norm_eps", "position_embedding_type")
"""What changes a model's ranks without changing its weights."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe set as one tokenizer can be asked it.

    `prompts` are the plain ones of the eligible facts (choices, where a probe set has answer spaces), `ineligible` the
    facts left out, `variants` the other prompts by the name of their variant.
    """

    probe_set: ProbeSet
    prompts: Prompts
    ineligible: tuple[Ineligible, ...]
    variants: Mapping[str, Prompts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """The part files that hold results."""

    ranks: tuple[Path, ...]
    predictions: tuple[Path, ...]

    def __add__(self, other: "Parts") -> "Parts":
        """Both."""
        return Parts(self.ranks + other.ranks, self.predictions + other.predictions)


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of a model over all prompts.

    `decoders` are asked the plain prompts, those of `masked` the prompts without their subject, too, those of `varied`
    the other variants; predictions are kept of the plain prompts for those of `shown`. `label` tells the parts of
    several passes of one model apart.
    """

    name: str
    model: LayeredModel
    decoders: tuple[str, ...]
    masked: tuple[str, ...] = ()
    varied: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    label: str = ""

    @property
    def stem(self) -> str:
        """How the pass's part files begin; no model's name holds a plus."""
        return f"{self.name}+{self.label}" if self.label else self.name

    def of(self, variant: str) -> tuple[str, ...]:
        """The decoders to ask prompts of a variant."""
        return {PLAIN: self.decoders, SUBJECT_MASKED: self.masked}.get(variant, self.varied)


def ask(
    probe_sets: Sequence[ProbeSet], model: LayeredModel, variants: Sequence[str] = (), sample: float = 1.0
) -> list[Asked]:
    """The probe sets with the prompts that are eligible for the model's tokenizer and length, and their variants.

    Of the variants, probe sets with answer spaces have the paraphrases alone. Variants other than the masked subject
    are those of a `sample` of the facts.
    """
    asked = [_ask(probe_set, model, expand_variants(variants, probe_set)) for probe_set in probe_sets]
    return [replace(one, variants=_sampled(one.variants, sample)) for one in asked]


def drawn(prompts: Prompts, share: float) -> Prompts:
    """The prompts of a share of the facts, drawn by the facts' digests: everywhere the same ones."""
    kept = tuple(prompt for prompt in prompts if prompt.fact // 2 % 10_000 < share * 10_000)  # bit 0 tells the half
    return cast(Prompts, kept)


def sampled(asked: Sequence[Asked], share: float) -> list[Asked]:
    """The same with the plain prompts of a share of the facts alone."""
    return [replace(one, prompts=drawn(one.prompts, share), variants={}) for one in asked]


def _sampled(variants: Mapping[str, Prompts], share: float) -> dict[str, Prompts]:
    return {name: prompts if name == SUBJECT_MASKED else drawn(prompts, share) for name, prompts in variants.items()}


def _ask(probe_set: ProbeSet, model: LayeredModel, variants: Sequence[str]) -> Asked:
    reader = model.tokenizer, model.max_tokens
    others: dict[str, Prompts] = {}
    if probe_set.scoring == VOCABULARY:
        prompts, ineligible = make_prompts(probe_set, *reader)
        for variant in variants:
            others[variant] = tuple(make_variant(variant, probe_set, prompts, *reader))
        asked: Prompts = tuple(prompts)
    else:
        choices, ineligible = make_choices(probe_set, *reader)
        for variant in variants:
            if number := paraphrase_number(variant):
                others[variant] = tuple(make_choices(paraphrased(number, probe_set), *reader)[0])
        asked = tuple(choices)
    return Asked(probe_set, asked, tuple(ineligible), {name: other for name, other in others.items() if other})


def probe_to_parts(name: str, model: LayeredModel, asked: Sequence[Asked], folder: Path) -> Parts:
    """Ask a model everything with all its decoders, and write ranks and predictions as parts into `folder`.

    Shards whose parts are there, undamaged and made from the same weights and prompts are not probed again.

    Raises:
        BertnesiaError: if a prompt is longer than the model takes, or its scores are not finite.
    """
    every = tuple(model.decoders)
    return run_pass(Pass(name, model, every, masked=every, varied=every, shown=every), asked, folder)


def run_pass(work: Pass, asked: Sequence[Asked], folder: Path) -> Parts:
    """Perform a pass, on the accelerator if there is one, and write ranks and predictions as parts into `folder`.

    Shards whose parts are there, undamaged and made from the same weights and prompts are not probed again.

    Raises:
        BertnesiaError: if a prompt is longer than the model takes, or its scores are not finite.
    """
    shards = shards_of(work, asked)
    limit = work.model.max_tokens
    longest = max((shard.longest for *_, shard in shards), default=0)
    if longest > limit:
        raise BertnesiaError(f"{work.name} reads at most {limit} tokens, but a prompt has {longest}.")
    weights, model = _weights(work.model), work.model.to(device())
    parts = Parts((), ())
    with progress_bar(f"Probing {work.stem}", sum(shard.prompts for *_, shard in shards)) as advance:
        for probe_set, variant, shard in shards:
            shown = work.shown if variant == PLAIN else ()
            identity = {
                "model": work.name,
                "weights": {**weights, "decoders": {name: _hashes(work.model, name) for name in work.of(variant)}},
                "shown": list(shown),
                "variant": variant,
                **shard_identity(shard),
            }
            stem = f"{work.stem}.{probe_set}.{variant}.{shard.number:04d}.parquet"
            paths = [folder / f"{table}.{stem}" for table in ("ranks", *(["predictions"] if shown else []))]
            if not all(part_is_current(path, identity) for path in paths):
                tables = ask_shard(model, work.name, work.of(variant), shard, variant, shown)
                for path, table in zip(paths, tables, strict=False):
                    write_part(path, table, identity)
            parts += Parts(tuple(paths[:1]), tuple(paths[1:]))
            advance(shard.prompts)
    return parts


def shards_of(work: Pass, asked: Sequence[Asked]) -> list[tuple[str, str, AnyShard]]:
    """What a pass asks: probe set, variant and shard."""
    return [
        (one.probe_set.name, variant, shard)
        for one in asked
        for variant, prompts in {PLAIN: one.prompts, **one.variants}.items()
        if work.of(variant)
        for shard in cut_shards(prompts, one.probe_set.scoring)
    ]


def head_hash(head: HeadWeights) -> str:
    """Hex digest of everything in a head but a shared output matrix."""
    return state_hash(head.tensors)


def _weights(model: LayeredModel) -> dict[str, Any]:
    return {
        "encoder": encoder_hash(model.encoder),
        "config": {name: getattr(model.encoder.config, name, None) for name in _CONFIG},
        "vocabulary": vocabulary_hash(model.tokenizer),
        "output": output_hash(model.stock),
    }


def _hashes(model: LayeredModel, name: str) -> list[str]:
    return [head_hash(head) for head in model.of_kind(name).heads]
