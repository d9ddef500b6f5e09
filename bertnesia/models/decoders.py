"""Decoders: one masked-language-model head for every layer of one encoder, and their files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bertnesia.errors import BertnesiaError
from bertnesia.files import read_json, replacing_folder, write_json
from bertnesia.models.encoder import state_hash
from bertnesia.models.weights import HeadWeights

_SEED = "-seed-"


@dataclass(frozen=True, slots=True)
class Decoders:
    """Heads of one kind and seed; `heads[i]` decodes layer `layers[i]`, by default i + 1.

    Extra seeds may have the last layer alone.
    """

    kind: str
    heads: tuple[HeadWeights, ...]
    seed: int = 0
    layers: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        """Number the layers where that was left out."""
        if not self.layers:
            object.__setattr__(self, "layers", tuple(range(1, len(self.heads) + 1)))

    @property
    def name(self) -> str:
        """What the decoders are called among others of one model, and their folder."""
        return decoder_name(self.kind, self.seed)

    def head(self, layer: int) -> HeadWeights:
        """The head of a layer (1..L).

        Raises:
            BertnesiaError: if these decoders do not have it.
        """
        if layer not in self.layers:
            raise BertnesiaError(f"The {self.name} decoders have no layer {layer}, only {_listed(self.layers)}.")
        return self.heads[self.layers.index(layer)]

    def features(self, hidden: Tensor) -> Tensor:
        """What is multiplied with the output matrix: states (n, len(layers), hidden) to (n, len(layers), features)."""
        return torch.stack([head.features(hidden[:, i]) for i, head in enumerate(self.heads)], dim=1)

    def logits(self, hidden: Tensor, layer: int) -> Tensor:
        """Scores of the vocabulary from the hidden states of `layer` (1..L): (n, hidden) to (n, vocab)."""
        return self.head(layer).logits(hidden)

    def to(self, device: torch.device) -> Self:
        """The same decoders on another device, an output matrix that they share still shared."""
        moved: dict[int, Tensor] = {}

        def move(tensor: Tensor) -> Tensor:
            return moved.setdefault(id(tensor), tensor.to(device))

        return replace(self, heads=tuple(head.map(move) for head in self.heads))


def stock_decoders(head: HeadWeights, layers: int, kind: str = "stock") -> Decoders:
    """One head, unchanged, at every layer (the logit lens)."""
    return Decoders(kind, (head,) * layers)


def decoder_name(kind: str, seed: int = 0) -> str:
    """What decoders of a kind and seed are called, and the name of their folder: `trained`, `trained-seed-1`."""
    return f"{kind}{_SEED}{seed}" if seed else kind


def parse_decoder_name(name: str) -> tuple[str, int]:
    """Kind and seed from what `decoder_name` makes of them."""
    kind, _, seed = name.partition(_SEED)
    return (kind, int(seed)) if seed.isdecimal() else (name, 0)


class LayerRecord(BaseModel):
    """What is known of one layer's decoder: the step whose weights were kept, and its validation scores there.

    `still_improving` says that the loss was still falling when training stopped, so that more steps would have made a
    better decoder; None where that was not noted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: int
    step: int
    loss: float
    accuracy: float
    hash: str
    still_improving: bool | None = None


class DecoderConfig(BaseModel):
    """What a folder of decoders was trained for and on; saved beside the weights and checked when they are loaded.

    `start` is the hash of the head that training started from, where that was not the stock head.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    seed: int = 0
    encoder_hash: str
    vocabulary_hash: str
    output_hash: str
    start: str | None = None
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
        hashes = {"encoder_hash", "vocabulary_hash", "output_hash", "start"}
        return self.model_dump(include={"kind", "seed", *hashes, "corpus", "facts_left_out", "settings"})


def output_hash(head: HeadWeights) -> str:
    """Hex digest of an output matrix."""
    return state_hash({"output": head.output})


def save_decoders(folder: Path, decoders: Decoders, config: DecoderConfig) -> None:
    """Save decoders in one step, weights in fp16, with their hashes in the config."""
    records = []
    with replacing_folder(folder) as partial:
        for head, record in zip(decoders.heads, config.layers, strict=True):
            tensors = {name: tensor.to("cpu", torch.float16).contiguous() for name, tensor in head.tensors.items()}
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
    """Decoders saved by `save_decoders`, in float32, with the output matrix of `stock` where they have none.

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
    form = replace(stock, own_output=config.kind == "full")
    heads = []
    for record in config.layers:
        tensors = _read_tensors(folder / _file_name(record.layer))
        if set(tensors) != set(form.tensors) or state_hash(tensors) != record.hash:
            raise BertnesiaError(
                f"{folder / _file_name(record.layer)} is damaged or belongs to another layer: its hash does not match."
            )
        weights: dict[str, Any] = {name: tensor.float() for name, tensor in tensors.items()}
        heads.append(replace(form, **weights))
    return Decoders(config.kind, tuple(heads), config.seed, tuple(record.layer for record in config.layers))


def saved_kinds(folder: Path) -> tuple[str, ...]:
    """The decoder kinds that a model's `decoders` folder holds for that model itself: no extra seeds, no control."""
    return tuple(kind for kind, seed in saved_decoders(folder) if seed == 0 and kind != "control")


def saved_decoders(folder: Path) -> tuple[tuple[str, int], ...]:
    """Kind and seed of all decoders that a model's `decoders` folder holds."""
    names = (path.parent.name for path in folder.glob("*/config.json"))
    return tuple(sorted(parse_decoder_name(name) for name in names if not name.startswith(".")))


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


def _listed(layers: Sequence[int]) -> str:
    return ", ".join(map(str, layers))


def _file_name(layer: int) -> str:
    return f"layer-{layer}.safetensors"


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise BertnesiaError(f"Cannot read the decoder {path}: {error}.") from error
