"""The models that are loaded: a bounded number of bytes, the least recently used dropped first."""

import stat
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, cast

import torch

from bertnesia.errors import BertnesiaError
from bertnesia.live.results import Checkpoint
from bertnesia.live.words import Reader
from bertnesia.models.decoders import saved_kinds
from bertnesia.models.encoder import vocabulary_hash
from bertnesia.models.heads import HeadWeights
from bertnesia.models.layered import ALL_KINDS, LayeredModel, load_layered

MOST_BYTES = 4 * 2**30
MOST_MODELS = 12
_SPACES = ("Ġ", "▁")
"""What byte-level BPE and SentencePiece write for a space in front of a word."""

Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded model, and what is known of its vocabulary: its hash, and how it is read and written for people."""

    model: LayeredModel
    vocabulary: str
    reader: Reader
    marks_spaces: bool
    special: frozenset[int]

    @classmethod
    def of(cls, model: LayeredModel) -> Self:
        """Look at a model's vocabulary.

        Raises:
            BertnesiaError: if its tokenizer has no mask token.
        """
        tokenizer = model.tokenizer
        reader = Reader(tokenizer)
        marked = any(name.startswith(_SPACES) for name in reader.vocabulary)
        return cls(model, vocabulary_hash(tokenizer), reader, marked, frozenset(tokenizer.all_special_ids))

    def written(self, token: int) -> str:
        """A vocabulary entry as people read it: where spaces have a mark, pieces inside words get `##` instead."""
        tokenizer = self.model.tokenizer
        name = cast(str, tokenizer.convert_ids_to_tokens(token))
        if not self.marks_spaces or token in self.special:
            return name
        text = tokenizer.convert_tokens_to_string([name]).strip() or "␣"
        return text if name.startswith(_SPACES) else f"##{text}"


class Shelf:
    """Loaded models with the decoders that were asked for, for one thread at a time.

    Siblings share one output matrix in memory: their scores then come from one matrix product.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most_models: int = MOST_MODELS) -> None:
        self._most_bytes = most_bytes
        self._most_models = most_models
        self._loaded: OrderedDict[tuple[Checkpoint, Stamp], Loaded] = OrderedDict()

    @property
    def loaded(self) -> tuple[Checkpoint, ...]:
        """What is loaded, the least recently used first."""
        return tuple(checkpoint for checkpoint, _ in self._loaded)

    @property
    def bytes(self) -> int:
        """The memory that the weights take; what models share is counted once."""
        return _bytes(self._models())

    def get(self, checkpoint: Checkpoint, kind: str) -> Loaded:
        """A model with decoders of a kind, loaded where it is not, or where its files have changed.

        Raises:
            BertnesiaError: if the model has no such decoders, and as `load_layered`.
        """
        key = checkpoint, stamp(checkpoint)
        found = self._loaded.get(key)
        if found is None or kind not in found.model.decoders:
            for old in [one for one in self._loaded if one[0] == checkpoint and one != key]:
                del self._loaded[old]
            model = _with_shared_outputs(_load(checkpoint, kind), self._models())
            if found is not None:
                model = replace(found.model, decoders={**found.model.decoders, **model.decoders})
            found = self._loaded[key] = Loaded.of(model)
            self._loaded.move_to_end(key)
            self._drop()
        self._loaded.move_to_end(key)
        return found

    def _models(self) -> list[LayeredModel]:
        return [one.model for one in self._loaded.values()]

    def _drop(self) -> None:
        while len(self._loaded) > 1 and (len(self._loaded) > self._most_models or self.bytes > self._most_bytes):
            self._loaded.popitem(last=False)


def kinds_of(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The decoder kinds that are at hand for a model, the default first; it may have a head of its own besides."""
    found = {"stock", *saved_kinds(checkpoint.decoder_folder)}
    if "trained" in saved_kinds(checkpoint.base_folder):
        found.add("base")
    return tuple(kind for kind in ALL_KINDS if kind in found)


def stamp(checkpoint: Checkpoint) -> Stamp:
    """What tells a model's files from newer ones of the same names: size and time of each; a hub's have none."""
    decoders = checkpoint.decoder_folder, checkpoint.base_folder
    folders = [Path(checkpoint.folder), Path(checkpoint.base or checkpoint.folder), *decoders]
    # Folders whose names begin with a dot are of decoders that are being trained.
    folders += [kind for folder in decoders for kind in sorted(folder.glob("[!.]*/"))]
    files = (file for folder in dict.fromkeys(folders) if folder.is_dir() for file in sorted(folder.iterdir()))
    return tuple(found for file in files if (found := _stamp_of(file)))


def _stamp_of(file: Path) -> tuple[str, int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:  # removed since the folder was listed
        return None
    return (str(file), status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def _load(checkpoint: Checkpoint, kind: str) -> LayeredModel:
    if kind not in (*kinds_of(checkpoint), "own"):
        raise BertnesiaError(
            f"There are no {kind!r} decoders of this model; there are: {', '.join(kinds_of(checkpoint))}."
        )
    # The base itself has trained decoders where its siblings have those that it lends.
    saved = "trained" if kind == "base" and checkpoint.base is None else kind
    model = load_layered(checkpoint.folder, checkpoint.base, [saved], checkpoint.decoder_folder, checkpoint.base_folder)
    return replace(model, decoders={kind: replace(model.of_kind(saved), kind=kind)})


def _with_shared_outputs(model: LayeredModel, others: Iterable[LayeredModel]) -> LayeredModel:
    """The model with every output matrix that another one has as well replaced by that very tensor."""
    outputs = (head.output for other in others for head in _heads(other))
    known = list({tensor.data_ptr(): tensor for tensor in outputs}.values())

    def shared(head: HeadWeights) -> HeadWeights:
        for tensor in known:
            if tensor.data_ptr() == head.output.data_ptr():
                return head
            if tensor.shape == head.output.shape and torch.equal(tensor, head.output):
                return replace(head, output=tensor)
        known.append(head.output)
        return head

    decoders = {
        kind: replace(one, heads=tuple(shared(head) for head in one.heads)) for kind, one in model.decoders.items()
    }
    return replace(model, stock=shared(model.stock), decoders=decoders)


def _heads(model: LayeredModel) -> Iterator[HeadWeights]:
    yield model.stock
    for decoders in model.decoders.values():
        yield from decoders.heads


def _bytes(models: Iterable[LayeredModel]) -> int:
    storages = {}
    for model in models:
        heads = (tensor for head in _heads(model) for tensor in (*head.tensors.values(), head.output))
        for tensor in (*model.encoder.parameters(), *model.encoder.buffers(), *heads):
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())
