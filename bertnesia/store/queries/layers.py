"""What each layer knows: counts and shares by layer, relation and half of the facts."""

import pandas as pd

from bertnesia.store.queries.questions import SUMMARISED, Average, Measure, Question, answer, counting, parameters
from bertnesia.store.study import Study


def layer_measures(study: Study, question: Question, average: Average = "macro") -> pd.DataFrame:
    """P@k and MRR of every layer of the models, over the facts that all of them were asked.

    Returns:
        model, layer, facts, left_out, relations, correct, precision, precision_error, mrr, mrr_error (standard errors
        for fixed relations and independent facts; `findings.layer_intervals` allows for facts that share an object).
    """
    given = {**parameters(study, question), "average": average}
    return answer(study, "shared", *counting(study, question, "counts"), "counted", "layer_measures", given=given)


def relation_measures(study: Study, question: Question) -> pd.DataFrame:
    """The same per relation: model, layer, relation, label, facts, left_out, correct, precision, mrr."""
    given = parameters(study, question)
    return answer(study, "shared", *counting(study, question, "counts"), "counted", "relation_measures", given=given)


def half_measures(study: Study, question: Question) -> pd.DataFrame:
    """Right facts per layer, relation and half of the facts, from which layers are chosen and scored.

    Returns:
        model, layer, layers (of the model), relation, label, half (0 or 1, by the fact's digest), facts, correct,
        with_last (right here and at the model's last layer). Facts that could not be asked are in none.
    """
    counts = counting(study, question, "half_counts")
    return answer(study, "shared", *counts, "half_measures", given=parameters(study, question))


def prior(study: Study, question: Question, average: Average = "macro") -> pd.DataFrame:
    """What always answering with the relation's commonest objects scores on the same facts, in one row.

    Returns:
        facts, relations, precision, mrr; precision and mrr are missing where there is no fact.
    """
    return answer(study, "shared", "prior", given={**parameters(study, question), "average": average})


def relation_totals(study: Study, question: Question) -> pd.DataFrame:
    """Right facts per model and relation at the last layer, at some layer (total), and in the unions of comparison.

    Returns:
        model, layers, relation, label, facts, left_out, last_facts, last_correct, total_correct, seeds (of decoders for
        the last layer, 1 where there is no other), seeds_facts, seeds_correct (right with one of them), masked_facts,
        masked_correct (right at some layer with the subject masked), control_facts, control_correct (right at some
        layer with `control` decoders). The `_facts` tell on how many facts something was measured: 0 where it was not.
    """
    return answer(study, "shared", "relation_totals", given=parameters(study, question))


def first_known(study: Study, question: Question) -> pd.DataFrame:
    """At which layer facts are first known (rank ≤ k), and from which layer on they stay known to the last.

    Returns:
        model, layer (missing: never), first, stays (numbers of facts), facts, left_out.
    """
    return answer(study, "shared", *_known(question), "first_known", given=parameters(study, question))


def known_from(study: Study, question: Question, limit: int = 1000) -> pd.DataFrame:
    """The same per fact, earliest first: fact, relation, label, subject, object, model, first, stays."""
    given = {**parameters(study, question), "limit": limit}
    return answer(study, "shared", *_known(question), "known_from", given=given)


def clusters(study: Study, question: Question, measure: Measure = "precision") -> pd.DataFrame:
    """Sums over the facts that share relation and object, for resampling: one row each.

    Returns:
        relation, answer (number of the object), facts, and two lists: places (rows of `model_layers`, from 0) and sums
        (how many are right there, or the sum of 1 / rank); what is not listed is 0.
    """
    given = {**parameters(study, question), "measure": measure}
    return answer(study, "shared", "placed", "clusters", given=given)


def total_clusters(study: Study, question: Question) -> pd.DataFrame:
    """Sums of right facts at the last layer and at some layer over the facts that share relation and object.

    Returns:
        relation, answer, facts, and two lists: places (2n for the last layer of the question's model n, from 0, and
        2n + 1 for some layer) and sums; what is not listed is 0.
    """
    return answer(study, "shared", "total_clusters", given=parameters(study, question))


def paraphrases(study: Study, question: Question) -> pd.DataFrame:
    """How a relation's templates compare, over the facts that all of them ask of all models; `variant` plays no part.

    The measures are those of `analysis.paraphrases.by_relation`, whose `overall` averages them over relations. First
    predictions of paraphrases are not stored: what speaks of them is missing.

    Returns:
        model, kind, layer (missing: right at some layer), probe_set, relation, label, templates, facts, left_out, mean,
        best, best_template, consistency and all_alike (missing), agreement, consistent_accuracy.
    """
    return answer(study, "paraphrases", given=parameters(study, question))


def model_layers(study: Study, question: Question) -> pd.DataFrame:
    """The layers of each model that were asked, in the question's order of models: model, layer."""
    return answer(study, "model_layers", given=parameters(study, question))


def _known(question: Question) -> tuple[str, ...]:
    usual = question.k in SUMMARISED and not question.filtered and not question.middle
    return ("known_from_summary",) if usual else ("placed", "known_from_ranks")
