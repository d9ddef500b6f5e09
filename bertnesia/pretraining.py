"""A base model of one's own: masked-language-model training from any BERT encoder, or from nothing."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)
from torch import nn
from transformers import BertConfig, BertForMaskedLM, PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.corpora import Corpus, Passage, Split, split_corpus, spread, token_chunks
from bertnesia.finetuning.mlm import MaskedLanguageModelling
from bertnesia.finetuning.snapshots import as_saved, keep_snapshots
from bertnesia.finetuning.trainer import Schedule, finish, train, without_unused
from bertnesia.models.checkpoints import check_room, refuse_existing, save_model, versions
from bertnesia.models.encoder import encoder_hash, load_masked_lm, load_tokenizer, set_dropout, state_hash
from bertnesia.models.heads import head_norm, output_bias
from bertnesia.models.vocabulary import count_tokens, learn_wordpiece, log_frequencies, prune_wordpiece
from bertnesia.progress import working
from bertnesia.shortening import shortened

_LONG_SCHEDULE = Schedule(steps=500, learning_rate=3e-4, warmup=0.1, evaluations=2)


class LongStage(BaseModel):
    """A second stage of training, on long windows of text beside what the first stage read, as much of each.

    BERT was trained so: nine tenths of the steps on short sequences, the last on long ones, for the positions that
    those have (Devlin et al. 2019, appendix A.2).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int = Field(256, ge=16, description="length of the windows, special tokens included")
    schedule: Schedule = _LONG_SCHEDULE

    @field_validator("schedule", mode="before")
    @classmethod
    def _fill_up(cls, value: Any) -> Any:
        return _LONG_SCHEDULE.fill_up(value)


