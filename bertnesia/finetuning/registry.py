"""The objectives by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.objectives import Objective
from bertnesia.finetuning.settings import Finetuning


@dataclass(frozen=True, slots=True)
class Prepared:
    """An objective with its data, and how a base (folder or hub name) gets the head that it needs."""

    objective: Objective[Any]
    load: Callable[[str], PreTrainedModel]


class Prepare(Protocol):
    """Reads data files and makes an objective of them; draws no random numbers from torch."""

    def __call__(self, tokenizer: PreTrainedTokenizerBase, data: Sequence[Path], settings: Finetuning) -> Prepared: ...


_objectives: dict[str, Prepare] = {}


def register_objective(name: str, prepare: Prepare) -> None:
    """Make an objective known by name.

    Raises:
        ValueError: if the name is taken.
    """
    if name in _objectives:
        raise ValueError(f"an objective {name} is registered already")
    _objectives[name] = prepare


def objective_names() -> list[str]:
    """Names that `find_objective` takes."""
    return sorted(_objectives)


def find_objective(name: str) -> Prepare:
    """The objective of that name.

    Raises:
        BertnesiaError: if there is none.
    """
    if name not in _objectives:
        raise BertnesiaError(f"There is no objective {name!r}; there are: {', '.join(objective_names())}.")
    return _objectives[name]
