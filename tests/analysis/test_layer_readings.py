"""Best layers in two readings, on counts worked out by hand and against facts one by one."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bertnesia.analysis.layers import best_layers, chosen_scores


def halves(
    relation: str, first: tuple[int, list[int], list[int]], second: tuple[int, list[int], list[int]]
) -> pd.DataFrame:
    """Rows of `queries.half_measures`: per half its facts, the right ones by layer, and which are right at last."""
    rows = [
        {"model": "m", "layer": layer, "layers": len(first[1]), "relation": relation, "label": relation, "half": half,
         "facts": facts, "correct": right[layer - 1], "with_last": both[layer - 1]}
        for half, (facts, right, both) in enumerate((first, second))
        for layer in range(1, len(right) + 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_relation_known_best_in_between() -> None:
    # Layer 2 has 30 of 40 in the first half and 24 of 40 in the second, where the last has 10, 8 of them in common.
    table = best_layers(halves("r", (40, [5, 30, 12], [2, 10, 12]), (40, [4, 24, 10], [2, 8, 10])))
    row = table.iloc[0]
    assert (row["facts"], row["best_layer"], row["best"], row["last"]) == (80, 2, 54 / 80, 22 / 80)
    assert row["p_paper"] == pytest.approx(stats.ttest_ind([1] * 54 + [0] * 26, [1] * 22 + [0] * 58).pvalue)
    assert (row["chosen_layer"], row["chosen"], row["chosen_last"], row["chosen_facts"]) == (2, 24 / 40, 10 / 40, 40)
    assert (row["only_chosen"], row["only_last"]) == (16, 2)
    assert row["p"] == row["p_holm"] == pytest.approx(stats.binomtest(2, 18).pvalue)
    assert row["odds_ratio"] == 8
    assert row[["tested", "intermediate_paper", "intermediate_ours"]].tolist() == [True] * 3
    assert row[["doubles_paper", "doubles_ours"]].tolist() == [False] * 2


def test_a_relation_that_doubles_in_the_last_layer() -> None:
    table = best_layers(halves("r", (40, [2, 5, 30], [1, 5, 30]), (40, [9, 8, 28], [9, 8, 28])))
    row = table.iloc[0]
    # The paper takes the best of the earlier layers, 13; ours chooses layer 2 and compares 8 with 28 on the other half.
    assert row["doubles_paper"]
    assert row["earlier_layer"] == 2
    assert row["p_doubles"] == pytest.approx(2 / 2**20)
    assert row["doubles_ours"]
    assert (row["best_layer"], row["chosen_layer"], row["p"]) == (3, 3, 1.0)
    assert not row["intermediate_paper"]


def test_no_doubling_of_nothing_and_not_less_than_twice() -> None:
    nothing = best_layers(halves("r", (40, [0, 0, 30], [0, 0, 30]), (40, [0, 0, 28], [0, 0, 28]))).iloc[0]
    assert not nothing["doubles_paper"]
    assert not nothing["doubles_ours"]
    almost = best_layers(halves("r", (40, [0, 15, 29], [0, 15, 29]), (40, [0, 15, 30], [0, 15, 30]))).iloc[0]
    assert not almost["doubles_paper"]  # 59 against 30
    assert almost["doubles_ours"]  # 30 against 15 on the half that counts


def test_small_relations_are_not_tested_and_take_no_part_in_the_correction() -> None:
    small = halves("small", (24, [0, 20, 1], [0, 1, 1]), (25, [0, 20, 1], [0, 1, 1]))
    one = halves("one", (30, [0, 20, 1], [0, 1, 1]), (30, [0, 8, 1], [0, 1, 1]))
    two = halves("two", (30, [0, 20, 1], [0, 1, 1]), (30, [0, 9, 1], [0, 1, 1]))
    table = best_layers(pd.concat([small, one, two])).set_index("relation")
    assert table.loc["small", "tested"] == np.False_
    assert np.isnan(table.loc["small", "p"])
    assert table.loc["small", "intermediate_ours"] is pd.NA
    assert table.loc["small", "intermediate_paper"]
    assert table.loc["one", "p"] == pytest.approx(2 / 2**7)
    assert table.loc["one", "p_holm"] == pytest.approx(2 / 2**7)
    assert table.loc["two", "p_holm"] == pytest.approx(2 * 2 / 2**8)


def test_a_layer_that_loses_on_the_other_half_is_no_finding() -> None:
    row = best_layers(halves("r", (40, [30, 10], [5, 10]), (40, [2, 30], [1, 30]))).iloc[0]
    assert row["chosen_layer"] == 1
    assert row["p_holm"] < 0.001
    assert not row["intermediate_ours"]


def test_ties_go_to_the_last_layer_then_to_the_earliest() -> None:
    tied = halves("r", (10, [4, 4, 3], [0, 0, 3]), (10, [4, 2, 3], [0, 0, 3]))
    assert chosen_scores(tied)["chosen_layer"].tolist() == [1]
    assert chosen_scores(tied)["chosen_correct"].tolist() == [4]
    last = halves("r", (10, [4, 2, 4], [0, 0, 4]), (10, [1, 2, 3], [0, 0, 3]))
    assert chosen_scores(last)["chosen_layer"].tolist() == [3]
    none = chosen_scores(halves("r", (10, [0, 0], [0, 0]), (10, [1, 0], [0, 0])))
    assert none["chosen_layer"].isna().all()
    assert none["chosen_correct"].tolist() == [0]


def test_a_relation_in_one_half_only() -> None:
    rows = halves("r", (60, [3, 9], [2, 9]), (0, [0, 0], [0, 0])).query("half == 0")
    row = best_layers(rows).iloc[0]
    assert row["best"] == 9 / 60
    assert np.isnan(row["chosen"])
    assert row["chosen_facts"] == 0
    assert row["p"] == 1


def test_no_relations() -> None:
    empty = halves("r", (1, [1], [1]), (1, [1], [1]))[:0]
    assert best_layers(empty).empty
    assert "intermediate_ours" in best_layers(empty)
    assert chosen_scores(empty).empty
