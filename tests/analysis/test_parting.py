"""Where two models part, worked out by hand."""

from math import log

import pytest
import torch

from bertnesia.analysis.parting import parting_layer
from bertnesia.live.predict import distances


@pytest.mark.parametrize(
    ("variation", "layer"),
    [
        ({1: 0.1, 2: 0.6, 3: 0.7}, 2),
        ({1: 0.6, 2: 0.4, 3: 0.5}, 3),
        ({1: 0.9, 2: 0.9, 3: 0.49}, None),
        ({3: 0.8, 1: 0.7, 2: 0.5}, 1),
        ({}, None),
    ],
)
def test_models_part_where_they_stay_apart_up_to_the_last_layer(variation: dict[int, float], layer: int | None) -> None:
    assert parting_layer(variation) == layer


def test_distances_by_hand() -> None:
    reference = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]]).log()
    other = torch.tensor([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]).log()
    same, apart = distances(reference, other)
    assert (same.total_variation, same.divergence) == (0, 0)
    assert apart.total_variation == pytest.approx(0.25)
    assert apart.divergence == pytest.approx(0.5 * log(2) - 0.25 * log(2))
