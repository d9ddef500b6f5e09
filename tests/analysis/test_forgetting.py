"""Rates of what was forgotten, worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from bertnesia.analysis.forgetting import by_loss, churn_rate, forgetting_rate, rates, total

COUNTS = pd.DataFrame(
    [("P1", "a", 100, 40, 30, 25, 15, 5), ("P2", "b", 10, 0, 1, 0, 0, 1), ("P3", "c", 20, 10, 4, 4, 6, 0)],
    columns=["relation", "label", "facts", "right_in_base", "right_in_model", "retained", "forgotten", "learned"],
)


def test_rates() -> None:
    table = rates(COUNTS).set_index("relation")
    assert table.loc["P1", "forgetting_rate"] == pytest.approx(15 / 40)
    assert table.loc["P1", ["forgetting_low", "forgetting_high"]].tolist() == pytest.approx([0.2422, 0.5297], abs=1e-4)
    assert table.loc["P1", "net_change"] == pytest.approx(-0.10)
    assert table.loc["P1", "net_low"] < -0.10 < table.loc["P1", "net_high"] < 0
    assert table.loc["P2", ["forgetting_rate", "forgetting_low", "forgetting_high"]].isna().all()
    assert table.loc["P2", "net_change"] == pytest.approx(0.1)


def test_total_adds_up() -> None:
    row = total(COUNTS).iloc[0]
    assert row[["facts", "right_in_base", "right_in_model", "retained", "forgotten", "learned"]].tolist() == [
        130, 50, 35, 29, 21, 6
    ]  # fmt: skip
    assert row["right_in_base"] == row["retained"] + row["forgotten"]
    assert rates(total(COUNTS))["forgetting_rate"].iloc[0] == pytest.approx(21 / 50)


def test_the_largest_loss_comes_first() -> None:
    assert by_loss(COUNTS)["relation"].tolist() == ["P3", "P1", "P2"]
    tied = COUNTS.assign(forgotten=0).iloc[::-1]
    assert by_loss(tied)["label"].tolist() == ["a", "b", "c"]


def test_churn_at_a_place() -> None:
    places = {"at": ["layer", "layer", "total"], "layer": [1, 2, None], "is_last": [False, True, None]}
    churn = pd.DataFrame({**places, "right_in_base": [0, 8, 10], "forgotten": [0, 2, 1]})
    assert churn_rate(churn, 2) == churn_rate(churn, "last") == pytest.approx(2 / 8)
    assert churn_rate(churn, "total") == pytest.approx(1 / 10)
    assert np.isnan(churn_rate(churn, 1)), "nothing was right"
    assert np.isnan(churn_rate(churn, 3)), "no such layer"
    assert np.isnan(churn_rate(churn[:0], "last")), "no second seed"


def test_the_rate_over_relations() -> None:
    table = pd.DataFrame({"facts": [100, 10], "right_in_base": [40, 5], "forgotten": [10, 5]})
    rate, low, high = forgetting_rate(table, "micro")
    assert rate == pytest.approx(15 / 45)
    assert 0.2 < low < rate < high < 0.5
    # Shares of 0.4 and 0.5 known, of 0.1 and 0.5 forgotten.
    rate, low, high = forgetting_rate(table, "macro")
    assert rate == pytest.approx(0.6 / 0.9)
    assert low < rate < high
    assert all(pd.isna(value) for value in forgetting_rate(table.assign(right_in_base=0, forgotten=0), "macro"))


def test_the_rate_over_relations_covers_the_truth() -> None:
    random = np.random.default_rng(0)
    facts, known, lost = np.array([60, 30, 90]), np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.6, 0.4])
    truth = (known * lost).sum() / known.sum()
    inside = 0
    for _ in range(500):
        right = random.binomial(facts, known)
        table = pd.DataFrame({"facts": facts, "right_in_base": right, "forgotten": random.binomial(right, lost)})
        _, low, high = forgetting_rate(table, "macro")
        inside += low <= truth <= high
    assert 0.91 <= inside / 500 <= 0.98


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_random_facts_one_by_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 80))
    facts = pd.DataFrame(
        {"relation": random.choice(list("rst"), n), "base": random.random(n) < 0.4, "model": random.random(n) < 0.3}
    )
    base, model = facts["base"], facts["model"]
    flags = facts.assign(
        label="", facts=1, right_in_base=base, right_in_model=model, retained=base & model, forgotten=base & ~model,
        learned=model & ~base,
    )  # fmt: skip
    counts = flags.groupby(["relation", "label"], as_index=False).sum(numeric_only=True)
    for row in rates(counts).to_dict("records"):
        mine = facts[facts["relation"] == row["relation"]]
        known = mine[mine["base"]]
        if len(known):
            forgotten = ~known["model"]
            ends = proportion_confint(forgotten.sum(), len(known), method="wilson")
            assert row["forgetting_rate"] == pytest.approx(forgotten.mean())
            assert (row["forgetting_low"], row["forgetting_high"]) == pytest.approx(ends, abs=1e-9)
        else:
            assert np.isnan([row["forgetting_rate"], row["forgetting_low"], row["forgetting_high"]]).all()
        assert row["net_change"] == pytest.approx(mine["model"].mean() - mine["base"].mean())
        assert row["net_low"] <= row["net_change"] <= row["net_high"]
    if base.any():
        micro, *_ = forgetting_rate(counts, "micro")
        assert micro == pytest.approx((base & ~model).sum() / base.sum())
        shares = facts.assign(lost=base & ~model).groupby("relation")[["lost", "base"]].mean().mean()
        macro, low, high = forgetting_rate(counts, "macro")
        assert macro == pytest.approx(shares["lost"] / shares["base"])
        assert 0 <= low <= macro <= high <= 1
