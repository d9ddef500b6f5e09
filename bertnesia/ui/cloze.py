"""Live predictions as tables."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from bertnesia.live import ClozeResult


def predictions_table(results: "Sequence[ClozeResult]", labels: Mapping[str, str]) -> pd.DataFrame:
    """One row per predicted word: model, label, mask, layer, place (counted from 1), token, probability."""
    rows = [
        (result.model, labels.get(result.model, result.model), result.mask, layer.layer, place, token, probability)
        for result in results
        for layer in result.layers
        for place, (token, probability) in enumerate(zip(layer.tokens, layer.probabilities, strict=True), start=1)
    ]
    return pd.DataFrame(rows, columns=["model", "label", "mask", "layer", "place", "token", "probability"])


def watched_table(results: "Sequence[ClozeResult]", labels: Mapping[str, str]) -> pd.DataFrame:
    """One row per watched word: model, label, mask, word, layer, rank, probability."""
    rows = [
        (
            result.model,
            labels.get(result.model, result.model),
            result.mask,
            one.word,
            layer.layer,
            one.rank,
            one.probability,
        )
        for result in results
        for layer in result.layers
        for one in layer.watched
    ]
    return pd.DataFrame(rows, columns=["model", "label", "mask", "word", "layer", "rank", "probability"])
