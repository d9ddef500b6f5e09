"""Training one decoder per layer by masked language modelling, all layers in one pass of the frozen encoder."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.corpora import Corpus, Passage, split_corpus, spread, token_chunks
from bertnesia.files import digest
from bertnesia.finetuning.mlm import IGNORED, MaskedLanguageModelling
from bertnesia.finetuning.trainer import Schedule, device, finish, train
from bertnesia.models.checkpoints import check_room, versions
from bertnesia.models.decoders import (
    TRAINED_TENSORS,
    DecoderConfig,
    Decoders,
    LayerRecord,
    output_hash,
    read_decoder_config,
    save_decoders,
)
from bertnesia.models.encoder import encoder_hash, vocabulary_hash
from bertnesia.models.heads import HeadWeights
from bertnesia.probes.facts import Fact
from bertnesia.probes.mentions import naming_a_fact
from bertnesia.progress import working


class DecoderTraining(BaseModel):
    """Settings of decoder training. The shares must be those of the base's own training, so that no text is in both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int = Field(64, ge=8, description="longest training sequence, special tokens included")
    masked: float = Field(0.15, gt=0, lt=1, description="share of tokens hidden in training")
    decoder_share: float = Field(0.12, gt=0, le=1, description="share of the text used for decoder training")
    validation_share: float = Field(0.03, gt=0, lt=1, description="share of the text used for validation")
    validation_sequences: int = Field(500, ge=1, description="most validation sequences to score")
    schedule: Schedule = Schedule(steps=500, learning_rate=1e-3, weight_decay=0, evaluations=10)


class DecoderBank(nn.Module):
    """Trainable heads of all layers, all started from one head, and beside each the best weights so far.

    Every layer's parameters see only their own loss, so training them together gives what training them one by one
    would. The best weights are buffers: a checkpoint carries them.
    """

    best_loss: Tensor
    best_accuracy: Tensor
    best_step: Tensor
    step: Tensor

    def __init__(self, start: HeadWeights, layers: int) -> None:
        super().__init__()
        self.start = start
        self.layers = layers
        for name in TRAINED_TENSORS:
            stacked = getattr(start, name).expand(layers, *getattr(start, name).shape)
            self.register_parameter(name, nn.Parameter(stacked.clone()))
            self.register_buffer(f"best_{name}", stacked.clone())
        self.register_buffer("output", start.output, persistent=False)
        self.register_buffer("best_loss", torch.full((layers,), torch.inf))
        self.register_buffer("best_accuracy", torch.zeros(layers))
        self.register_buffer("best_step", torch.zeros(layers, dtype=torch.long))
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def head(self, layer: int, prefix: str = "") -> HeadWeights:
        """The head of a layer (1..L) as it is now, or with `prefix="best_"` as it was at its best."""
        weights = {name: getattr(self, prefix + name)[layer - 1] for name in TRAINED_TENSORS}
        output = cast(Tensor, self.output)
        return HeadWeights(**weights, output=output, activation=self.start.activation, epsilon=self.start.epsilon)

    @torch.no_grad()
    def keep_better(self, losses: Sequence[float], accuracies: Sequence[float]) -> None:
        """Remember the weights of every layer whose validation loss is its lowest so far."""
        for i, (loss, accuracy) in enumerate(zip(losses, accuracies, strict=True)):
            if loss < self.best_loss[i]:
                self.best_loss[i], self.best_accuracy[i], self.best_step[i] = loss, accuracy, self.step
                for name in TRAINED_TENSORS:
                    getattr(self, f"best_{name}")[i].copy_(getattr(self, name)[i])


