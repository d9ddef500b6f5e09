"""What a study shows: queries and statistics put together, one small table each, every number with its uncertainty."""

from bertnesia.findings.headlines import headlines
from bertnesia.findings.layers import above_prior, above_prior_by_relation, best_layers, layer_intervals
from bertnesia.findings.reruns import beside_controls, by_control, by_seed
from bertnesia.findings.robustness import robustness
from bertnesia.findings.steps import falls_first
from bertnesia.findings.totals import relation_totals, totals

__all__ = [
    "above_prior",
    "above_prior_by_relation",
    "beside_controls",
    "best_layers",
    "by_control",
    "by_seed",
    "falls_first",
    "headlines",
    "layer_intervals",
    "relation_totals",
    "robustness",
    "totals",
]
