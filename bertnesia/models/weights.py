"""The weights of one masked-language-model head, in the form that all supported architectures share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn
from transformers.activations import ACT2FN

_SLICE = 1024


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """A head: `norm(act(dense(hidden)))` times the output matrix, plus a bias.

    Shapes: `dense` (features, hidden), `dense_bias`, `norm`, `norm_bias` (features,), `output` (vocab, features),
    `bias` (vocab,). The width of the features is the hidden states' own, or that of the embeddings where those are
    narrower (ALBERT, ELECTRA). `dense_bias` and `norm_bias` are None where the architecture has none; a head without
    an output bias has one of zeros.

    `own_output` says that the output matrix belongs to this head alone and is stored with it; otherwise it is the
    base's, shared by all its heads.
    """

    dense: Tensor
    dense_bias: Tensor | None
    norm: Tensor
    norm_bias: Tensor | None
    output: Tensor
    bias: Tensor
    activation: str
    epsilon: float
    own_output: bool = False

    @classmethod
    def of(cls, dense: nn.Linear, norm: nn.LayerNorm, output: Tensor, bias: Tensor | None, activation: str) -> Self:
        """The head made of these modules' own parameters, so that gradients reach them."""
        return cls(
            dense=dense.weight,
            dense_bias=dense.bias,
            norm=norm.weight,
            norm_bias=norm.bias,
            output=output,
            bias=output.new_zeros(output.shape[0]) if bias is None else bias,
            activation=activation,
            epsilon=norm.eps,
        )

    @property
    def tensors(self) -> dict[str, Tensor]:
        """What a decoder of this form trains and stores, by name: all but a shared output matrix."""
        parts = {
            "dense": self.dense,
            "dense_bias": self.dense_bias,
            "norm": self.norm,
            "norm_bias": self.norm_bias,
            "bias": self.bias,
            "output": self.output if self.own_output else None,
        }
        return {name: tensor for name, tensor in parts.items() if tensor is not None}

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The head with every tensor changed, a shared output matrix, too."""
        changed = {name: change(tensor) for name, tensor in {**self.tensors, "output": self.output}.items()}
        return replace(self, **changed)  # type: ignore[arg-type]  # the other fields are not among them

    def features(self, hidden: Tensor) -> Tensor:
        """What is multiplied with the output matrix: (..., hidden) to (..., features)."""
        activation: Callable[[Tensor], Tensor] = ACT2FN[self.activation]
        dense = activation(nn.functional.linear(hidden, self.dense, self.dense_bias))
        return nn.functional.layer_norm(dense, self.norm.shape, self.norm, self.norm_bias, self.epsilon)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the whole vocabulary: (..., hidden) to (..., vocab)."""
        features = self.features(hidden)
        if torch.is_grad_enabled() or features.device.type != "cpu":
            return nn.functional.linear(features, self.output, self.bias)
        return self._sliced_logits(features)

    def _sliced_logits(self, features: Tensor) -> Tensor:
        """The same, a slice of the vocabulary at a time: what fits into a processor's cache is a quarter faster."""
        flat = features.reshape(-1, features.shape[-1])
        scores = features.new_empty(len(flat), len(self.output))
        for start in range(0, len(self.output), _SLICE):
            part = slice(start, start + _SLICE)
            torch.addmm(self.bias[part], flat, self.output[part].T, out=scores[:, part])
        return scores.view(*features.shape[:-1], len(self.output))