class DecoderObjective:
    """Masked language modelling with every layer's decoder at once; the encoder stays frozen."""

    name = "decoders"

    def __init__(self, encoder: PreTrainedModel, text: MaskedLanguageModelling) -> None:
        self.encoder = encoder
        self.text = text
        self.lengths = text.lengths

    def batch(self, indices: Sequence[int], random: np.random.Generator) -> dict[str, Tensor]:
        return self.text.batch(indices, random)

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        bank = cast(DecoderBank, model)
        bank.step += 1
        hidden, labels = masked_hidden(self.encoder, batch)
        losses = [
            nn.functional.cross_entropy(bank.head(layer).logits(hidden[:, layer - 1]), labels)
            for layer in range(1, bank.layers + 1)
        ]
        return torch.stack(losses).sum()

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Mean `loss` and `accuracy`, and each layer's as `loss_1`, `accuracy_1`, ...; keeps the best weights."""
        bank = cast(DecoderBank, model)
        totals, right, count = np.zeros(bank.layers), np.zeros(bank.layers), 0
        for batch in self.text.validation_batches():
            hidden, labels = masked_hidden(self.encoder, {k: v.to(self.encoder.device) for k, v in batch.items()})
            for i in range(bank.layers):
                logits = bank.head(i + 1).logits(hidden[:, i])
                totals[i] += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
                right[i] += int((logits.argmax(-1) == labels).sum())
            count += len(labels)
        losses, accuracies = totals / count, right / count
        bank.keep_better(list(losses), list(accuracies))
        layers = {f"loss_{i + 1}": float(loss) for i, loss in enumerate(losses)}
        layers |= {f"accuracy_{i + 1}": float(accuracy) for i, accuracy in enumerate(accuracies)}
        return {"loss": float(losses.mean()), "accuracy": float(accuracies.mean()), **layers}


@torch.no_grad()
def masked_hidden(encoder: PreTrainedModel, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Hidden states (hidden tokens, layers, width) of the tokens to score, and their labels (hidden tokens,)."""
    states = encoder(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], output_hidden_states=True
    ).hidden_states
    scored = batch["labels"] != IGNORED
    return torch.stack([state[scored] for state in states[1:]], dim=1), batch["labels"][scored]


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
) -> DecoderConfig:
    """Train `trained` decoders for every layer of an encoder and save them to the folder `out`.

    They start from the pre-trained head `stock` and keep its output matrix. The text is the `decoder` share of the
    corpus, without any passage that names both subject and object of one of `facts`; the weights kept are each
    layer's best by validation loss. The method is that of BERTnesia (arXiv 2106.02902), section 3.
    """
    check_room(encoder, settings.max_tokens)
    began = time.monotonic()
    with working("Preparing the text"):
        passages, left_out = decoder_text(corpus, settings, facts)
        text = _masked_text(corpus, passages, tokenizer, settings)
    identity = decoder_identity(encoder, tokenizer, stock, corpus, facts, settings)
    layers = encoder.config.num_hidden_layers
    bank = DecoderBank(stock, layers)
    encoder.to(device())  # type: ignore[arg-type]
    objective = DecoderObjective(encoder, text)
    work = out.with_name(f".{out.name}.training")
    history = train(bank.to(device()), objective, settings.schedule, work, identity, max_grad_norm=0)
    records = [
        LayerRecord(
            layer=i + 1,
            step=int(bank.best_step[i]),
            loss=float(bank.best_loss[i]),
            accuracy=float(bank.best_accuracy[i]),
            hash="",
        )
        for i in range(layers)
    ]
    config = DecoderConfig(
        kind="trained",
        **identity,
        passages_left_out=left_out,
        layers=records,
        history=history,
        seconds=round(time.monotonic() - began),
        versions=versions(),
    )
    best = Decoders("trained", tuple(bank.head(i + 1, "best_") for i in range(layers)))
    finish(work, lambda: save_decoders(out, best, config))
    return read_decoder_config(out)


def _masked_text(
    corpus: Corpus, passages: Sequence[Passage], tokenizer: PreTrainedTokenizerBase, settings: DecoderTraining
) -> MaskedLanguageModelling:
    held_out = split_corpus(corpus.passages, settings.decoder_share, settings.validation_share).validation
    return MaskedLanguageModelling(
        tokenizer,
        train=list(token_chunks(passages, tokenizer, settings.max_tokens)),
        validation=spread(list(token_chunks(held_out, tokenizer, settings.max_tokens)), settings.validation_sequences),
        share=settings.masked,
    )


def decoder_identity(
    encoder: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    stock: HeadWeights,
    corpus: Corpus,
    facts: Sequence[Fact],
    settings: DecoderTraining,
) -> dict[str, Any]:
    """What decides the result of `train_decoders`, as JSON values."""
    return {
        "encoder_hash": encoder_hash(encoder),
        "vocabulary_hash": vocabulary_hash(tokenizer),
        "output_hash": output_hash(stock),
        "corpus": corpus.describe(),
        "facts_left_out": digest(sorted(fact.id for fact in facts)),
        "settings": settings.model_dump(),
    }