class Pretraining(BaseModel):
    """Settings of a masked-language-model training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocabulary_size: int = Field(12_000, ge=0, description="entries to keep, 0 keeps all")
    max_tokens: int = Field(64, ge=8, description="longest training sequence, special tokens included")
    masked: float = Field(0.2, gt=0, lt=1, description="share of tokens hidden in training")
    favour_rare: float = Field(0.0, ge=0, le=1, description="rare tokens are hidden more: frequency to minus this")
    short: float = Field(0.0, ge=0, le=1, description="share of the passages read in a shortened form, too")
    head_rate: float = Field(1.0, gt=0, description="learning rate of embeddings and head, in the body's")
    dropout: float = Field(0.0, ge=0, lt=1, description="while training; the saved model keeps its configured rates")
    decoder_share: float = Field(0.12, ge=0, lt=1, description="share of the text kept for decoder training")
    validation_share: float = Field(0.03, gt=0, lt=1, description="share of the text kept for validation")
    validation_sequences: int = Field(1500, ge=1, description="most validation sequences to score")
    hidden_size: int = Field(256, ge=32, multiple_of=32, description="width, used only when starting from nothing")
    layers: int = Field(6, ge=1, description="depth, used only when starting from nothing")
    schedule: Schedule = Schedule()
    long: LongStage | None = Field(None, description="a second stage, on longer text")

    @model_serializer(mode="wrap")
    def _without_unused_stage(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_unused(dump(self), Pretraining, "long")


def pretrain(
    corpus: Corpus,
    out: Path,
    settings: Pretraining,
    start: str | None = None,
    keep: Mapping[float, Path] | None = None,
) -> dict[str, Any]:
    """Train a masked language model and save it to `out` in Hugging Face's format, weights in fp16.

    `keep` names a folder for the model as it is at a share of the first stage's steps, for as many as are wanted.

    `start` is a folder or hub name of an encoder with a WordPiece vocabulary; None starts from nothing. Training text
    is the `base` share of the corpus alone (see `split_corpus`). Returns the provenance, which is also saved beside the
    weights: sources with hashes, settings, held-out scores by step, time.

    Raises:
        BertnesiaError: if the checkpoint or the text cannot be used, or `out` is in the way.
    """
    refuse_existing(out)
    began = time.monotonic()
    split = split_corpus(corpus.passages, settings.decoder_share, settings.validation_share)
    torch.manual_seed(settings.schedule.seed)
    with working("Preparing text and vocabulary"):
        model, tokenizer = _starting_point(split.base, settings, start)
        check_room(model, max(settings.max_tokens, settings.long.max_tokens if settings.long else 0))
        objective = _objective(split, tokenizer, settings)
    identity = {"objective": "mlm", **pretraining_identity(corpus, settings, start)}
    work = out.with_name(f".{out.name}.training")
    kept = keep_snapshots(keep or {}, settings.schedule.steps, tokenizer, identity)
    set_dropout(model, settings.dropout)  # off by default: little text that is read once or twice is not overfitted
    rates = _rates(model, settings.head_rate)
    history = train(model, objective, settings.schedule, work, identity, rates=rates, visits=kept)
    if settings.long:
        model = as_saved(model)
        history += train_long(model, tokenizer, split, settings, work / "long", identity)
    provenance = {
        **identity,
        "training_tokens": sum(objective.lengths),
        "vocabulary_size": len(tokenizer),
        "history": history,
        "seconds": round(time.monotonic() - began),
        "versions": versions(),
    }
    finish(work, lambda: save_model(model, tokenizer, out, provenance))
    return provenance


def train_long(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    split: Split,
    settings: Pretraining,
    work: Path,
    identity: dict[str, Any],
) -> list[dict[str, float]]:
    """The second stage, of a model as it would be saved after the first; returns its scores, steps counted on."""
    assert settings.long, "asked for"  # noqa: S101
    windows = list(token_chunks(split.base, tokenizer, settings.long.max_tokens, joined=True))
    objective = _objective(split, tokenizer, settings, windows)
    rates = _rates(model, settings.head_rate)
    history = train(model, objective, settings.long.schedule, work, identity, rates=rates)
    return [{**scores, "step": scores["step"] + settings.schedule.steps} for scores in history if scores["step"]]


def pretraining_identity(corpus: Corpus, settings: Pretraining, start: str | None) -> dict[str, Any]:
    """What decides the result of `pretrain`, as JSON values.

    A hub name or package to start from is told by its name; a folder by its own name and the hash of its weights, so
    that it may lie anywhere.
    """
    identity = {"started_from": start, "settings": settings.model_dump(), "sources": corpus.describe()}
    if start is not None and Path(start).exists():
        identity |= {"started_from": Path(start).name, "started_from_weights": _weights_hash(start)}
    return identity


def _weights_hash(folder: str) -> str:
    model, has_head = load_masked_lm(folder, allow_new_head=True)
    return state_hash(model.state_dict()) if has_head else encoder_hash(model)


def _objective(
    split: Split, tokenizer: PreTrainedTokenizerBase, settings: Pretraining, more: Sequence[list[int]] = ()
) -> MaskedLanguageModelling:
    text = [*split.base, *shortened(split.base, settings.short)]
    held_out = list(token_chunks(split.validation, tokenizer, settings.max_tokens))
    return MaskedLanguageModelling(
        tokenizer,
        train=[*token_chunks(text, tokenizer, settings.max_tokens), *more],
        validation=spread(held_out, settings.validation_sequences),
        share=settings.masked,
        favour_rare=settings.favour_rare,
    )


def _rates(model: PreTrainedModel, head_rate: float) -> dict[str, float]:
    """The multiple of the learning rate for each parameter of embeddings and head, by name."""
    layers = {id(p) for name, p in model.base_model.named_parameters() if "embeddings" not in name}
    return {name: head_rate for name, p in model.named_parameters() if id(p) not in layers}


def _starting_point(
    text: Sequence[Passage], settings: Pretraining, start: str | None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    if start is None:
        return _from_nothing(text, settings)
    model, has_head = load_masked_lm(start, allow_new_head=True)
    tokenizer: PreTrainedTokenizerBase = load_tokenizer(start)
    if settings.vocabulary_size:
        counts = count_tokens(text, tokenizer)
        tokenizer, kept = prune_wordpiece(tokenizer, counts, settings.vocabulary_size)
        _keep_rows(model, kept)
        model.config.pad_token_id = tokenizer.pad_token_id
    if not has_head:
        _start_head(model, text, tokenizer)
    return model, tokenizer


def _from_nothing(text: Sequence[Passage], settings: Pretraining) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    tokenizer = learn_wordpiece(text, settings.vocabulary_size or 12_000, max_length=512)
    width = settings.hidden_size
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=settings.layers,
        num_attention_heads=width // 32,
        intermediate_size=4 * width,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = BertForMaskedLM(config)
    _start_head(model, text, tokenizer)
    return model, tokenizer


def _keep_rows(model: PreTrainedModel, kept: list[int]) -> None:
    """Drop the embeddings and output biases of all other vocabulary entries."""
    embeddings, bias = _word_vectors(model).data[kept], output_bias(model).data[kept]
    model.resize_token_embeddings(len(kept), mean_resizing=False)
    _word_vectors(model).data.copy_(embeddings)
    output_bias(model).data.copy_(bias)


def _word_vectors(model: PreTrainedModel) -> nn.Parameter:
    return cast(nn.Parameter, model.get_input_embeddings().weight)


def _start_head(model: PreTrainedModel, text: Sequence[Passage], tokenizer: PreTrainedTokenizerBase) -> None:
    """Start a new head from the words' frequencies, with small features."""
    frequencies = log_frequencies(count_tokens(text, tokenizer), tokenizer)
    output_bias(model).data.copy_(torch.from_numpy(frequencies))
    head_norm(model).data.fill_(0.3)
