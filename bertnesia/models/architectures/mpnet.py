"""MPNet (Song et al. 2020)."""

from typing import Any

from bertnesia.models.architectures.registry import register
from bertnesia.models.architectures.roberta import Roberta


@register("mpnet")
class MPNet(Roberta):
    """RoBERTa's head, and its way of counting positions with a padding id that the config does not decide."""

    def max_tokens(self, config: Any) -> int:
        """The embeddings count from behind id 1, whatever the padding token."""
        return int(config.max_position_embeddings) - 2
