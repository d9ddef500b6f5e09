"""Outcomes by layer, rank changes, lost and buried, amounts of data."""

import pandas as pd
import pytest

from bertnesia.figures.forgetting import by_share, lost_and_buried, outcomes_by_layer, rank_changes


def test_outcomes_by_layer_are_shares() -> None:
    table = pd.DataFrame(
        {"layer": [2, 1], "facts": [10, 10], "retained": [4, 1], "forgotten": [3, 0], "learned": [1, 2]}
    )
    figure = outcomes_by_layer(table, title="t", note="n")
    assert {trace.name: (trace.x, trace.y) for trace in figure.data} == {
        "retained": ((1, 2), (0.1, 0.4)),
        "forgotten": ((1, 2), (0.0, 0.3)),
        "learned": ((1, 2), (0.2, 0.1)),
    }
    assert figure.layout.barmode == "stack"


def test_rank_changes_go_left_where_worse_and_right_where_better() -> None:
    rows = [
        (layer, change, facts, 100)
        for layer in (1, 2)
        for change, facts in zip(range(-3, 4), (5, 10, 15, 40, 20, 8, 2), strict=True)
    ]
    figure = rank_changes(pd.DataFrame(rows, columns=["layer", "change", "facts", "of"]), title="t", note="n")
    shares = {trace.name: trace.x for trace in figure.data}
    assert shares == {
        "1–9 worse": pytest.approx((-0.15, -0.15)),
        "10–99 worse": pytest.approx((-0.1, -0.1)),
        "100+ worse": pytest.approx((-0.05, -0.05)),
        "1–9 better": pytest.approx((0.2, 0.2)),
        "10–99 better": pytest.approx((0.08, 0.08)),
        "100+ better": pytest.approx((0.02, 0.02)),
    }
    assert figure.layout.xaxis.range == (-0.4, 0.4), "the longer side, 30 %, rounded up past itself"
    assert figure.layout.xaxis.ticktext == ("40%", "20%", "0%", "20%", "40%")
    assert figure.layout.barmode == "relative"


def test_forgotten_facts_are_lost_or_buried() -> None:
    table = pd.DataFrame(
        {"label": ["born <b>", "capital", "border"], "forgotten": [10, 4, 0], "lost": [7, 0, 0], "buried": [3, 4, 0]}
    )
    figure = lost_and_buried(table, title="t", note="n")
    assert {trace.name: trace.x for trace in figure.data} == {"lost": (0.7, 0.0), "buried": (0.3, 1.0)}
    assert figure.data[0].y == ("born &lt;b&gt; (10)", "capital (4)")
    assert "No fact was forgotten" in lost_and_buried(table[2:], title="t", note="n").layout.annotations[0].text


def test_amounts_of_data_are_a_line_per_way_of_matching() -> None:
    rows = [(0.5, "steps", 0.2), (0.1, "steps", 0.1), (0.1, "epochs", 0.05), (1.0, "", 0.3)]
    table = pd.DataFrame(rows, columns=["share", "matched", "value"])
    table = table.assign(low=table["value"] - 0.01, high=table["value"] + 0.03, churn_of_base=0.04)
    figure = by_share(table, colour="#3B7DD8", title="t", note="n")
    assert [(trace.name, trace.x, trace.y) for trace in figure.data] == [
        ("as many steps as the whole", (0.1, 0.5, 1.0), (0.1, 0.2, 0.3)),
        ("as many epochs as the whole", (0.1, 1.0), (0.05, 0.3)),
        ("churn alone", (0, 1), (0.04, 0.04)),
    ]
    unmeasured = by_share(table.assign(churn_of_base=float("nan")), colour="#3B7DD8", title="t", note="n")
    assert [trace.name for trace in unmeasured.data] == [trace.name for trace in figure.data[:2]]
    assert figure.data[0].error_y.array == pytest.approx((0.03, 0.03, 0.03))
