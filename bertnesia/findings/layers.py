"""What single layers know: above the prior, with clustered intervals, and which layer knows a relation best."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from bertnesia.analysis import layers as analysis
from bertnesia.analysis.bootstrap import interval, mean, read_clusters
from bertnesia.analysis.measures import paired_difference_interval
from bertnesia.analysis.priors import above
from bertnesia.store import queries
from bertnesia.store.queries import Average, Comparison, Measure, Question
from bertnesia.store.study import Study

_NO_COUNTS = pd.DataFrame(columns=["layer", "relation", "label", *queries.OUTCOMES, "left_out"])


def best_layers(study: Study, question: Question) -> pd.DataFrame:
    """Each relation's best layer in both readings, `paper` and `ours`: see `analysis.layers.best_layers`."""
    return analysis.best_layers(queries.half_measures(study, replace(question, all_facts=False)))


def layer_intervals(
    study: Study, question: Question, average: Average = "macro", measure: Measure = "precision"
) -> pd.DataFrame:
    """One measure of every layer with the 95 % interval of the bootstrap clustered by relation and object.

    Returns:
        model, layer, value, low, high.
    """
    table = queries.model_layers(study, question)
    found = queries.clusters(study, question, measure)
    if found.empty or table.empty:
        return table[:0].assign(value=0.0, low=0.0, high=0.0)
    clusters = read_clusters(found, len(table))
    low, high = interval(clusters, average)
    return table.assign(value=mean(clusters, average), low=low, high=high)


def above_prior(
    study: Study, question: Question, average: Average = "macro", against: str = "subject_masked"
) -> pd.DataFrame:
    """P@k minus what the same facts score with the subject masked (or swapped): what needs the subject.

    Returns:
        model, layer (missing: over all layers), facts, relations, precision, prior, above, low, high (95 %, paired), p
        (McNemar's exact test over all facts). No row where the prior was not measured.
    """
    return _above(study, question, against, lambda counts: above(counts, average))


def above_prior_by_relation(study: Study, question: Question, against: str = "subject_masked") -> pd.DataFrame:
    """The same per relation: model, layer, relation, label, facts, precision, prior, above, low, high."""
    return _above(study, question, against, _per_relation)


def _above(
    study: Study, question: Question, against: str, summed: Callable[[pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    runs = queries.runs(study)
    runs = runs[(runs["probe_set"] == question.probe_set) & (runs["seed"] == question.seed)]
    tables = []
    for model in question.models:
        kind = queries.kind_of(study, model, question.kind)
        mine = runs[(runs["model"] == model) & (runs["kind"] == kind)].set_index("variant")["layers"]
        counts = _pair_counts(study, question, model, against, mine) if against in mine else _NO_COUNTS
        tables.append(summed(counts).assign(model=model))
    if not tables:
        return pd.DataFrame(columns=["model", "layer"])
    table = pd.concat(tables, ignore_index=True)
    return table[["model", *(name for name in table.columns if name != "model")]]


def _pair_counts(study: Study, question: Question, model: str, against: str, layers: pd.Series) -> pd.DataFrame:
    """Outcomes of the true prompt against the other by layer and relation, and over all layers where both have them.

    `layers` tells how many each variant of the prompt was asked at.
    """
    comparison = Comparison(
        question.probe_set,
        model,
        model,
        queries.kind_of(study, model, question.kind),
        question.k,
        filtered=question.filtered,
        seed=question.seed,
        variant=question.variant,
        base_variant=against,
        relations=question.relations,
        middle=question.middle,
        among=question.models,
    )
    by_layer = queries.outcomes_by_layer(study, comparison)
    if by_layer.empty or layers.get(question.variant) != layers.get(against):
        return by_layer
    total = queries.forgetting(study, comparison)
    whole = pd.concat([by_layer, total], ignore_index=True)  # rows of the total have no layer
    return whole.astype({"layer": "Int64"})


def _per_relation(counts: pd.DataFrame) -> pd.DataFrame:
    low, high = paired_difference_interval(counts["learned"], counts["forgotten"], counts["facts"])
    facts = counts["facts"]
    return counts[["layer", "relation", "label", "facts"]].assign(
        precision=counts["right_in_model"] / facts,
        prior=counts["right_in_base"] / facts,
        above=(counts["right_in_model"] - counts["right_in_base"]) / facts,
        low=low,
        high=high,
    )
