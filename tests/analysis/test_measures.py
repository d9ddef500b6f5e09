"""Intervals and their tables, against published values and simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertnesia.analysis.measures import (
    difference_interval,
    normal_interval,
    paired_difference_interval,
    percent,
    signed_percent,
    wilson_interval,
    with_interval,
)


@pytest.mark.parametrize(
    ("correct", "facts", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_as_published(correct: int, facts: int, low: float, high: float) -> None:
    found_low, found_high = wilson_interval(correct, facts)
    assert float(found_low) == pytest.approx(low, abs=5e-5)
    assert float(found_high) == pytest.approx(high, abs=5e-5)


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_ends_solve_its_equation(counts: tuple[int, int]) -> None:
    correct, facts = counts
    low, high = (float(end) for end in wilson_interval(correct, facts))
    assert 0 <= low <= high <= 1
    if facts == 0:
        assert (low, high) == (0, 1)
        return
    share = correct / facts
    assert low <= share <= high
    for end in (low, high):
        assert (share - end) ** 2 == pytest.approx(1.959964**2 * end * (1 - end) / facts, abs=1e-6)


def test_paired_difference_of_a_worked_example() -> None:
    # Bonett and Price's formula with 21 gained, 9 lost of 100: (22 - 10) / 102 ± 1.96 √((32/102 - (12/102)²) / 102).
    low, high = paired_difference_interval(21, 9, 100)
    half = 1.959964 * ((32 / 102 - (12 / 102) ** 2) / 102) ** 0.5
    assert (float(low), float(high)) == pytest.approx((12 / 102 - half, 12 / 102 + half), abs=1e-6)
    low, high = paired_difference_interval([0, 5], [5, 0], [5, 5])
    assert low[0] == -high[1]
    assert low[0] >= -1


def test_paired_intervals_cover_the_truth() -> None:
    random = np.random.default_rng(1)
    draws = random.multinomial(60, [0.12, 0.2, 0.68], size=4000)
    low, high = paired_difference_interval(draws[:, 0], draws[:, 1], np.full(4000, 60))
    assert 0.93 <= np.mean((low <= -0.08) & (high >= -0.08)) <= 0.98


def test_the_interval_fits_the_average() -> None:
    layers = pd.DataFrame(
        {"model": ["m"], "layer": [1], "facts": [29], "correct": [1], "precision": [1 / 29], "precision_error": [0.02],
         "mrr": [0.5], "mrr_error": [0.1]}
    )  # fmt: skip
    micro = with_interval(layers, "precision", "micro").iloc[0]
    assert (micro["value"], micro["low"], micro["high"]) == pytest.approx((1 / 29, 0.0061, 0.1718), abs=5e-5)
    macro = with_interval(layers, "precision", "macro").iloc[0]
    assert (macro["low"], macro["high"]) == pytest.approx((0, 1 / 29 + 0.0392), abs=1e-4)
    mrr = with_interval(layers, "mrr", "micro").iloc[0]
    assert (mrr["value"], mrr["low"], mrr["high"]) == pytest.approx((0.5, 0.304, 0.696), abs=1e-3)
    assert normal_interval(0.99, 0.1)[1] == 1


def test_shares_are_written_alike() -> None:
    assert percent(0.1316) == "13.2 %"
    assert percent(1) == "100.0 %"
    assert percent(None) == percent(float("nan")) == "–"
    assert signed_percent(-0.0312) == "−3.1 %"
    assert signed_percent(0.05) == "+5.0 %"


def test_the_interval_of_a_difference_is_that_of_newcombes_example() -> None:
    """Newcombe 1998, table II, example (a): 56 of 70 against 48 of 80."""
    assert difference_interval(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert difference_interval(3, 10, 3, 10)[0] < 0 < difference_interval(3, 10, 3, 10)[1]
