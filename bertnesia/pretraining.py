"""A base model of one's own: masked-language-model training from any BERT encoder, or from nothing."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn
from transformers import BertConfig, BertForMaskedLM, PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.corpora import Corpus, Passage, split_corpus, spread, token_chunks
from bertnesia.finetuning.mlm import MaskedLanguageModelling
from bertnesia.finetuning.trainer import Schedule, finish, train
from bertnesia.models.checkpoints import check_room, refuse_existing, save_model, versions
from bertnesia.models.encoder import load_masked_lm, load_tokenizer
from bertnesia.models.heads import head_norm, output_bias
from bertnesia.models.vocabulary import count_tokens, learn_wordpiece, log_frequencies, prune_wordpiece
from bertnesia.progress import working


class Pretraining(BaseModel):
    """Settings of a masked-language-model training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocabulary_size: int = Field(12_000, ge=0, description="entries to keep, 0 keeps all")
    max_tokens: int = Field(64, ge=8, description="longest training sequence, special tokens included")
    masked: float = Field(0.2, gt=0, lt=1, description="share of tokens hidden in training")
    decoder_share: float = Field(0.12, ge=0, lt=1, description="share of the text kept for decoder training")
    validation_share: float = Field(0.03, gt=0, lt=1, description="share of the text kept for validation")
    validation_sequences: int = Field(1500, ge=1, description="most validation sequences to score")
    hidden_size: int = Field(256, ge=32, multiple_of=32, description="width, used only when starting from nothing")
    layers: int = Field(6, ge=1, description="depth, used only when starting from nothing")
    schedule: Schedule = Schedule()


def pretrain(corpus: Corpus, out: Path, settings: Pretraining, start: str | None = None) -> dict[str, Any]:
    """Train a masked language model and save it to `out` in Hugging Face's format, weights in fp16.

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
        check_room(model, settings.max_tokens)
        held_out = list(token_chunks(split.validation, tokenizer, settings.max_tokens))
        objective = MaskedLanguageModelling(
            tokenizer,
            train=list(token_chunks(split.base, tokenizer, settings.max_tokens)),
            validation=spread(held_out, settings.validation_sequences),
            share=settings.masked,
        )
    identity = pretraining_identity(corpus, settings, start)
    dropout = _switch_off_dropout(model)
    work = out.with_name(f".{out.name}.training")
    history = train(model, objective, settings.schedule, work, identity)
    for name, value in dropout.items():
        setattr(model.config, name, value)
    provenance = {
        "objective": "mlm",
        **identity,
        "training_tokens": sum(objective.lengths),
        "vocabulary_size": len(tokenizer),
        "history": history,
        "seconds": round(time.monotonic() - began),
        "versions": versions(),
    }
    finish(work, lambda: save_model(model, tokenizer, out, provenance))
    return provenance


def pretraining_identity(corpus: Corpus, settings: Pretraining, start: str | None) -> dict[str, Any]:
    """What decides the result of `pretrain`, as JSON values; the checkpoint to start from is told by its name alone."""
    started_from = start if start is None or not Path(start).exists() else Path(start).name
    return {"started_from": started_from, "settings": settings.model_dump(), "sources": corpus.describe()}


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
    head_norm(model).weight.data.fill_(0.3)


def _switch_off_dropout(model: PreTrainedModel) -> dict[str, float]:
    """A run over little text in one or two epochs cannot overfit; returns the configured rates."""
    names = ("hidden_dropout_prob", "attention_probs_dropout_prob")
    rates = {name: getattr(model.config, name) for name in names}
    for name in names:
        setattr(model.config, name, 0.0)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return rates
