"""The last layer beside all layers together, with what a union gives by itself."""

import numpy as np
import pandas as pd

from bertnesia.analysis import totals as analysis
from bertnesia.analysis.bootstrap import percentile_interval, read_clusters, resample
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
    """Add the clustered bootstrap's intervals; where its resamples do not vary, those over facts stand in."""
    micro = analysis.micro_intervals(table)
    drawn = resample(read_clusters(queries.total_clusters(study, question), 2 * len(question.models)), "macro")
    places = 2 * np.array([question.models.index(model) for model in table["model"]], dtype=np.intp)
    last, total = drawn[:, places], drawn[:, places + 1]
    share = np.divide(total - last, total, out=np.full_like(total, np.nan), where=total > 0)
    for name, draws in zip(INTERVALS, (last, total, share), strict=True):
        low, high = percentile_interval(draws)
        flat = low == high
        micro[f"{name}_low"] = np.minimum(np.where(flat, micro[f"{name}_low"], low), micro[name])
        micro[f"{name}_high"] = np.maximum(np.where(flat, micro[f"{name}_high"], high), micro[name])
    return micro
