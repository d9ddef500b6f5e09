"""Measures with their intervals: tables in, tables out."""

from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Measure = Literal["precision", "mrr"]

Floats = npt.NDArray[np.float64]


def wilson_interval(correct: npt.ArrayLike, facts: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson's score interval of a share (Wilson 1927): never outside 0 to 1, and honest at 0 and 1.

    Args:
        correct: counts, any shape.
        facts: out of how many, the same shape.
        confidence: coverage of the interval.

    Returns:
        lower and upper ends, of the same shape; 0 and 1 where there are no facts.
    """
    z2 = z_score(confidence) ** 2
    x, n = np.broadcast_arrays(np.asarray(correct, dtype=np.float64), np.asarray(facts, dtype=np.float64))
    centre = (x + z2 / 2) / (n + z2)
    half = np.sqrt(z2 * (x * (n - x) / np.maximum(n, 1) + z2 / 4)) / (n + z2)
    share = x / np.maximum(n, 1)  # which rounding must not leave outside
    return np.minimum(np.clip(centre - half, 0, 1), share), np.maximum(np.clip(centre + half, 0, 1), share)


def difference_interval(correct: int, facts: int, other_correct: int, other_facts: int) -> tuple[float, float]:
    """The 95 % interval of a share less that of other facts, from Wilson's intervals (Newcombe 1998, method 10)."""
    share, other = correct / facts, other_correct / other_facts
    (low, other_low), (high, other_high) = wilson_interval([correct, other_correct], [facts, other_facts])
    difference = share - other
    return (
        float(difference - np.hypot(share - low, other_high - other)),
        float(difference + np.hypot(high - share, other - other_low)),
    )


def normal_interval(value: npt.ArrayLike, error: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """The interval of a value between 0 and 1 with its standard error, by the normal approximation."""
    centre = np.asarray(value, dtype=np.float64)
    half = z_score(confidence) * np.asarray(error, dtype=np.float64)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def paired_difference_interval(
    gained: npt.ArrayLike, lost: npt.ArrayLike, facts: npt.ArrayLike, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of the difference of two shares measured on the same facts (Bonett and Price 2012, adjusted Wald).

    Args:
        gained: facts right only the second time.
        lost: facts right only the first time.
        facts: all facts.
        confidence: coverage of the interval.

    Returns:
        lower and upper ends of the second share minus the first, between -1 and 1.
    """
    n = np.asarray(facts, dtype=np.float64) + 2
    up, down = (np.asarray(gained, dtype=np.float64) + 1) / n, (np.asarray(lost, dtype=np.float64) + 1) / n
    half = z_score(confidence) * np.sqrt((up + down - (up - down) ** 2) / n)
    return np.clip(up - down - half, -1, 1), np.clip(up - down + half, -1, 1)


def with_interval(layers: pd.DataFrame, measure: Measure, average: str) -> pd.DataFrame:
    """Add `value`, `low` and `high` (95 %) of one measure to the table of `queries.layer_measures`.

    A share of facts gets Wilson's interval; a mean over relations, and MRR, the normal one from its standard error.
    """
    table = layers.assign(value=layers[measure])
    if measure == "precision" and average == "micro":
        low, high = wilson_interval(table["correct"], table["facts"])
    else:
        low, high = normal_interval(table["value"], table[f"{measure}_error"])
    return table.assign(low=np.minimum(low, table["value"]), high=np.maximum(high, table["value"]))


def percent(value: Any, digits: int = 1) -> str:
    """A share as people read it: `13.2 %`, or a dash where there is none."""
    return "–" if value is None or pd.isna(value) else f"{100 * float(value):.{digits}f} %"


def signed_percent(value: float, digits: int = 1) -> str:
    """A change of a share, always with its sign: `+1.2 %`, `−3.4 %`."""
    return f"{100 * value:+.{digits}f} %".replace("-", "−")


def z_score(confidence: float = 0.95) -> float:
    """How many standard errors an interval of this coverage reaches to each side."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)
