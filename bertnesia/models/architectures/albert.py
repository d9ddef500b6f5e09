"""ALBERT (Lan et al. 2020)."""

from typing import Any

from torch import Tensor

from bertnesia.models.architectures.registry import Architecture, register
from bertnesia.models.weights import HeadWeights


@register("albert")
class Albert(Architecture):
    """A head that goes down to the width of the embeddings; layers share their weights."""

    def head(self, model: Any) -> HeadWeights:
        head = model.predictions
        return HeadWeights.of(
            head.dense, head.LayerNorm, head.decoder.weight, head.decoder.bias, model.config.hidden_act
        )

    def states(self, encoder: Any, hidden_states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """A layer may be a group of several, whose inner states come along: the last of each group is the layer's."""
        inner = int(encoder.config.inner_group_num)
        return hidden_states[inner::inner]
