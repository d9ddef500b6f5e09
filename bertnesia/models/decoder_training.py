"""Training decoders by masked language modelling, all layers in one pass of the frozen encoder."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.corpora import Corpus, Passage, split_corpus, spread, token_chunks
from bertnesia.errors import BertnesiaError
from bertnesia.files import digest
from bertnesia.finetuning.mlm import MaskedLanguageModelling
from bertnesia.finetuning.trainer import Schedule, finish, train
from bertnesia.models.checkpoints import check_room, versions
from bertnesia.models.decoder_bank import DecoderBank, still_improving
from bertnesia.models.decoder_objective import DecoderObjective
from bertnesia.models.decoders import (
    DecoderConfig,
    Decoders,
    LayerRecord,
    decoder_name,
    output_hash,
    read_decoder_config,
    save_decoders,
)
from bertnesia.models.encoder import device, encoder_hash, state_hash, vocabulary_hash
from bertnesia.models.heads import random_head
from bertnesia.models.weights import HeadWeights
from bertnesia.probes.facts import Fact
from bertnesia.probes.mentions import naming_a_fact
from bertnesia.progress import working

TRAINED_KINDS = ("trained", "full", "random", "control")
"""Decoder kinds that are trained; the others are made of heads that are there."""


class DecoderTraining(BaseModel):
    """Settings of decoder training. The shares must be those of the base's own training, so that no text is in both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int = Field(64, ge=8, description="longest training sequence, special tokens included")
    masked: float = Field(0.15, gt=0, lt=1, description="share of tokens hidden in training")
    decoder_share: float = Field(0.12, gt=0, le=1, description="share of the text used for decoder training")
    validation_share: float = Field(0.03, gt=0, lt=1, description="share of the text used for validation")
    validation_sequences: int = Field(500, ge=1, description="most validation sequences to score")
    schedule: Schedule = Schedule(steps=500, learning_rate=1e-3, weight_decay=0, evaluations=10)


def decoder_text(corpus: Corpus, settings: DecoderTraining, facts: Sequence[Fact]) -> tuple[list[Passage], int]:
    """The decoder share of a corpus without passages that name a fact's subject and object, and their number."""
    share = split_corpus(corpus.passages, settings.decoder_share, settings.validation_share).decoder
    left_out = naming_a_fact([passage.text for passage in share], facts)
    return [passage for i, passage in enumerate(share) if i not in left_out], len(left_out)


def train_decoders(
    encoder: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    stock: HeadWeights,
    corpus: Corpus,
    facts: Sequence[Fact],
    out: Path,
    settings: DecoderTraining,
    kind: str = "trained",
    seed: int = 0,
    start: HeadWeights | None = None,
) -> DecoderConfig:
    """Train decoders for every layer of an encoder and save them to the folder `out`.

    The text is the `decoder` share of the corpus, without any passage that names both subject and object of one of
    `facts`; the weights kept are each layer's best by validation loss. The method is that of BERTnesia
    (arXiv 2106.02902), section 3.

    Args:
        encoder: the frozen encoder; for `control` a random one (see `random_encoder`).
        tokenizer: its tokenizer.
        stock: the base's pre-trained head, whose output matrix all kinds but `full` keep.
        corpus: the text; see `DecoderTraining` on how it is shared out.
        facts: what the text may not tell.
        out: a folder, by convention in `decoders/` and called what `decoder_name` says.
        settings: how to train.
        kind: `trained` and `control` start from `stock`, `full` from `start` or else `stock`, `random` from noise.
        seed: of batches, masks and noise; added to the schedule's own, so that 0 is what the settings say.
        start: for `full`, the checkpoint's own head, where it has one.

    Raises:
        BertnesiaError: if the kind is not a trained one, or the text is too short.
    """
    schedule = settings.schedule.model_copy(update={"seed": settings.schedule.seed + seed})
    first = starting_head(kind, stock, start, schedule.seed)
    layers = range(1, int(encoder.config.num_hidden_layers) + 1)
    identity = decoder_identity(encoder, tokenizer, stock, corpus, facts, settings, kind, seed, start)
    run = _train(
        DecoderBank([first] * len(layers), layers),
        encoder,
        tokenizer,
        (corpus, facts),
        settings.model_copy(update={"schedule": schedule}),
        out.with_name(f".{out.name}.training"),
        identity,
    )
    decoders = Decoders(kind, tuple(head.weights("best_") for head in run.bank.all_heads), seed)
    config = run.config(identity, list(enumerate(layers)), run.history)
    finish(run.work, lambda: save_decoders(out, decoders, config))
    return read_decoder_config(out)


