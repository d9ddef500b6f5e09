"""Which layer falls first: by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertnesia.analysis.steps import falls_first

STEPS = [0, 10, 50, 100]
#            base  10   50   100
VALUES = np.array([[0.4, 0.5, 0.2, 0.3], [0.4, 0.3, 0.2, 0.3], [0.3, 0.2, 0.2, 0.3], [0.2, 0.1, 0.4, 0.3]])


def test_the_first_step_with_half_of_the_final_drop() -> None:
    table = falls_first(VALUES, VALUES[None], STEPS, [1, 2, 3, 4])
    # Layer 1 loses 0.1 of 0.2 at step 50; layer 2 loses 0.2 of 0.4 at step 10; layers 3 and 4 lose nothing.
    assert table["step"].tolist() == pytest.approx([50, 10, np.nan, np.nan], nan_ok=True)
    assert table["drop"].tolist() == pytest.approx([0.2, 0.4, -0.2, 0.0])
    assert table["drops"].tolist() == [1, 1, 0, 0]
    assert table["first"].tolist() == [0, 1, 0, 0]


def test_resamples_give_the_interval_and_the_share_of_firsts() -> None:
    sooner = VALUES.copy()
    sooner[1, 0] = 0.25  # layer 1 falls at step 10, too
    rising = VALUES.copy()
    rising[3] = 0.9
    drawn = np.stack([VALUES] * 6 + [sooner] * 3 + [rising])
    table = falls_first(VALUES, drawn, STEPS, [1, 2, 3, 4])
    assert table.loc[0, ["low", "high"]].tolist() == [10, 50]
    assert table.loc[1, ["low", "high"]].tolist() == [10, 10]
    assert table.loc[2, ["low", "high"]].isna().all()
    assert table["drops"].tolist() == pytest.approx([0.9, 0.9, 0, 0])
    assert table["first"].tolist() == pytest.approx([0.15, 0.75, 0, 0])  # three draws shared


def test_without_resamples_the_interval_is_missing() -> None:
    table = falls_first(VALUES, np.full((5, 4, 4), np.nan), STEPS, [1, 2, 3, 4])
    assert table["step"].tolist()[:2] == [50, 10]
    assert table[["low", "high"]].isna().all().all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 5))
def test_random_runs_one_layer_at_a_time(seed: int, layers: int, length: int) -> None:
    random = np.random.default_rng(seed)
    steps = np.arange(length) * 10
    drawn = random.integers(0, 9, (20, length, layers)) / 8
    table = falls_first(drawn[0], drawn, steps, np.arange(layers) + 1)
    fell = np.full((20, layers), np.inf)
    for draw, values in enumerate(drawn):
        for layer in range(layers):
            drop = values[0, layer] - values[-1, layer]
            if drop > 0:
                fell[draw, layer] = next(
                    step for step, value in zip(steps, values[:, layer], strict=True)
                    if values[0, layer] - value >= drop / 2
                )  # fmt: skip
    assert table["step"].tolist() == pytest.approx(list(np.where(np.isinf(fell[0]), np.nan, fell[0])), nan_ok=True)
    assert table["drops"].tolist() == pytest.approx(list(np.isfinite(fell).mean(axis=0)))
    firsts = np.zeros(layers)
    for of_draw in fell[np.isfinite(fell).any(axis=1)]:
        earliest = np.flatnonzero(of_draw == of_draw.min())
        firsts[earliest] += 1 / len(earliest)
    assert table["first"].tolist() == pytest.approx(list(firsts / 20))
    for row in table.dropna(subset=["step"]).itertuples():
        assert {row.low, row.high} <= set(steps), "ends are steps of the run"
        assert row.low <= row.high
