"""ModernBERT (Warner et al. 2024)."""

from typing import Any

from torch import Tensor

from bertnesia.models.architectures.registry import Architecture, register
from bertnesia.models.weights import HeadWeights


@register("modernbert")
class ModernBert(Architecture):
    """A head mostly without biases, behind a last norm that belongs to the encoder."""

    pools = False

    def head(self, model: Any) -> HeadWeights:
        head, output = model.head, model.decoder
        return HeadWeights.of(head.dense, head.norm, output.weight, output.bias, model.config.classifier_activation)

    def states(self, encoder: Any, hidden_states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The last state comes out of the encoder's final norm; the earlier ones have yet to pass it."""
        *earlier, last = hidden_states[1:]
        return (*(encoder.final_norm(state) for state in earlier), last)
