"""DeBERTa v2 and v3 (He et al. 2021, 2023)."""

from typing import Any

from bertnesia.models.architectures.registry import Architecture, register
from bertnesia.models.weights import HeadWeights


@register("deberta-v2")
class DebertaV2(Architecture):
    """One of two heads: BERT's (`legacy` in the config) or the original's, which borrows the word embeddings."""

    pools = False

    def head(self, model: Any) -> HeadWeights:
        activation = model.config.hidden_act
        if model.legacy:
            head = model.cls.predictions
            dense, norm = head.transform.dense, head.transform.LayerNorm
            return HeadWeights.of(dense, norm, head.decoder.weight, head.decoder.bias, activation)
        head = model.lm_predictions.lm_head
        words = model.deberta.embeddings.word_embeddings.weight
        return HeadWeights.of(head.dense, head.LayerNorm, words, head.bias, activation)

    def other_head(self, config: Any) -> dict[str, Any]:
        """Configs of Microsoft's own checkpoints do not say that theirs is the original head."""
        return {"legacy": not config.legacy}
