"""MobileBERT (Sun et al. 2020)."""

from typing import Any

import torch
from torch import Tensor

from bertnesia.models.architectures.registry import Architecture, register
from bertnesia.models.weights import HeadWeights


@register("mobilebert")
class MobileBert(Architecture):
    """The word embeddings are narrower than the features: the output matrix is filled up with columns of its own."""

    def head(self, model: Any) -> HeadWeights:
        head = model.cls.predictions
        dense, norm = head.transform.dense, head.transform.LayerNorm
        output = torch.cat([head.decoder.weight, head.dense.weight.t()], dim=1)
        return HeadWeights.of(dense, norm, output, head.decoder.bias, model.config.hidden_act)

    def inputs(self, encoder: Any, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """A token's input takes in its neighbours' embeddings: padding must be nothing, as it is behind the end."""
        words = encoder.embeddings.word_embeddings(input_ids)
        return {"inputs_embeds": words * attention_mask[..., None], "attention_mask": attention_mask}
