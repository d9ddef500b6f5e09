"""Totals from tables of counts, by hand."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from bertnesia.analysis.totals import intermediate_share, micro_intervals, relation_totals, totals


def counts(**columns: list[object]) -> pd.DataFrame:
    """The table of `queries.relation_totals`: two relations of model m, one seed, nothing beside the totals."""
    table = pd.DataFrame({"model": "m", "layers": 3, "relation": ["r", "s"], "label": ["R", "S"], "left_out": [1, 0]})
    given = {"facts": [10, 2], "last_facts": [10, 2], "last_correct": [4, 0], "total_correct": [5, 1], "seeds": [1, 1]}
    unions = {f"{union}_{what}": [0, 0] for union in ("seeds", "masked", "control") for what in ("facts", "correct")}
    return table.assign(**{**given, **unions, **columns})


def halves() -> pd.DataFrame:
    """Half 0 chooses layer 2 for r and no layer for s, which has no fact in half 1."""
    rows = [
        ("r", 0, 6, [1, 4, 3], [1, 2, 3]), ("r", 1, 4, [0, 1, 1], [0, 1, 1]), ("s", 0, 2, [0, 0, 0], [0, 0, 0]),
    ]  # fmt: skip
    return pd.DataFrame(
        [
            {"model": "m", "layer": layer, "layers": 3, "relation": relation, "label": relation, "half": half,
             "facts": facts, "correct": right[layer - 1], "with_last": both[layer - 1]}
            for relation, half, facts, right, both in rows
            for layer in (1, 2, 3)
        ]
    )  # fmt: skip


LAYERS = pd.DataFrame({"model": "m", "layer": [1, 2, 3], "precision": [0.1, 0.5, 0.5], "left_out": 4})


def test_over_facts_and_over_relations() -> None:
    micro = totals(counts(), halves(), LAYERS, "micro").iloc[0]
    assert micro[["last", "total", "intermediate_share"]].tolist() == pytest.approx([4 / 12, 6 / 12, 1 / 3])
    macro = totals(counts(), halves(), LAYERS, "macro").iloc[0]
    assert macro[["last", "total", "intermediate_share"]].tolist() == pytest.approx([0.2, 0.5, 0.6])
    for row in (micro, macro):
        assert row[["facts", "relations"]].tolist() == [12, 2]
        assert row["left_out"] == 4, "1 of r, and 3 of a relation without a shared fact"
        assert (row["best_layer"], row["best"]) == (2, 0.5), "the earliest of equals"
        assert (row["chosen"], row["chosen_facts"]) == (1 / 4, 4), "r's layer 2 on its other half; s has none"
        assert np.isnan(row[["seeds_union", "masked_union", "control_union"]].astype(float)).all()


def test_unions_stand_beside_a_total_where_they_were_measured() -> None:
    table = counts(
        seeds=[3, 3], seeds_facts=[10, 2], seeds_correct=[5, 1], masked_facts=[10, 0], masked_correct=[1, 0],
    )  # fmt: skip
    micro, macro = (totals(table, halves(), LAYERS, average).iloc[0] for average in ("micro", "macro"))
    assert (micro["seeds_union"], macro["seeds_union"]) == (6 / 12, 0.5)
    assert (micro["masked_union"], macro["masked_union"]) == (0.1, 0.1), "over the relation that was asked"
    alone = totals(table.assign(seeds=1), halves(), LAYERS, "micro").iloc[0]
    assert np.isnan(alone["seeds_union"]), "one seed is no union"


def test_per_relation() -> None:
    layers = pd.concat([LAYERS.assign(relation="r"), LAYERS.assign(relation="s", precision=0.0)])
    r, s = relation_totals(counts(), halves(), layers).to_dict("records")
    assert (r["last"], r["total"], r["intermediate_share"]) == pytest.approx((0.4, 0.5, 0.2))
    assert (r["best_layer"], r["chosen_layer"], r["chosen"], r["chosen_facts"]) == (2, 2, 1 / 4, 4)
    assert (s["last"], s["total"], s["intermediate_share"]) == (0, 0.5, 1)
    assert pd.isna(s["best_layer"])
    assert pd.isna(s["chosen_layer"])
    assert np.isnan(s["chosen"])


def test_a_model_without_its_last_layer_has_no_last_and_no_share() -> None:
    row = totals(counts(last_facts=[0, 0], last_correct=[0, 0]), halves(), LAYERS, "micro").iloc[0]
    assert np.isnan([row["last"], row["intermediate_share"]]).all()
    assert row["total"] == 0.5


def test_the_share_of_nothing_is_missing() -> None:
    share = intermediate_share(pd.Series([0.0, 0.0, 0.2]), pd.Series([0.0, 0.4, 0.2]))
    assert share.tolist() == pytest.approx([np.nan, 1.0, 0.0], nan_ok=True)


def test_intervals_over_facts_are_wilsons() -> None:
    row = micro_intervals(totals(counts(), halves(), LAYERS, "micro")).iloc[0]
    for name, right, of in (("last", 4, 12), ("total", 6, 12), ("intermediate_share", 2, 6)):
        low, high = proportion_confint(right, of, method="wilson")
        assert row[[f"{name}_low", f"{name}_high"]].tolist() == pytest.approx([low, high])
    none = totals(counts(total_correct=[0, 0], last_correct=[0, 0]), halves(), LAYERS, "micro")
    ends = micro_intervals(none).iloc[0]
    assert np.isnan([ends["intermediate_share_low"], ends["intermediate_share_high"]]).all()
    assert (ends["total_low"], ends["total_high"]) == pytest.approx((0, 0.2425), abs=1e-4)


def test_no_relations() -> None:
    nothing = totals(counts()[:0], halves()[:0], LAYERS[:0], "macro")
    assert nothing.empty
    assert {"last", "total", "best_layer", "chosen", "intermediate_share"} <= set(nothing.columns)
    assert "total_low" in micro_intervals(nothing)
