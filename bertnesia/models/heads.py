"""The masked-language-model head of a model, as a map from hidden states to logits."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from bertnesia.models.architectures import architecture
from bertnesia.models.weights import HeadWeights

__all__ = ["HeadWeights", "head_norm", "head_weights", "mlm_head", "output_bias", "random_head"]


def mlm_head(model: PreTrainedModel) -> Callable[[Tensor], Tensor]:
    """The head of a masked language model, to be trained with it: hidden states (..., hidden) to logits (..., vocab).

    Raises:
        BertnesiaError: if the architecture is not supported.
    """
    return architecture(model.config).head(model).logits


def output_bias(model: PreTrainedModel) -> nn.Parameter:
    """The bias behind the output matrix, shape (vocab,)."""
    return cast(nn.Parameter, architecture(model.config).head(model).bias)


def head_norm(model: PreTrainedModel) -> nn.Parameter:
    """The weight of the LayerNorm in front of the output matrix, shape (features,)."""
    return cast(nn.Parameter, architecture(model.config).head(model).norm)


def head_weights(model: PreTrainedModel) -> HeadWeights:
    """A copy of a masked language model's head in float32, detached from the model.

    Raises:
        BertnesiaError: if the architecture is not supported.
    """
    head = architecture(model.config).head(model)
    return head.map(lambda tensor: tensor.detach().to(torch.float32, copy=True))


def random_head(like: HeadWeights, seed: int) -> HeadWeights:
    """A head that has learned nothing, in the form of another one and with its output matrix, unless that is its own.

    Matrices are drawn as BERT draws those of new layers (normal, deviation 0.02); the same seed gives the same head.
    """
    random = torch.Generator().manual_seed(seed)
    fresh: dict[str, Any] = {}
    for name, tensor in like.tensors.items():
        if tensor.ndim == 2:
            fresh[name] = 0.02 * torch.randn(tensor.shape, generator=random)
        else:
            fresh[name] = torch.full_like(tensor, float(name == "norm"))
    return replace(like, **fresh)
