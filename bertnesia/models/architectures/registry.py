"""What bertnesia has to know of a family of models, and which families it knows."""

# ruff: noqa: ARG002 - a family may need what most do not

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor

from bertnesia.errors import BertnesiaError
from bertnesia.models.weights import HeadWeights


class Architecture(ABC):
    """A family of models: where its head is, and what that head reads.

    Models and configs are `Any`, for their attributes differ from family to family.
    """

    pools: bool = True
    """Whether `AutoModel` puts a pooler on the encoder unless it is told not to."""

    @property
    def encoder_options(self) -> dict[str, Any]:
        """Arguments that keep whatever is not encoder out of `AutoModel`."""
        return {"add_pooling_layer": False} if self.pools else {}

    @abstractmethod
    def head(self, model: Any) -> HeadWeights:
        """The head of a masked language model, made of the model's own parameters."""

    def other_head(self, config: Any) -> dict[str, Any]:
        """Config options under which a checkpoint's head may be found that is not there as the config has it."""
        return {}

    def inputs(self, encoder: Any, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """What the encoder is called with, so that padding changes nothing; inputs are (batch, tokens)."""
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def states(self, encoder: Any, hidden_states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Hidden states after layers 1..L as the head expects them.

        `hidden_states` are those that transformers returns, the embedding output first.
        """
        return hidden_states[1:]

    def max_tokens(self, config: Any) -> int:
        """The longest sequence the encoder takes, special tokens included."""
        return int(config.max_position_embeddings)


_REGISTRY: dict[str, Architecture] = {}
Family = TypeVar("Family", bound=type[Architecture])


def register(*model_types: str) -> Callable[[Family], Family]:
    """Make a family known under its `model_type`s, as `config.json` has them."""

    def enter(family: Family) -> Family:
        _REGISTRY.update(dict.fromkeys(model_types, family()))
        return family

    return enter


def supported() -> tuple[str, ...]:
    """The model types that are known, in alphabetical order."""
    return tuple(sorted(_REGISTRY))


def architecture(config: Any, name: str = "This") -> Architecture:
    """The family that a model's config names; `name` is the model's in the error.

    Raises:
        BertnesiaError: if the family is not known.
    """
    if config.model_type not in _REGISTRY:
        raise BertnesiaError(
            f"{name} is a model of type {config.model_type!r}, which is not supported; "
            f"supported are: {', '.join(supported())}."
        )
    return _REGISTRY[config.model_type]
