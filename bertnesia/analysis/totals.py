"""What the last layer knows, what all layers know together, and what a union gives by itself: tables in, tables out."""

import numpy as np
import pandas as pd

from bertnesia.analysis.layers import chosen_scores
from bertnesia.analysis.measures import Floats, wilson_interval

UNIONS = ("seeds", "masked", "control")
"""Unions without deeper layers: last-layer decoder seeds, subject-masked prompts, decoders of a random encoder."""


def relation_totals(counts: pd.DataFrame, halves: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """Shares per model and relation.

    Args:
        counts: the table of `queries.relation_totals`.
        halves: the table of `queries.half_measures`.
        layers: the table of `queries.relation_measures`.

    Returns:
        model, layers, relation, label, facts, left_out, last, last_correct, total, total_correct, intermediate_share,
        best_layer, best, chosen_layer, chosen, chosen_facts, seeds, seeds_union, masked_union, control_union. What was
        not measured, or a share of nothing, is missing.
    """
    table = counts.assign(
        last=_share(counts["last_correct"], counts["last_facts"]),
        total=_share(counts["total_correct"], counts["facts"]),
    )
    table["intermediate_share"] = intermediate_share(table["last"], table["total"])
    for union in UNIONS:
        table[f"{union}_union"] = _share(counts[f"{union}_correct"], counts[f"{union}_facts"])
    table.loc[table["seeds"] < 2, "seeds_union"] = np.nan
    best = _best(layers, ["model", "relation"])
    chosen = chosen_scores(halves).drop(columns="label")
    chosen["chosen"] = _share(chosen["chosen_correct"], chosen["chosen_facts"])
    table = table.merge(best, how="left", on=["model", "relation"]).merge(chosen, how="left", on=["model", "relation"])
    return table[_RELATION_TOTALS]


def totals(counts: pd.DataFrame, halves: pd.DataFrame, layers: pd.DataFrame, average: str) -> pd.DataFrame:
    """The same over all relations, averaged over facts (micro) or relations (macro); one row per model.

    Args:
        counts: the table of `queries.relation_totals`.
        halves: the table of `queries.half_measures`.
        layers: the table of `queries.layer_measures` with the same average.
        average: micro or macro.

    Returns:
        model, layers, facts, relations, left_out, last, last_correct, total, total_correct, intermediate_share,
        best_layer, best (the highest value of a layer, which the paper's formula reads as), chosen, chosen_facts (the
        layer chosen per relation on one half of the facts, scored on the other), seeds, seeds_union, masked_union,
        control_union.
    """
    chosen = chosen_scores(halves)
    left_out = layers.drop_duplicates("model").set_index("model")["left_out"]
    rows = []
    for model, mine in counts.groupby("model", sort=False):
        picked = chosen[chosen["model"] == model]
        row = {
            "model": model,
            "layers": mine["layers"].iloc[0],
            "facts": mine["facts"].sum(),
            "relations": len(mine),
            "left_out": left_out[model],  # whole relations, too, which `counts` does not name
            "last": _average(mine["last_correct"], mine["last_facts"], average),
            "last_correct": mine["last_correct"].sum(),
            "total": _average(mine["total_correct"], mine["facts"], average),
            "total_correct": mine["total_correct"].sum(),
            "chosen": _average(picked["chosen_correct"], picked["chosen_facts"], average),
            "chosen_facts": picked["chosen_facts"].sum(),
            "seeds": mine["seeds"].iloc[0],
        }
        unions = {f"{name}_union": _average(mine[f"{name}_correct"], mine[f"{name}_facts"], average) for name in UNIONS}
        rows.append(row | unions)
    table = pd.DataFrame(rows, columns=_TOTALS)
    table.loc[table["seeds"] < 2, "seeds_union"] = np.nan
    table["intermediate_share"] = intermediate_share(table["last"], table["total"])
    return table.merge(_best(layers, ["model"]), how="left", on="model")


_RELATION_TOTALS = [
    "model", "layers", "relation", "label", "facts", "left_out", "last", "last_correct", "total", "total_correct",
    "intermediate_share", "best_layer", "best", "chosen_layer", "chosen", "chosen_facts", "seeds", "seeds_union",
    "masked_union", "control_union",
]  # fmt: skip
_TOTALS = [
    "model", "layers", "facts", "relations", "left_out", "last", "last_correct", "total", "total_correct", "chosen",
    "chosen_facts", "seeds", "seeds_union", "masked_union", "control_union",
]  # fmt: skip


def intermediate_share(last: pd.Series, total: pd.Series) -> pd.Series:
    """What the last layer alone does not give, as a share of the total; missing where the total is 0."""
    return ((total - last) / total.where(total > 0)).astype(float)


def as_many_seeds(totals: pd.DataFrame) -> pd.DataFrame:
    """The same table with the union over seeds missing where there are fewer seeds than layers.

    A union grows with its number: only one over as many decoders says what a union over the layers gives by itself.
    """
    return totals.assign(seeds_union=totals["seeds_union"].where(totals["seeds"] >= totals["layers"]))


def micro_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Add Wilson's 95 % intervals of last, total and intermediate share to a table of totals over facts.

    What the last layer knows is part of what all layers know, so that the intermediate share is a proportion, too.
    """
    total = table["total_correct"].to_numpy(dtype=np.float64)
    last = np.where(table["last"].isna(), np.nan, table["last_correct"])
    facts = table["facts"].to_numpy(dtype=np.float64)
    parts = {"last": (last, facts), "total": (total, facts), "intermediate_share": (total - last, total)}
    for name, (right, of) in parts.items():
        low, high = wilson_interval(right, of)
        known = table[name].notna()
        table = table.assign(
            **{f"{name}_low": np.where(known, low, np.nan), f"{name}_high": np.where(known, high, np.nan)}
        )
    return table


def _best(layers: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The layer with the highest precision, the earliest among equals, missing where that is 0, and its value."""
    ordered = layers.sort_values(["precision", "layer"], ascending=[False, True], kind="stable")
    best = ordered.drop_duplicates(keys)[[*keys, "layer", "precision"]]
    best = best.rename(columns={"layer": "best_layer", "precision": "best"})
    best["best_layer"] = best["best_layer"].astype("Int64").where(best["best"] > 0)
    return best


def _average(correct: pd.Series, facts: pd.Series, average: str) -> float:
    """The share over all facts or the mean of the relations' shares, where there are facts; missing without any."""
    if not facts.sum() > 0:
        return float("nan")
    return (
        float(correct.sum() / facts.sum()) if average == "micro" else float((correct / facts.where(facts > 0)).mean())
    )


def _share(correct: pd.Series, facts: pd.Series) -> Floats:
    x, n = (np.asarray(values, dtype=np.float64) for values in (correct, facts))
    return np.divide(x, n, out=np.full_like(x, np.nan), where=n > 0)
