"""The bootstrap over facts, in clusters of the facts of a relation that share their object: arrays in, arrays out."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bertnesia.analysis.measures import Floats

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


def read_clusters(table: pd.DataFrame) -> Clusters:
    """Clusters from the table of `queries.clusters` or `queries.total_clusters`: relation, facts, sums (lists)."""
    ordered = table.sort_values("relation", kind="stable")
    codes, _ = pd.factorize(ordered["relation"])
    rows = [np.asarray(row, dtype=np.float64) for row in ordered["sums"]]
    facts = ordered["facts"].to_numpy(dtype=np.float64)
    return Clusters(codes.astype(np.int64), facts, np.vstack(rows) if rows else np.zeros((0, 0)))


def mean(clusters: Clusters, average: Literal["micro", "macro"]) -> Floats:
    """Means per fact (micro), or over relations of the means per fact (macro): (columns,)."""
    return _means(clusters, np.ones((1, len(clusters.facts))), average).ravel()


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
    parts = [_draw(random, size, draws) for size in np.bincount(clusters.relation)]
    return _means(clusters, np.concatenate(parts, axis=1), average)


def percentile_interval(resamples: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Lower and upper percentiles over the first axis; missing where every resample is."""
    tail = (1 - confidence) / 2
    known = np.where(np.isnan(resamples).all(axis=0), 0.0, resamples)
    low, high = np.nanquantile(known, [tail, 1 - tail], axis=0)
    missing = np.isnan(resamples).all(axis=0)
    return np.where(missing, np.nan, low), np.where(missing, np.nan, high)


def _draw(random: np.random.Generator, size: int, draws: int) -> Floats:
    """How often each of `size` clusters is drawn in each resample: (draws, size)."""
    drawn = random.integers(0, size, (draws, size)) + size * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * size).reshape(draws, size).astype(np.float64)


def _means(clusters: Clusters, weights: Floats, average: Literal["micro", "macro"]) -> Floats:
    """Means under weights (rows, clusters): (rows, columns)."""
    if average == "micro":
        return np.asarray(weights @ clusters.sums / (weights @ clusters.facts)[:, None], dtype=np.float64)
    ends = np.flatnonzero(np.diff(clusters.relation)) + 1
    spans = list(zip([0, *ends], [*ends, len(clusters.facts)], strict=True))
    means = [weights[:, i:j] @ clusters.sums[i:j] / (weights[:, i:j] @ clusters.facts[i:j])[:, None] for i, j in spans]
    return np.asarray(np.mean(means, axis=0), dtype=np.float64)
