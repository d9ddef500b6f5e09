"""A head's arithmetic against its formula, and what belongs to it."""

from dataclasses import replace

import pytest
import torch

from bertnesia.models.heads import random_head
from bertnesia.models.weights import HeadWeights

WORDS = 2500  # not a whole number of slices


def head(biases: bool = True) -> HeadWeights:
    torch.manual_seed(0)
    return HeadWeights(
        dense=torch.randn(6, 8),
        dense_bias=torch.randn(6) if biases else None,
        norm=torch.randn(6),
        norm_bias=torch.randn(6) if biases else None,
        output=torch.randn(WORDS, 6),
        bias=torch.randn(WORDS),
        activation="relu",
        epsilon=1e-5,
    )


def slow(one: HeadWeights, hidden: torch.Tensor) -> torch.Tensor:
    """One hidden state (8,) to scores (WORDS,), written out."""
    dense = torch.stack([(row * hidden).sum() for row in one.dense])
    dense = (dense + (0 if one.dense_bias is None else one.dense_bias)).clamp(min=0)
    spread = ((dense - dense.mean()) ** 2).mean()
    normed = (dense - dense.mean()) / torch.sqrt(spread + 1e-5) * one.norm
    features = normed + (0 if one.norm_bias is None else one.norm_bias)
    return torch.stack([(row * features).sum() for row in one.output]) + one.bias


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("gradients", [True, False])
def test_logits_are_the_formula(biases: bool, gradients: bool) -> None:
    one, hidden = head(biases), torch.randn(2, 3, 8)
    with torch.set_grad_enabled(gradients):
        actual = one.logits(hidden)
    assert actual.shape == (2, 3, WORDS)
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(actual[i, j], slow(one, hidden[i, j]), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_no_states_have_no_logits() -> None:
    assert head().logits(torch.zeros(0, 8)).shape == (0, WORDS)
    assert head().logits(torch.zeros(8)).shape == (WORDS,)


def test_what_is_stored_of_a_head() -> None:
    assert list(head().tensors) == ["dense", "dense_bias", "norm", "norm_bias", "bias"]
    assert list(head(biases=False).tensors) == ["dense", "norm", "bias"]
    assert list(replace(head(), own_output=True).tensors)[-1] == "output"


def test_a_change_reaches_every_tensor_and_nothing_else() -> None:
    one = head(biases=False)
    doubled = one.map(lambda tensor: 2 * tensor)
    for name in ("dense", "norm", "output", "bias"):
        assert torch.equal(getattr(doubled, name), 2 * getattr(one, name))
    assert (doubled.dense_bias, doubled.activation, doubled.own_output) == (None, "relu", False)


def test_a_random_head_has_learned_nothing_but_its_output_matrix() -> None:
    one, noise = head(), random_head(head(), seed=1)
    assert noise.output is not None
    assert torch.equal(noise.output, one.output)
    assert torch.equal(noise.norm, torch.ones(6))
    assert not noise.bias.any()
    assert not noise.norm_bias.any()
    assert 0.005 < float(noise.dense.std()) < 0.04
    assert torch.equal(noise.dense, random_head(one, 1).dense)
    assert not torch.equal(noise.dense, random_head(one, 2).dense)
