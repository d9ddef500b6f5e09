"""Tests and effect sizes against worked examples and against scipy and statsmodels on raw facts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint, proportion_effectsize

from bertnesia.analysis import significance
from bertnesia.analysis.measures import wilson_interval


def test_mcnemar_of_a_worked_example() -> None:
    # Eight forgotten, two learned: 2 · (C(10,0) + C(10,1) + C(10,2)) / 2¹⁰ = 112 / 1024.
    counts = pd.DataFrame(
        {"facts": [100, 50, 4], "right_in_base": [30, 0, 4], "right_in_model": [24, 0, 0], "forgotten": [8, 0, 4],
         "learned": [2, 0, 0]}
    )  # fmt: skip
    table = significance.mcnemar(counts)
    assert table["p"].tolist() == pytest.approx([112 / 1024, 1.0, 2 / 16])
    assert table["odds_ratio"].iloc[0] == 4
    assert np.isnan(table["odds_ratio"].iloc[1])
    assert table["odds_ratio"].iloc[2] == np.inf
    assert table["cohens_h"].iloc[2] == pytest.approx(-np.pi)  # from everything to nothing
    assert table["cohens_h"].iloc[1] == 0


@pytest.mark.parametrize(("forgotten", "learned"), [(0, 0), (0, 1), (5, 5), (3, 9), (400, 600), (30, 2500)])
def test_mcnemar_is_a_binomial_test_of_the_changed_facts(forgotten: int, learned: int) -> None:
    theirs = stats.binomtest(forgotten, forgotten + learned).pvalue if forgotten + learned else 1.0
    assert float(significance.exact_mcnemar(forgotten, learned)) == pytest.approx(theirs)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_that_of_statsmodels(forgotten: int, learned: int) -> None:
    theirs = their_mcnemar([[5, forgotten], [learned, 7]], exact=True).pvalue
    assert float(significance.exact_mcnemar(forgotten, learned)) == pytest.approx(min(1.0, theirs))


@settings(deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.data())
def test_the_unpaired_test_is_that_of_scipy_on_zeros_and_ones(n: int, m: int, data: st.DataObject) -> None:
    x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    lists = [1] * x + [0] * (n - x), [1] * y + [0] * (m - y)
    with np.errstate(divide="ignore", invalid="ignore"):
        theirs = stats.ttest_ind(*lists).pvalue
    assert float(significance.unpaired_t_test(x, y, n, m)) == pytest.approx(theirs, nan_ok=True)


def test_the_unpaired_test_needs_two_facts_a_side_and_some_spread() -> None:
    # Means 0.5 and 1, pooled variance (0.5 + 0) / 2 = 0.25: t = -0.5 / √(0.25 · (1/2 + 1/2)) = -1 with 2 degrees.
    assert float(significance.unpaired_t_test(1, 2, 2, 2)) == pytest.approx(2 * stats.t.sf(1, 2))
    found = significance.unpaired_t_test([1, 0, 2, 0], [1, 0, 2, 3], [1, 0, 2, 3], [2, 3, 2, 3])
    assert np.isnan(found[:3]).all()
    assert found[3] == 0  # nothing against everything


def test_cohens_h_and_wilson_are_those_of_statsmodels() -> None:
    assert float(significance.cohens_h(0.3, 0.5)) == pytest.approx(proportion_effectsize(0.3, 0.5))
    correct, facts = np.arange(0, 31), np.full(31, 30)
    low, high = wilson_interval(correct, facts)
    theirs = proportion_confint(correct, facts, method="wilson")
    assert low == pytest.approx(theirs[0], abs=1e-12)
    assert high == pytest.approx(theirs[1], abs=1e-12)


def test_holm_of_a_worked_example() -> None:
    table = pd.DataFrame({"model": list("aaaab"), "p": [0.01, 0.04, np.nan, 0.03, 0.04]}, index=[5, 3, 8, 1, 0])
    # 0.01 · 3, then 0.03 · 2, then the larger of 0.04 · 1 and what came before; b stands alone.
    found = significance.holm(table, by=["model"])
    assert found["p_holm"].tolist() == pytest.approx([0.03, 0.06, np.nan, 0.06, 0.04], nan_ok=True)
    assert significance.holm(table)["p_holm"].iloc[0] == pytest.approx(0.04)
    assert significance.holm(table[:0])["p_holm"].empty


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_that_of_statsmodels(p: list[float]) -> None:
    found = significance.holm(pd.DataFrame({"p": p}))["p_holm"]
    assert found.tolist() == pytest.approx(list(multipletests(p, method="holm")[1]))


def test_wilcoxon_of_a_worked_example() -> None:
    # Changes -1, 2, 2, 3, 5 (times some log): places 1, 2.5, 2.5, 4, 5; better 14, worse 1; one tie of two, 2³ - 2 = 6.
    signed = pd.DataFrame(
        {"changed": [5, 0], "rank_sum_better": [14.0, 0], "rank_sum_worse": [1.0, 0], "tie_term": [6.0, 0]}
    )
    table = significance.wilcoxon(signed)
    z = (14 - 7.5) / np.sqrt(5 * 6 * 11 / 24 - 6 / 48)
    assert table["z"].tolist() == pytest.approx([z, 0])
    assert table["p"].tolist() == pytest.approx([2 * stats.norm.sf(z), 1])
    assert table["rank_biserial"].iloc[0] == pytest.approx(13 / 15)
    assert np.isnan(table["rank_biserial"].iloc[1])
    assert table["p"].iloc[0] == pytest.approx(stats.wilcoxon([-1, 2, 2, 3, 5], method="asymptotic").pvalue)


def test_intervals_say_what_they_leave_out() -> None:
    assert "training" in significance.TRAINING_RANDOMNESS
    assert "seeds" in significance.TRAINING_RANDOMNESS
