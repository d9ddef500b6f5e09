"""A model whose every layer can be asked: encoder, tokenizer and decoders, checked to belong together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.models.architectures import architecture
from bertnesia.models.decoders import Decoders, decoder_name, load_decoders, parse_decoder_name, stock_decoders
from bertnesia.models.encoder import (
    body,
    encoder_hash,
    layer_states,
    load_config,
    load_encoder,
    load_masked_lm,
    load_tokenizer,
    random_encoder,
    vocabulary_hash,
)
from bertnesia.models.heads import HeadWeights, head_weights
from bertnesia.models.pairing import check_same_tokenizer

KINDS = ("trained", "stock")
"""Decoder kinds that are loaded unless others are asked for, the default first."""

ALL_KINDS = ("trained", "stock", "own", "full", "base", "random", "control")
"""Every decoder kind, as the design page describes them; `control` belongs to a random encoder (`load_control`)."""


@dataclass(frozen=True, slots=True)
class LayeredModel:
    """An encoder of L layers with its decoders by name; `stock` is the pre-trained head that they come from.

    A name is a kind, or kind and seed (`trained-seed-1`).
    """

    encoder: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    stock: HeadWeights
    decoders: Mapping[str, Decoders]

    @property
    def layers(self) -> int:
        """The number of layers L."""
        return int(self.encoder.config.num_hidden_layers)

    @property
    def max_tokens(self) -> int:
        """The longest sequence the encoder takes, special tokens included."""
        return architecture(self.encoder.config).max_tokens(self.encoder.config)

    def states(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """Hidden states (batch, tokens, hidden) after layers 1..L, as the heads expect them; the encoder is run once.

        Inputs are (batch, tokens) and may be on any device.
        """
        device = self.encoder.device
        return layer_states(self.encoder, input_ids.to(device), attention_mask.to(device))

    def of_kind(self, kind: str) -> Decoders:
        """The decoders of a kind, or of a kind and seed by name.

        Raises:
            BertnesiaError: if the model was loaded without them.
        """
        if kind not in self.decoders:
            raise BertnesiaError(
                f"There are no {kind!r} decoders of this model; there are: {', '.join(self.decoders)}."
            )
        return self.decoders[kind]

    def to(self, device: torch.device) -> "LayeredModel":
        """The same model on another device."""
        self.encoder.to(device)  # type: ignore[arg-type]
        return replace(self, decoders={name: decoders.to(device) for name, decoders in self.decoders.items()})


def load_layered(
    checkpoint: str,
    base: str | None = None,
    kinds: Sequence[str] = KINDS,
    decoders: Path | None = None,
    base_decoders: Path | None = None,
) -> LayeredModel:
    """Load a checkpoint with its decoders.

    Args:
        checkpoint: a folder or hub name (perhaps `name@revision`), with any head.
        base: the model whose pre-trained head and output matrix decode it; None if the checkpoint has its own.
        kinds: the decoder kinds to load, or names of kinds and seeds (`trained-seed-1`).
        decoders: the folder that holds one folder for each trained kind; by default `decoders` in the checkpoint.
        base_decoders: the same of the base, for the kind `base`; by default `decoders` in the base's folder.

    Raises:
        BertnesiaError: if something is missing, damaged or was made for something else.
    """
    _check_kinds(kinds, base)
    pretrained = load_masked_lm(base or checkpoint)[0]
    own = load_masked_lm(checkpoint)[0] if base and "own" in kinds else None if base else pretrained
    encoder = body(own) if own else load_encoder(checkpoint)
    tokenizer = _tokenizer(checkpoint, base)
    stock = head_weights(pretrained)
    depth = int(encoder.config.num_hidden_layers)
    folder, words = decoders or Path(checkpoint) / "decoders", vocabulary_hash(tokenizer)
    found = {}
    for kind in kinds:
        if kind == "stock":
            found[kind] = stock_decoders(stock, depth)
        elif kind == "own":
            head = head_weights(own or pretrained)
            found[kind] = stock_decoders(replace(head, own_output=True), depth, "own")
        elif kind == "base":
            place = (base_decoders or Path(base or checkpoint) / "decoders") / "trained"
            lent = load_decoders(place, stock, encoder_hash(body(pretrained)), words)
            found[kind] = replace(lent, kind="base")
        else:
            found[kind] = load_decoders(folder / kind, stock, encoder_hash(encoder), words)
    return _within_vocabulary(LayeredModel(encoder, tokenizer, stock, found), checkpoint)


def load_control(checkpoint: str, base: str | None = None, decoders: Path | None = None, seed: int = 0) -> LayeredModel:
    """A randomly started encoder of a checkpoint's config with the `control` decoders that were trained on it.

    Args:
        checkpoint: a folder or hub name, for its config and tokenizer.
        base: the model whose head the decoders started from; None if that is the checkpoint's own.
        decoders: the folder that holds `control`, or `control-seed-<s>`; by default `decoders` in the checkpoint.
        seed: of encoder and decoders.

    Raises:
        BertnesiaError: if there are no such decoders, or they were trained for another random encoder.
    """
    stock = head_weights(load_masked_lm(base or checkpoint)[0])
    encoder = random_encoder(load_config(checkpoint), seed)
    tokenizer = _tokenizer(checkpoint, base)
    name = decoder_name("control", seed)
    folder = (decoders or Path(checkpoint) / "decoders") / name
    found = load_decoders(folder, stock, encoder_hash(encoder), vocabulary_hash(tokenizer))
    return _within_vocabulary(LayeredModel(encoder, tokenizer, stock, {name: found}), checkpoint)


def _check_kinds(names: Sequence[str], base: str | None) -> None:
    kinds = [parse_decoder_name(name)[0] for name in names]
    if unknown := [kind for kind in kinds if kind not in ALL_KINDS]:
        raise BertnesiaError(f"There is no decoder kind {unknown[0]!r}; there are: {', '.join(ALL_KINDS)}.")
    if "control" in kinds:
        raise BertnesiaError("Decoders of kind 'control' belong to a random encoder: load them with load_control.")
    if "base" in kinds and base is None:
        raise BertnesiaError("Decoders of kind 'base' are for a fine-tuned model: name its base.")


def _tokenizer(checkpoint: str, base: str | None) -> PreTrainedTokenizerBase:
    tokenizer = load_tokenizer(checkpoint)
    if base:
        check_same_tokenizer(checkpoint, tokenizer, base, load_tokenizer(base))
    return tokenizer


def _within_vocabulary(model: LayeredModel, name: str) -> LayeredModel:
    """The model without output rows that no entry of the vocabulary has (some matrices are filled up to round sizes).

    Raises:
        BertnesiaError: if on the contrary the vocabulary has entries that the model does not know.
    """
    entries = 1 + max(model.tokenizer.get_vocab().values())
    rows = model.stock.output.shape[0]
    if entries > rows:
        raise BertnesiaError(
            f"The tokenizer of {name} has {entries:,} entries, but the model knows {rows:,}: it is another model's."
        )
    if entries == rows:
        return model
    cut: dict[int, Tensor] = {}

    def within(head: HeadWeights) -> HeadWeights:
        output = cut.setdefault(id(head.output), head.output[:entries])
        return replace(head, output=output, bias=head.bias[:entries])

    decoders = {
        kind: replace(decoders, heads=tuple(map(within, decoders.heads))) for kind, decoders in model.decoders.items()
    }
    return replace(model, decoders=decoders)
