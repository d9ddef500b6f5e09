"""The bootstrap over facts, in clusters of the facts of a relation that share their object: arrays in, arrays out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bertnesia.analysis.measures import Floats, wilson_interval

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Clusters:
    """Sums over clusters of facts.

    Attributes:
        relation: number of each cluster's relation, from 0, in ascending order: (clusters,).
        facts: how many facts each has: (clusters,).
        sums: what is averaged, summed over them: (clusters, columns).
    """

    relation: npt.NDArray[np.int64]
    facts: Floats
    sums: Floats

    def columns(self, chosen: npt.ArrayLike) -> "Clusters":
        """The same clusters with some of the columns."""
        return Clusters(self.relation, self.facts, self.sums[:, np.asarray(chosen)])


def read_clusters(table: pd.DataFrame, columns: int) -> Clusters:
    """Clusters from the table of `queries.clusters` or `queries.total_clusters`.

    Args:
        table: relation, facts, and lists: sums and the columns they belong to, `places`; others are 0.
        columns: how many there are.
    """
    ordered = table.sort_values("relation", kind="stable")
    codes, _ = pd.factorize(ordered["relation"])
    sums = np.zeros((len(ordered), columns))
    if len(ordered):
        row = np.repeat(np.arange(len(ordered)), ordered["places"].map(len))
        sums[row, np.concatenate(ordered["places"].to_numpy()).astype(np.int64)] = np.concatenate(
            ordered["sums"].to_numpy()
        )
    return Clusters(codes.astype(np.int64), ordered["facts"].to_numpy(dtype=np.float64), sums)


def mean(clusters: Clusters, average: Literal["micro", "macro"]) -> Floats:
    """Means per fact (micro), or over relations of the means per fact (macro): (columns,); missing without facts."""
    if len(clusters.facts) == 0:
        return np.full(clusters.sums.shape[1], np.nan)
    return _average([(clusters.sums[of].sum(axis=0), clusters.facts[of].sum()) for of in _relations(clusters)], average)


def resample(clusters: Clusters, average: Literal["micro", "macro"], draws: int = DRAWS, seed: int = 0) -> Floats:
    """Means of resamples: within each relation, as many of its clusters as it has are drawn with replacement.

    Relations are fixed, so the spread is that of other facts of these relations (Efron and Tibshirani 1993, chapter 8;
    clusters: Davison and Hinkley 1997, section 3.8).

    Returns:
        (draws, columns), the same for the same seed; missing where no relation has two clusters.
    """
    if len(clusters.facts) == 0 or np.bincount(clusters.relation).max() < 2:
        return np.full((draws, clusters.sums.shape[1]), np.nan)
    random = np.random.default_rng(seed)
    parts = []
    for of in _relations(clusters):
        drawn = _draw(random, of.stop - of.start, draws)
        parts.append((drawn @ clusters.sums[of], (drawn @ clusters.facts[of])[:, None]))
    return _average(parts, average)


def percentile_interval(resamples: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Lower and upper percentiles over the first axis; missing where every resample is."""
    tail = (1 - confidence) / 2
    known = np.where(np.isnan(resamples).all(axis=0), 0.0, resamples)
    low, high = np.nanquantile(known, [tail, 1 - tail], axis=0).reshape(2, *resamples.shape[1:])
    missing = np.isnan(resamples).all(axis=0)
    return np.where(missing, np.nan, low), np.where(missing, np.nan, high)


def interval(clusters: Clusters, average: Literal["micro", "macro"]) -> tuple[Floats, Floats]:
    """The 95 % percentile interval of the means: (columns,) each.

    Where no resample differs (everything or nothing right), Wilson's interval of that share of the facts stands in, for
    the bootstrap knows no spread there. Missing where no relation has two clusters.
    """
    drawn = resample(clusters, average)
    low, high = percentile_interval(drawn)
    value = mean(clusters, average)
    facts = clusters.facts.sum()
    wilson_low, wilson_high = wilson_interval(value * facts, facts)
    flat = low == high
    low, high = np.where(flat, wilson_low, low), np.where(flat, wilson_high, high)
    return np.minimum(low, value), np.maximum(high, value)


def _draw(random: np.random.Generator, size: int, draws: int) -> Floats:
    """How often each of `size` clusters is drawn in each resample: (draws, size)."""
    drawn = random.integers(0, size, (draws, size))
    drawn += size * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size).astype(np.float64)


def _relations(clusters: Clusters) -> list[slice]:
    """Where the clusters of each relation stand."""
    ends = np.cumsum(np.bincount(clusters.relation))
    return [slice(int(start), int(end)) for start, end in zip([0, *ends], ends, strict=False)]


def _average(parts: Sequence[tuple[Floats, Floats]], average: Literal["micro", "macro"]) -> Floats:
    """Of sums and numbers of facts by relation: all sums over all facts, or the mean of the relations' quotients."""
    if average == "micro":
        return np.asarray(sum(sums for sums, _ in parts) / sum(facts for _, facts in parts), dtype=np.float64)
    return np.asarray(np.mean([sums / facts for sums, facts in parts], axis=0), dtype=np.float64)
