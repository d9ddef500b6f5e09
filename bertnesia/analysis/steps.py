"""When and in which layer a fine-tuning run loses what the base knew: arrays and tables in, tables out."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bertnesia.analysis.bootstrap import percentile_interval
from bertnesia.analysis.measures import Floats

_ROUNDING = 1e-12
"""What differences of shares may be off by: exactly half is half."""


def falls_first(values: Floats, resamples: Floats, steps: npt.ArrayLike, layers: npt.ArrayLike) -> pd.DataFrame:
    """The first step at which each layer has lost half of its final drop, with its interval over facts.

    Args:
        values: a measure by step and layer, the base first and the end of the run last: (steps, layers).
        resamples: the same of resampled facts: (draws, steps, layers).
        steps: numbers of the steps: (steps,).
        layers: numbers of the layers: (layers,).

    Returns:
        layer, drop (from first to last), step, low, high (95 %; all missing where a layer does not drop), drops (share
        of resamples in which it does), first (share of resamples in which no other layer falls earlier; layers that
        fall together share it).
    """
    numbers = np.asarray(steps, dtype=np.float64)
    step = _half_lost(values[None], numbers)[0]
    drawn = _half_lost(resamples, numbers)
    low, high = _whole_steps(drawn)
    fell = ~np.isnan(step)
    return pd.DataFrame(
        {
            "layer": np.asarray(layers),
            "drop": values[0] - values[-1],
            "step": step,
            "low": np.where(fell, low, np.nan),
            "high": np.where(fell, high, np.nan),
            "drops": np.mean(~np.isnan(drawn), axis=0),
            "first": _first(drawn),
        }
    )


def _half_lost(values: Floats, steps: Floats) -> Floats:
    """(draws, steps, layers) to (draws, layers): the first step with half of the final drop, missing without a drop."""
    lost = values[:, :1] - values
    drop = lost[:, -1]
    place = np.argmax(lost >= drop[:, None] / 2 - _ROUNDING, axis=1)
    return np.where(drop > 0, steps[place], np.nan)


def _whole_steps(drawn: Floats) -> tuple[Floats, Floats]:
    """The interval's ends, each one of the steps."""
    if np.isnan(drawn).all():
        return percentile_interval(drawn)
    ends = [np.full(drawn.shape[1], np.nan) for _ in range(2)]
    for layer in np.flatnonzero(~np.isnan(drawn).all(axis=0)):
        known = drawn[~np.isnan(drawn[:, layer]), layer]
        for end, tail in zip(ends, (0.025, 0.975), strict=True):
            end[layer] = np.quantile(known, tail, method="inverted_cdf")
    return ends[0], ends[1]


def _first(drawn: Floats) -> Floats:
    """How often each layer is the first to fall: (layers,)."""
    known = np.where(np.isnan(drawn), np.inf, drawn)
    earliest = (known == known.min(axis=1, keepdims=True)) & np.isfinite(known)
    shared = earliest / np.maximum(earliest.sum(axis=1, keepdims=True), 1)
    return np.asarray(shared.mean(axis=0), dtype=np.float64)