def train_last_layer_seeds(
    encoder: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    stock: HeadWeights,
    corpus: Corpus,
    facts: Sequence[Fact],
    folder: Path,
    settings: DecoderTraining,
    seeds: Sequence[int],
) -> list[DecoderConfig]:
    """Train one `trained` decoder of the last layer for each of `seeds`, all in one pass of the encoder.

    They are saved as `trained-seed-<s>` in `folder`. All read the same batches, in which each seed weighs the tokens
    its own way (see `DecoderObjective`), so that they differ from each other as decoders trained on other batches do.

    Raises:
        BertnesiaError: if the seeds are not different numbers from 1 on, or the text is too short.
    """
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 1:
        raise BertnesiaError(
            "Seeds of last-layer decoders must be different numbers from 1 on: 0 is the decoder itself."
        )
    last = int(encoder.config.num_hidden_layers)
    identity = decoder_identity(encoder, tokenizer, stock, corpus, facts, settings)
    run = _train(
        DecoderBank([stock] * len(seeds), [last] * len(seeds)),
        encoder,
        tokenizer,
        (corpus, facts),
        settings,
        folder / f".seeds-{'-'.join(map(str, seeds))}.training",
        {**identity, "seeds": list(seeds)},
        bootstrap=seeds,
    )

    def save() -> None:
        for i, (head, seed) in enumerate(zip(run.bank.all_heads, seeds, strict=True)):
            decoders = Decoders("trained", (head.weights("best_"),), seed, (last,))
            history = [_of_head(entry, i + 1, last) for entry in run.history]
            config = run.config({**identity, "seed": seed}, [(i, last)], history)
            save_decoders(folder / decoders.name, decoders, config)

    finish(run.work, save)
    return [read_decoder_config(folder / decoder_name("trained", seed)) for seed in seeds]


def starting_head(kind: str, stock: HeadWeights, start: HeadWeights | None, seed: int) -> HeadWeights:
    """What training of a kind begins with.

    Raises:
        BertnesiaError: if the kind is not a trained one.
    """
    if kind in {"trained", "control"}:
        return stock
    if kind == "full":
        return replace(start or stock, own_output=True)
    if kind == "random":
        return random_head(stock, seed)
    raise BertnesiaError(f"Decoders of kind {kind!r} are not trained; those are: {', '.join(TRAINED_KINDS)}.")


@dataclass(frozen=True, slots=True)
class _Run:
    """A training that has ended: its heads, its scores by step, and what it took."""

    bank: DecoderBank
    history: list[dict[str, float]]
    work: Path
    passages_left_out: int
    seconds: int

    def config(
        self, identity: Mapping[str, Any], heads: Sequence[tuple[int, int]], history: list[dict[str, float]]
    ) -> DecoderConfig:
        """The config of the decoders that some heads have become: (number in the bank, layer) each."""
        return DecoderConfig(
            **identity,
            passages_left_out=self.passages_left_out,
            layers=[self._record(*head) for head in heads],
            history=history,
            seconds=self.seconds,
            versions=versions(),
        )

    def _record(self, number: int, layer: int) -> LayerRecord:
        head = self.bank.all_heads[number]
        return LayerRecord(
            layer=layer,
            step=int(head.best_step),
            loss=float(head.best_loss),
            accuracy=float(head.best_accuracy),
            hash="",
            still_improving=still_improving([entry[f"loss_{number + 1}"] for entry in self.history]),
        )


