"""Where two models' predictions part."""

from collections.abc import Mapping

APART = 0.5
"""Total variation from which on two predictions count as apart: half of the probability lies on other words."""


def parting_layer(total_variation: Mapping[int, float]) -> int | None:
    """The first layer from which on, up to the last, two predictions are apart; None if the last ones are not.

    Args:
        total_variation: the distance of the predictions at each layer.
    """
    layers = sorted(total_variation)
    together = [place for place, layer in enumerate(layers) if total_variation[layer] < APART]
    first = together[-1] + 1 if together else 0
    return layers[first] if first < len(layers) else None
