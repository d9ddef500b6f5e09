"""What a training objective has to say for the one trainer to train it."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from torch import Tensor, nn

Model_contra = TypeVar("Model_contra", bound=nn.Module, contravariant=True)


class Objective(Protocol[Model_contra]):
    """Examples, loss and held-out score of one training task."""

    @property
    def name(self) -> str: ...

    @property
    def lengths(self) -> Sequence[int]:
        """Tokens of each training example."""
        ...

    def batch(self, indices: Sequence[int], random: np.random.Generator) -> dict[str, Tensor]:
        """The padded batch of these examples; every random choice comes from `random`."""
        ...

    def loss(self, model: Model_contra, batch: dict[str, Tensor]) -> Tensor:
        """Mean loss of a batch, a scalar."""
        ...

    def evaluate(self, model: Model_contra) -> dict[str, float]:
        """Held-out scores by name; `loss` is one of them."""
        ...
