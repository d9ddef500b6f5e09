"""Tests on paired facts and their effect sizes: tables of counts in, tables out.

scipy and statsmodels do the mathematics; they take a second to import, so each is imported where it is used.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from bertnesia.analysis.measures import Floats

TRAINING_RANDOMNESS = (
    "Intervals and tests speak of other facts of the same kind; how far another training run would differ is left "
    "out, unless seeds are pooled."
)
"""To be shown wherever intervals or tests are."""


def mcnemar(counts: pd.DataFrame) -> pd.DataFrame:
    """Add McNemar's exact test and effect sizes to a table of paired counts (McNemar 1947).

    Args:
        counts: facts, right_in_base, right_in_model, forgotten (right only in the base), learned (only in the model).

    Returns:
        the counts and p (two-sided, 1 where no fact changed), odds_ratio (matched pairs: forgotten / learned; missing
        where both are 0) and cohens_h (of the model's share against the base's; below 0 where the model knows less).
    """
    forgotten, learned = (counts[name].to_numpy(dtype=np.float64) for name in ("forgotten", "learned"))
    facts = counts["facts"].to_numpy(dtype=np.float64)
    return counts.assign(
        p=exact_mcnemar(forgotten, learned),
        odds_ratio=_quotient(forgotten, learned),
        cohens_h=cohens_h(_quotient(counts["right_in_model"], facts), _quotient(counts["right_in_base"], facts)),
    )


def exact_mcnemar(first: npt.ArrayLike, second: npt.ArrayLike) -> Floats:
    """Two-sided exact p of discordant pairs: right only the first and only the second time, any shape."""
    from scipy.stats import binom  # noqa: PLC0415

    a, b = np.broadcast_arrays(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))
    return np.asarray(np.minimum(1.0, 2 * binom.cdf(np.minimum(a, b), a + b, 0.5)), dtype=np.float64)


def unpaired_t_test(
    first: npt.ArrayLike, second: npt.ArrayLike, first_facts: npt.ArrayLike, second_facts: npt.ArrayLike
) -> Floats:
    """Two-sided p of Student's t-test between two lists of right (1) and wrong (0) facts, from their counts.

    What the paper uses, although its facts are the same ones in both lists: see `exact_mcnemar` for what fits them.

    Args:
        first: right facts, any shape.
        second: likewise.
        first_facts: out of how many.
        second_facts: likewise.

    Returns:
        p; missing where neither list varies and both are equal, or one has fewer than two facts.
    """
    from scipy.stats import ttest_ind_from_stats  # noqa: PLC0415

    x, y, n, m = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (first, second, first_facts, second_facts))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = [np.sqrt(right * (of - right) / of / (of - 1)) for right, of in ((x, n), (y, m))]
        p = ttest_ind_from_stats(x / n, spread[0], n, y / m, spread[1], m).pvalue
    return np.where((n < 2) | (m < 2), np.nan, p)


def holm(table: pd.DataFrame, p: str = "p", by: Sequence[str] = ()) -> pd.DataFrame:
    """Add Holm's correction (Holm 1979) of the column `p` as `{p}_holm`, within each group; missing p take no part."""
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415

    corrected = pd.Series(np.nan, index=table.index)
    groups = [rows for _, rows in table.groupby(list(by))] if by else [table]
    for rows in groups:
        given = rows[p].dropna()
        if len(given):
            corrected[given.index] = multipletests(given, method="holm")[1]
    return table.assign(**{f"{p}_holm": corrected})


def wilcoxon(signed: pd.DataFrame) -> pd.DataFrame:
    """Wilcoxon's signed-rank test (Wilcoxon 1945) from the sums of `queries.signed_ranks`.

    Facts without a change are left out; the normal approximation is corrected for ties.

    Returns:
        the table and z (above 0: ranks rose), p (two-sided, 1 where nothing changed) and rank_biserial (from -1, all
        fell, to 1, all rose; Kerby 2014), missing where nothing changed.
    """
    from scipy.stats import norm  # noqa: PLC0415

    n = signed["changed"].to_numpy(dtype=np.float64)
    up, down = (signed[name].to_numpy(dtype=np.float64) for name in ("rank_sum_better", "rank_sum_worse"))
    variance = n * (n + 1) * (2 * n + 1) / 24 - signed["tie_term"].to_numpy(dtype=np.float64) / 48
    z = np.divide(up - n * (n + 1) / 4, np.sqrt(variance), out=np.zeros_like(n), where=variance > 0)
    return signed.assign(z=z, p=2 * norm.sf(np.abs(z)), rank_biserial=_quotient(up - down, up + down))


def cohens_h(share: npt.ArrayLike, other: npt.ArrayLike) -> Floats:
    """Cohen's h of two shares (Cohen 1988, chapter 6): 0.2 is small, 0.5 medium, 0.8 large."""
    angles = [2 * np.arcsin(np.sqrt(np.asarray(value, dtype=np.float64))) for value in (share, other)]
    return np.asarray(angles[0] - angles[1], dtype=np.float64)


def _quotient(above: npt.ArrayLike, below: npt.ArrayLike) -> Floats:
    """Elementwise above / below: infinite over 0, and missing for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.asarray(above, dtype=np.float64) / np.asarray(below, dtype=np.float64), dtype=np.float64)
