"""Whether a checkpoint's encoder weights are all there and all used; transformers would make some up, or drop some."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from transformers import PreTrainedModel

from bertnesia.errors import BertnesiaError

LoadingInfo = Mapping[str, Iterable[Any]]
"""What `from_pretrained` reports: `missing_keys`, `unexpected_keys`, `mismatched_keys`."""


def check_encoder(name: str, model: PreTrainedModel, info: LoadingInfo) -> None:
    """Make sure that the encoder of a loaded model is the checkpoint's, whole and unchanged.

    Raises:
        BertnesiaError: naming encoder weights that the checkpoint lacks, has in excess (under whatever prefix) or in
            another shape.
    """
    missing = [key for key in info["missing_keys"] if _of_encoder(key, model)]
    left_over = [key for key in info["unexpected_keys"] if _like_encoder(key, model)]
    if missing:
        elsewhere = f" (it has {shorten(left_over)})" if left_over else ""
        raise BertnesiaError(f"{name} lacks {_count(missing)}: {shorten(missing)}{elsewhere}.")
    if left_over:
        raise BertnesiaError(f"{name} has {_count(left_over)} that its config has no place for: {shorten(left_over)}.")
    if mismatched := [str(key) for key in info["mismatched_keys"]]:
        raise BertnesiaError(f"{name} has weights of the wrong shape: {shorten(mismatched)}.")


def head_keys(model: PreTrainedModel, info: LoadingInfo) -> list[str]:
    """The weights of a model's head that its checkpoint lacks."""
    if model.base_model is model:
        return []
    return [key for key in info["missing_keys"] if not key.startswith(f"{model.base_model_prefix}.")]


def is_pooler(key: str) -> bool:
    """Whether a weight belongs to a pooler, which is no part of the encoder."""
    return key.startswith("pooler.")


def shorten(names: Iterable[str], most: int = 3) -> str:
    """The first names in alphabetical order, and how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more


def _count(names: Collection[str]) -> str:
    return f"{len(names)} encoder weight{'' if len(names) == 1 else 's'}"


def _of_encoder(key: str, model: PreTrainedModel) -> bool:
    """Whether a name that the model itself uses is one of its encoder."""
    prefix = f"{model.base_model_prefix}."
    bare = key.removeprefix(prefix)
    return (model.base_model is model or key.startswith(prefix)) and not is_pooler(bare)


def _like_encoder(key: str, model: PreTrainedModel) -> bool:
    """Whether a name in the file is an encoder weight's, of whatever layer and under whatever prefix."""
    bare = key.removeprefix(f"{model.base_model_prefix}.")
    parts = _without_numbers(bare).split(".")
    known = {_without_numbers(name) for name in model.base_model.state_dict() if not is_pooler(name)}
    starts = {name.split(".")[0] for name in known}
    under_own_prefix = bare != key and not is_pooler(bare)
    return under_own_prefix or parts[0] in starts or any(".".join(parts[i:]) in known for i in range(len(parts)))


def _without_numbers(key: str) -> str:
    return re.sub(r"(?<=\.)\d+(?=\.)", "#", key)
