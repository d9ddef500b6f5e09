"""RoBERTa (Liu et al. 2019), XLM-RoBERTa (Conneau et al. 2020) and CamemBERT (Martin et al. 2020)."""

from typing import Any

from bertnesia.models.architectures.registry import Architecture, register
from bertnesia.models.weights import HeadWeights


@register("roberta", "xlm-roberta", "camembert")
class Roberta(Architecture):
    """A head that is always GELU, whatever the encoder's activation."""

    def head(self, model: Any) -> HeadWeights:
        head = model.lm_head
        return HeadWeights.of(head.dense, head.layer_norm, head.decoder.weight, head.decoder.bias, "gelu")

    def max_tokens(self, config: Any) -> int:
        """Positions are counted from behind the padding token's id, so 514 of them take 512 tokens."""
        return int(config.max_position_embeddings) - int(config.pad_token_id) - 1
