"""Decoders: one masked-language-model head for every layer of one encoder, and their files."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bertnesia.errors import BertnesiaError
from bertnesia.files import read_json, replacing_folder, write_json
from bertnesia.models.encoder import state_hash
from bertnesia.models.heads import HeadWeights

TRAINED_TENSORS = ("dense", "dense_bias", "norm", "norm_bias", "bias")
"""What a `trained` decoder stores; its output matrix is the base's own."""


@dataclass(frozen=True, slots=True)
class Decoders:
    """Heads of one kind for layers 1..L; `heads[i]` decodes layer i + 1."""

    kind: str
    heads: tuple[HeadWeights, ...]

    def features(self, hidden: Tensor) -> Tensor:
        """What is multiplied with the output matrix: (n, layers, hidden) to (n, layers, hidden)."""
        return torch.stack([head.features(hidden[:, i]) for i, head in enumerate(self.heads)], dim=1)

    def logits(self, hidden: Tensor, layer: int) -> Tensor:
        """Scores of the vocabulary from the hidden states of `layer` (1..L): (n, hidden) to (n, vocab)."""
        return self.heads[layer - 1].logits(hidden)


def stock_decoders(head: HeadWeights, layers: int) -> Decoders:
    """The pre-trained head, unchanged, at every layer (the logit lens)."""
    return Decoders("stock", (head,) * layers)


class LayerRecord(BaseModel):
    """What is known of one layer's decoder: the step whose weights were kept, and its validation scores there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: int
    step: int
    loss: float
    accuracy: float
    hash: str


class DecoderConfig(BaseModel):
    """What a folder of decoders was trained for and on; saved beside the weights and checked when they are loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    encoder_hash: str
    vocabulary_hash: str
    output_hash: str
    corpus: list[dict[str, Any]]
    facts_left_out: str
    passages_left_out: int
    settings: dict[str, Any]
    layers: list[LayerRecord]
    history: list[dict[str, float]]
    seconds: int
    versions: dict[str, str]

    def identity(self) -> dict[str, Any]:
        """What decided the result, as `decoder_identity` gives it."""
        return self.model_dump(
            include={"encoder_hash", "vocabulary_hash", "output_hash", "corpus", "facts_left_out", "settings"}
        )


def output_hash(head: HeadWeights) -> str:
    """Hex digest of an output matrix."""
    return state_hash({"output": head.output})


def save_decoders(folder: Path, decoders: Decoders, config: DecoderConfig) -> None:
    """Save decoders of all layers in one step, weights in fp16, with their hashes in the config."""
    records = []
    with replacing_folder(folder) as partial:
        for head, record in zip(decoders.heads, config.layers, strict=True):
            tensors = {name: getattr(head, name).to("cpu", torch.float16).contiguous() for name in TRAINED_TENSORS}
            save_file(tensors, partial / _file_name(record.layer))
            records.append(record.model_copy(update={"hash": state_hash(tensors)}))
        write_json(partial / "config.json", config.model_copy(update={"layers": records}).model_dump())


def read_decoder_config(folder: Path) -> DecoderConfig:
    """The config of saved decoders.

    Raises:
        BertnesiaError: if there is none or it cannot be understood.
    """
    if not (folder / "config.json").exists():
        raise BertnesiaError(f"There are no decoders in {folder}: train them with 'bertnesia train-decoders'.")
    try:
        return DecoderConfig.model_validate(read_json(folder / "config.json"))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BertnesiaError(f"{folder}/config.json is not a decoder config: {place} is wrong or missing.") from error


def load_decoders(folder: Path, stock: HeadWeights, encoder_hash: str, vocabulary_hash: str) -> Decoders:
    """Decoders saved by `save_decoders`, in float32, with the output matrix of `stock`.

    Raises:
        BertnesiaError: if they were trained for another encoder, vocabulary or output matrix, or are damaged.
    """
    config = read_decoder_config(folder)
    for what, expected, found in (
        ("encoder", encoder_hash, config.encoder_hash),
        ("vocabulary", vocabulary_hash, config.vocabulary_hash),
        ("output matrix", output_hash(stock), config.output_hash),
    ):
        if expected != found:
            raise BertnesiaError(f"The decoders in {folder} were trained for another {what}: train them anew.")
    heads = []
    for record in config.layers:
        tensors = _read_tensors(folder / _file_name(record.layer))
        if set(tensors) != set(TRAINED_TENSORS) or state_hash(tensors) != record.hash:
            raise BertnesiaError(
                f"{folder / _file_name(record.layer)} is damaged or belongs to another layer: its hash does not match."
            )
        weights: dict[str, Any] = {name: tensor.float() for name, tensor in tensors.items()}
        heads.append(replace(stock, **weights))
    return Decoders(config.kind, tuple(heads))


def saved_kinds(folder: Path) -> tuple[str, ...]:
    """The decoder kinds that a model's `decoders` folder holds."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/config.json")))


def parse_layers(text: str, depth: int) -> list[int]:
    """Layers from "all", "6", "1,3" or "2-4".

    Raises:
        BertnesiaError: if the text says something else or names a layer that is not there.
    """
    if text.strip().lower() == "all":
        return list(range(1, depth + 1))
    layers: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if not match:
            raise BertnesiaError(f"{text!r} does not name layers: write 'all', '6', '1,3' or '2-4'.")
        layers.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    if wrong := [layer for layer in layers if not 1 <= layer <= depth]:
        raise BertnesiaError(f"There is no layer {wrong[0]}: this model has layers 1 to {depth}.")
    return sorted(set(layers))


def _file_name(layer: int) -> str:
    return f"layer-{layer}.safetensors"


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise BertnesiaError(f"Cannot read the decoder {path}: {error}.") from error
