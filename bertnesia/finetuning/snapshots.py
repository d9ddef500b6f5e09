"""Models on the way: at which steps of a run they are looked at, and copies of them as they would be saved."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.trainer import Visits
from bertnesia.models.checkpoints import made_with, save_model


def read_shares(text: str) -> tuple[float, ...]:
    """Points of a run from a list like `1%,2%,50%`, as shares in (0, 1], in rising order, each once.

    Raises:
        BertnesiaError: naming the entry at fault.
    """
    shares = set()
    for entry in filter(None, map(str.strip, text.split(","))):
        try:
            share = float(entry.removesuffix("%")) / 100
        except ValueError:
            share = 0.0
        if not entry.endswith("%") or not 0 < share <= 1:
            raise BertnesiaError(f"{entry!r} is not a point of a run: give percentages like 1%,5%,50%.")
        shares.add(share)
    return tuple(sorted(shares))


def step_at(share: float, steps: int) -> int:
    """The step of a run of `steps` steps that is nearest to a share of it, 1 at least."""
    return max(1, round(share * steps))


def as_saved(model: PreTrainedModel) -> PreTrainedModel:
    """A copy on the CPU with the weights that saving and loading would give: rounded to fp16, then float32."""
    rounded = cast(nn.Module, copy.deepcopy(model)).to("cpu", torch.float16).to(torch.float32)
    return cast(PreTrainedModel, rounded.eval())


def folder_at(out: Path, share: float) -> Path:
    """Where the model at a share of a run is kept unless said otherwise: beside the one that the run leads to."""
    return out.with_name(f"{out.name}-at-{100 * share:g}")


def snapshot_identity(identity: dict[str, Any], share: float) -> dict[str, Any]:
    """What decides a model at a share of the run with this identity, as `made_with` checks it."""
    return {**identity, "at": share}


def keep_snapshots(
    places: Mapping[float, Path], steps: int, tokenizer: PreTrainedTokenizerBase, identity: dict[str, Any]
) -> list[Visits]:
    """Visits that save the model as it is at shares of a run, each to the folder of that share.

    What a run of the same identity saved before it was killed is kept.

    Raises:
        BertnesiaError: if a folder is in the way.
    """
    for share, folder in places.items():
        if folder.exists() and not made_with(folder, snapshot_identity(identity, share)):
            raise BertnesiaError(f"{folder} was made with other settings or data: delete it.")
    return [_keep(share, folder, steps, tokenizer, identity) for share, folder in places.items()]


def _keep(
    share: float, folder: Path, steps: int, tokenizer: PreTrainedTokenizerBase, identity: dict[str, Any]
) -> Visits:
    step = step_at(share, steps)

    def save(_: int, model: nn.Module) -> None:
        if not folder.exists():
            copied = copy.deepcopy(cast(PreTrainedModel, model))
            save_model(copied, tokenizer, folder, {**snapshot_identity(identity, share), "step": step, "steps": steps})

    return Visits(frozenset({step}), save)