def _train(
    bank: DecoderBank,
    encoder: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    material: tuple[Corpus, Sequence[Fact]],
    settings: DecoderTraining,
    work: Path,
    identity: dict[str, Any],
    bootstrap: Sequence[int] | None = None,
) -> _Run:
    check_room(encoder, settings.max_tokens)
    began = time.monotonic()
    with working("Preparing the text"):
        passages, left_out = decoder_text(material[0], settings, material[1])
        text = _masked_text(material[0], passages, tokenizer, settings)
    encoder.to(device())  # type: ignore[arg-type]
    schedule = settings.schedule
    history = train(
        bank.to(device()),
        DecoderObjective(encoder, text, schedule, bootstrap),
        schedule,
        work,
        identity,
        max_grad_norm=0,
        stop=lambda _: bank.has_stopped(schedule.patience),
    )
    return _Run(bank, history, work, left_out, round(time.monotonic() - began))


def _of_head(entry: Mapping[str, float], number: int, layer: int) -> dict[str, float]:
    """One head's scores out of a bank's, under its layer's name."""
    loss, accuracy = entry[f"loss_{number}"], entry[f"accuracy_{number}"]
    scores = {f"loss_{layer}": loss, f"accuracy_{layer}": accuracy}
    return {"step": entry["step"], "loss": loss, "accuracy": accuracy, **scores}


def decoder_scores(
    encoder: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    decoders: Decoders,
    corpus: Corpus,
    settings: DecoderTraining,
) -> dict[int, tuple[float, float]]:
    """Loss (nats a masked token) and accuracy by layer, on the text that trained decoders are validated on."""
    held_out = _validation(corpus, tokenizer, settings)
    text = MaskedLanguageModelling(tokenizer, held_out, held_out)  # nothing is trained
    encoder.to(device())  # type: ignore[arg-type]
    bank = DecoderBank(decoders.heads, decoders.layers).to(device())
    found = DecoderObjective(encoder, text, settings.schedule).evaluate(bank)
    return {
        layer: (found[f"loss_{number}"], found[f"accuracy_{number}"])
        for number, layer in enumerate(decoders.layers, start=1)
    }


def _masked_text(
    corpus: Corpus, passages: Sequence[Passage], tokenizer: PreTrainedTokenizerBase, settings: DecoderTraining
) -> MaskedLanguageModelling:
    return MaskedLanguageModelling(
        tokenizer,
        train=list(token_chunks(passages, tokenizer, settings.max_tokens)),
        validation=_validation(corpus, tokenizer, settings),
        share=settings.masked,
    )


def _validation(corpus: Corpus, tokenizer: PreTrainedTokenizerBase, settings: DecoderTraining) -> list[list[int]]:
    held_out = split_corpus(corpus.passages, settings.decoder_share, settings.validation_share).validation
    return spread(list(token_chunks(held_out, tokenizer, settings.max_tokens)), settings.validation_sequences)


def decoder_identity(
    encoder: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    stock: HeadWeights,
    corpus: Corpus,
    facts: Sequence[Fact],
    settings: DecoderTraining,
    kind: str = "trained",
    seed: int = 0,
    start: HeadWeights | None = None,
) -> dict[str, Any]:
    """What decides the result of `train_decoders`, as JSON values."""
    return {
        "kind": kind,
        "seed": seed,
        "encoder_hash": encoder_hash(encoder),
        "vocabulary_hash": vocabulary_hash(tokenizer),
        "output_hash": output_hash(stock),
        "start": state_hash(replace(start, own_output=True).tensors) if start else None,
        "corpus": corpus.describe(),
        "facts_left_out": digest(sorted(fact.id for fact in facts)),
        "settings": settings.model_dump(),
    }
