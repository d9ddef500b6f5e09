"""Best layers in two readings, against facts one by one, scipy and statsmodels, on random facts."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from bertnesia.analysis.layers import FEWEST_FACTS, best_layers, chosen_scores

LAYERS = 4
Right = npt.NDArray[np.bool_]


def halves_of(facts: pd.DataFrame, right: Right) -> pd.DataFrame:
    """The table of `queries.half_measures` of facts with what is right at each layer: (facts, layers)."""
    rows = [
        {"model": "m", "layer": layer, "layers": LAYERS, "relation": relation, "label": relation, "half": half,
         "facts": len(mine), "correct": right[mine.index, layer - 1].sum(),
         "with_last": (right[mine.index, layer - 1] & right[mine.index, -1]).sum()}
        for (relation, half), mine in facts.groupby(["relation", "half"])
        for layer in range(1, LAYERS + 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def best_of(right: Right) -> int:
    """Place of the layer with most right: the last among equals, else the earliest."""
    counts = list(right.sum(axis=0))
    return LAYERS - 1 if counts[-1] == max(counts) else counts.index(max(counts))


@pytest.mark.filterwarnings("ignore:Precision loss")  # scipy, of lists that do not vary
@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_both_readings(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(20, 400))
    facts = pd.DataFrame({"relation": random.choice(list("rst"), n), "half": random.integers(0, 2, n)})
    right = random.random((n, LAYERS)) < random.random(LAYERS)
    table = best_layers(halves_of(facts, right)).set_index("relation")
    scores = chosen_scores(halves_of(facts, right)).set_index("relation")
    p = {}
    for relation, mine in facts.groupby("relation"):
        row, whole = table.loc[relation], right[mine.index]
        first, second = (right[mine.index[mine["half"] == half]] for half in (0, 1))
        check_paper(row, whole)
        if whole.any():
            assert (row["facts"], row["tested"]) == (len(mine), len(mine) >= FEWEST_FACTS)
        chosen = best_of(first) if len(first) else LAYERS - 1
        score = scores.loc[relation]
        assert (score["chosen_facts"], score["chosen_correct"]) == (len(second), second[:, chosen].sum())
        if first.any():
            assert row["chosen_layer"] == score["chosen_layer"] == chosen + 1
        only = (second[:, chosen] & ~second[:, -1]).sum(), (second[:, -1] & ~second[:, chosen]).sum()
        assert (row["only_chosen"], row["only_last"]) == only
        if row["tested"]:
            p[relation] = stats.binomtest(int(only[0]), int(sum(only))).pvalue if sum(only) else 1.0
            assert row["p"] == pytest.approx(p[relation])
    if p:
        corrected = dict(zip(p, multipletests(list(p.values()), method="holm")[1], strict=True))
        for relation, value in corrected.items():
            row = table.loc[relation]
            assert row["p_holm"] == pytest.approx(value)
            assert row["intermediate_ours"] == (value <= 0.05 and row["only_chosen"] > row["only_last"])
    assert table.loc[[name for name in table.index if name not in p], "intermediate_ours"].isna().all()


def check_paper(row: pd.Series, right: Right) -> None:
    counts = right.sum(axis=0)
    place = best_of(right)
    assert row["best"] == pytest.approx(counts.max() / len(right))
    assert row["last"] == pytest.approx(counts[-1] / len(right))
    if counts.max() > 0:
        assert row["best_layer"] == place + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        p = stats.ttest_ind(right[:, place], right[:, -1]).pvalue if len(right) > 1 else np.nan
    assert row["p_paper"] == pytest.approx(p, nan_ok=True)
    assert row["intermediate_paper"] == (counts[place] > counts[-1] and p <= 0.05)
    earlier = counts[:-1].max()
    assert row["doubles_paper"] == (earlier > 0 and counts[-1] >= 2 * earlier)
