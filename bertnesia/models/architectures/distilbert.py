"""DistilBERT (Sanh et al. 2019)."""

from typing import Any

from bertnesia.models.architectures.registry import Architecture, register
from bertnesia.models.weights import HeadWeights


@register("distilbert")
class DistilBert(Architecture):
    """BERT's head, whose parts lie in the model itself."""

    pools = False

    def head(self, model: Any) -> HeadWeights:
        output = model.vocab_projector
        return HeadWeights.of(
            model.vocab_transform, model.vocab_layer_norm, output.weight, output.bias, model.config.activation
        )
