"""BERT (Devlin et al. 2019)."""

from typing import Any

from bertnesia.models.architectures.registry import Architecture, register
from bertnesia.models.weights import HeadWeights


@register("bert")
class Bert(Architecture):
    """The head that all others vary: dense, activation and LayerNorm as wide as the hidden states, tied output."""

    def head(self, model: Any) -> HeadWeights:
        head = model.cls.predictions
        dense, norm = head.transform.dense, head.transform.LayerNorm
        return HeadWeights.of(dense, norm, head.decoder.weight, head.decoder.bias, model.config.hidden_act)
