"""ELECTRA (Clark et al. 2020): its generator, which has a masked-language-model head; the discriminator has none."""

from typing import Any

from bertnesia.models.architectures.registry import Architecture, register
from bertnesia.models.weights import HeadWeights


@register("electra")
class Electra(Architecture):
    """A head that goes down to the width of the embeddings and is always GELU."""

    pools = False

    def head(self, model: Any) -> HeadWeights:
        head, output = model.generator_predictions, model.generator_lm_head
        return HeadWeights.of(head.dense, head.LayerNorm, output.weight, output.bias, "gelu")
