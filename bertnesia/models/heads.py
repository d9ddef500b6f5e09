"""The masked-language-model head of each supported architecture, as a map from hidden states to logits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.activations import ACT2FN

from bertnesia.errors import BertnesiaError

SUPPORTED_ARCHITECTURES = ("bert",)


def mlm_head(model: PreTrainedModel) -> nn.Module:
    """The head of a masked language model: hidden states (..., hidden) to logits (..., vocab).

    Raises:
        BertnesiaError: if the architecture is not supported.
    """
    if model.config.model_type not in SUPPORTED_ARCHITECTURES:
        raise BertnesiaError(
            f"Models of type {model.config.model_type!r} are not supported; "
            f"supported are: {', '.join(SUPPORTED_ARCHITECTURES)}."
        )
    return cast(nn.Module, cast(nn.Module, model.cls).predictions)


def output_bias(model: PreTrainedModel) -> nn.Parameter:
    """The bias behind the output matrix, shape (vocab,)."""
    return cast(nn.Linear, mlm_head(model).decoder).bias


def head_norm(model: PreTrainedModel) -> nn.LayerNorm:
    """The LayerNorm in front of the output matrix."""
    return cast(nn.LayerNorm, cast(nn.Module, mlm_head(model).transform).LayerNorm)


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """The weights of a BERT head: `norm(act(dense(hidden)))` times the output matrix, plus a bias.

    Shapes: `dense` (hidden, hidden), `dense_bias`, `norm`, `norm_bias` (hidden,), `output` (vocab, hidden),
    `bias` (vocab,).
    """

    dense: Tensor
    dense_bias: Tensor
    norm: Tensor
    norm_bias: Tensor
    output: Tensor
    bias: Tensor
    activation: str
    epsilon: float

    def features(self, hidden: Tensor) -> Tensor:
        """What is multiplied with the output matrix: (..., hidden) to (..., hidden)."""
        activation: Callable[[Tensor], Tensor] = ACT2FN[self.activation]
        dense = activation(nn.functional.linear(hidden, self.dense, self.dense_bias))
        return nn.functional.layer_norm(dense, self.norm.shape, self.norm, self.norm_bias, self.epsilon)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the whole vocabulary: (..., hidden) to (..., vocab)."""
        return nn.functional.linear(self.features(hidden), self.output, self.bias)


def head_weights(model: PreTrainedModel) -> HeadWeights:
    """A copy of a masked language model's head in float32, detached from the model."""
    head = mlm_head(model)
    transform, decoder = cast(nn.Module, head.transform), cast(nn.Linear, head.decoder)
    dense, norm = cast(nn.Linear, transform.dense), cast(nn.LayerNorm, transform.LayerNorm)

    def copy(parameter: Tensor) -> Tensor:
        return parameter.detach().to(torch.float32, copy=True)

    return HeadWeights(
        dense=copy(dense.weight),
        dense_bias=copy(dense.bias),
        norm=copy(norm.weight),
        norm_bias=copy(norm.bias),
        output=copy(decoder.weight),
        bias=copy(decoder.bias),
        activation=model.config.hidden_act,
        epsilon=model.config.layer_norm_eps,
    )
