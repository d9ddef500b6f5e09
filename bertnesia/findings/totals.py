"""The last layer beside all layers together, with what a union gives by itself."""

import numpy as np
import pandas as pd

from bertnesia.analysis import totals as analysis
from bertnesia.analysis.bootstrap import Clusters, mean, percentile_interval, read_clusters, resample
from bertnesia.store import queries
from bertnesia.store.queries import Average, Question
from bertnesia.store.study import Study

INTERVALS = ("last", "total", "intermediate_share")


def totals(study: Study, question: Question, average: Average = "macro") -> pd.DataFrame:
    """Per model: the last layer's share of right facts, the share right at some layer, and what stands beside them.

    Returns:
        model, layers, facts, relations, left_out, last, last_correct, total, total_correct, intermediate_share,
        best_layer, best (the highest value of a layer, which the paper's formula reads as), chosen, chosen_facts (the
        layer chosen per relation on one half of the facts, scored on the other), seeds, seeds_union, masked_union,
        control_union (missing where not measured), and `_low` and `_high` (95 %) of last, total and intermediate_share:
        Wilson's over facts, the clustered bootstrap's over relations.
    """
    counts = queries.relation_totals(study, question)
    layers = queries.layer_measures(study, question, average)
    table = analysis.totals(counts, queries.half_measures(study, question), layers, average)
    if average == "micro":
        return analysis.micro_intervals(table)
    return _macro_intervals(study, question, table)


def relation_totals(study: Study, question: Question) -> pd.DataFrame:
    """The same per model and relation, with Wilson's intervals.

    Returns:
        model, layers, relation, label, facts, left_out, last, last_correct, total, total_correct, intermediate_share,
        best_layer, best, chosen_layer, chosen, chosen_facts, seeds, seeds_union, masked_union, control_union, and the
        intervals' ends.
    """
    counts = queries.relation_totals(study, question)
    layers = queries.relation_measures(study, question)
    table = analysis.relation_totals(counts, queries.half_measures(study, question), layers)
    return analysis.micro_intervals(table)


def _macro_intervals(study: Study, question: Question, table: pd.DataFrame) -> pd.DataFrame:
    ends: dict[str, list[float]] = {f"{name}_{end}": [] for name in INTERVALS for end in ("low", "high")}
    clusters = read_clusters(queries.total_clusters(study, question))
    for row in table.to_dict("records"):
        place = question.models.index(str(row["model"]))
        for name, (low, high) in _intervals(clusters.columns([2 * place, 2 * place + 1])).items():
            known = not np.isnan(row[name])
            ends[f"{name}_low"].append(low if known else np.nan)
            ends[f"{name}_high"].append(high if known else np.nan)
    return table.assign(**ends)


def _intervals(clusters: Clusters) -> dict[str, tuple[float, float]]:
    """Ends for the last layer, the total and the intermediate share of one model."""
    drawn = resample(clusters, "macro")
    value = mean(clusters, "macro")
    last, total = drawn[:, 0], drawn[:, 1]
    share = np.divide(total - last, total, out=np.full_like(total, np.nan), where=total > 0)
    values = (value[0], value[1], (value[1] - value[0]) / value[1] if value[1] > 0 else np.nan)
    found = {}
    for name, draws, centre in zip(INTERVALS, (last, total, share), values, strict=True):
        low, high = percentile_interval(draws[:, None])
        found[name] = float(np.minimum(low[0], centre)), float(np.maximum(high[0], centre))
    return found
