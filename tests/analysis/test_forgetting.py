"""Rates of what was forgotten, worked out by hand."""

import pandas as pd
import pytest

from bertnesia.analysis.forgetting import by_loss, rates, total

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
