"""Two models, or two readings of one, on the same facts: what is right in both, in one, in neither."""

from dataclasses import replace
from typing import Literal

import pandas as pd

from bertnesia.store.queries.questions import Comparison, Outcome, Question, answer, counting, parameters
from bertnesia.store.study import Study

OUTCOMES = ("facts", "right_in_base", "right_in_model", "retained", "forgotten", "learned")
_CHURN = ["model", "at", "layer", "relation", *OUTCOMES, "left_out", "is_last"]


def forgetting(study: Study, comparison: Comparison) -> pd.DataFrame:
    """What a model retained, forgot and learned against its base, per relation, over the facts both were asked.

    Returns:
        relation, label, facts, right_in_base, right_in_model, retained, forgotten, learned, left_out. Relations without
        a fact that both were asked have no row; `compared` counts the facts left out of the whole probe set.
    """
    return answer(study, *_pairs(comparison), "forgetting", given=parameters(study, comparison))


def outcomes_by_layer(study: Study, comparison: Comparison) -> pd.DataFrame:
    """The same at every layer that both have, whatever the comparison's own: layer and the columns of `forgetting`."""
    return answer(study, "pairs_scope", "outcomes_by_layer", given=parameters(study, comparison))


def forgetting_by_layer(study: Study, question: Question) -> pd.DataFrame:
    """The models against the study's base at every layer, over the facts that all of them and the base were asked.

    Returns:
        model, layer, facts, right_in_base, right_in_model, retained, forgotten, learned, relations, left_out.
    """
    return _outcome_counts(study, question, "forgetting_by_layer")


def forgetting_by_relation(
    study: Study, question: Question, layer: int | Literal["last"] | None = None
) -> pd.DataFrame:
    """The models against the study's base per relation: at a layer, each at its own `last`, or (None) over all layers.

    Returns:
        model, relation, facts, right_in_base, right_in_model, retained, forgotten, learned, label, left_out.
    """
    if not isinstance(layer, int):
        return _against_base(study, question, "forgetting_by_relation", at_last=layer == "last")
    table = _outcome_counts(study, question, "relation_outcomes")
    return table[table["layer"] == layer].drop(columns="layer").reset_index(drop=True)


def forgetting_by_model(study: Study, question: Question) -> pd.DataFrame:
    """The models against the study's base, at the last layer and over all layers, and where the forgotten facts are.

    Returns:
        model, at (`last` or `total`), facts, right_in_base, right_in_model, retained, forgotten, learned, left_out, and
        for `last`, of the forgotten: lost (no layer has it among the first k any more), buried (an earlier layer still
        has), lost_10, buried_10 (the same among the first 10).
    """
    return _against_base(study, question, "forgetting_by_model")


def lost_and_buried(study: Study, comparison: Comparison) -> pd.DataFrame:
    """Of the facts forgotten at the last layer, which no layer has any more, per relation.

    Returns:
        relation, label, facts, forgotten, lost, buried, lost_10, buried_10, left_out.
    """
    question = comparison.of_models(comparison.model)
    return _against_base(study, question, "lost_and_buried", base=comparison.base)


def churn(study: Study, question: Question, of: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Each model against itself with decoders of another seed: what seems forgotten though nothing changed.

    Args:
        study: holds decoders of seeds 0 and 1 of the models.
        question: the facts are those that all its models were asked.
        of: those of its models that are held against themselves; by default all.

    Returns:
        model, at (`layer` or `total`), layer (missing for total), facts, right_in_base (with seed 0), right_in_model
        (with seed 1), retained, forgotten, learned, left_out, is_last (the model's last layer). No row where there is
        no second seed; no total where it has not all the layers of the first.
    """
    table = _churn(study, question, question.models if of is None else of)
    return table[table["relation"].isna()].drop(columns="relation").reset_index(drop=True)


def churn_by_relation(study: Study, question: Question) -> pd.DataFrame:
    """The same per relation: the columns of `churn` without left_out, and relation."""
    table = _churn(study, question, question.models).drop(columns="left_out")
    return table[table["relation"].notna()].reset_index(drop=True)


def rank_changes(study: Study, comparison: Comparison) -> pd.DataFrame:
    """How far the right answers rose or fell: change (-3 to 3), facts, of.

    1, 2 and 3 are rises by 1 to 9, 10 to 99, and 100 or more places; negative numbers are falls.
    """
    return answer(study, *_pairs(comparison), "rank_changes", given=parameters(study, comparison))


def rank_changes_by_layer(study: Study, comparison: Comparison) -> pd.DataFrame:
    """The same at every layer that both have: layer, change, facts, of."""
    return answer(study, "pairs_scope", "pairs_by_layer", "rank_changes_by_layer", given=parameters(study, comparison))


def signed_ranks(study: Study, comparison: Comparison) -> pd.DataFrame:
    """Sums of Wilcoxon's signed ranks of the change of log rank, per relation and over all ('' as relation).

    Returns:
        relation, facts, changed, better, worse, rank_sum_better, rank_sum_worse, tie_term (sum of t³ - t over ties).
    """
    return answer(study, *_pairs(comparison), "signed_ranks", given=parameters(study, comparison))


def changed_facts(
    study: Study,
    comparison: Comparison,
    outcome: Outcome = "forgotten",
    relation: str | None = None,
    limit: int = 10_000,
) -> pd.DataFrame:
    """The facts behind one column of `forgetting`, those whose rank changed most first.

    Returns:
        fact, relation, label, subject, object, prompt, base_rank, model_rank, model_says (its first prediction at that
        layer; over all layers, at its last).
    """
    given = {**parameters(study, comparison), "outcome": outcome, "relation": relation, "limit": limit}
    return answer(study, *_pairs(comparison), "changed_facts", given=given)


def coverage_outcomes(study: Study, comparison: Comparison, corpus: str) -> pd.DataFrame:
    """Outcomes of the facts that a training text mentions and of those it does not.

    Returns:
        mentioned, facts, right_in_base, right_in_model, retained, forgotten, learned, mentions (passages).
    """
    given = {**parameters(study, comparison), "corpus": corpus}
    return answer(study, *_pairs(comparison), "coverage_outcomes", given=given)


def _pairs(comparison: Comparison) -> tuple[str, str]:
    return "pairs_scope", "pairs_over_layers" if comparison.layer is None else "pairs_at_layer"


def _with_base(study: Study, question: Question, base: str | None = None) -> tuple[Question, dict[str, object]]:
    base = base or study.base
    whole = replace(question, models=(base, *question.models), all_facts=False)
    return whole, {**parameters(study, whole), "base": base}


def _against_base(
    study: Study, question: Question, name: str, base: str | None = None, **values: object
) -> pd.DataFrame:
    _, given = _with_base(study, question, base)
    return answer(study, "shared", "base_and_models", name, given={**given, **values})


def _outcome_counts(study: Study, question: Question, name: str) -> pd.DataFrame:
    whole, given = _with_base(study, question)
    counts = counting(study, whole, "outcome_counts")
    return answer(study, "shared", *counts, name, given=given)


def _churn(study: Study, question: Question, of: tuple[str, ...]) -> pd.DataFrame:
    tables = [_churn_of(study, question, model) for model in of]
    found = [table for table in tables if not table.empty]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=_CHURN)


def _churn_of(study: Study, question: Question, model: str) -> pd.DataFrame:
    given = {**parameters(study, question), "all_facts": False, "model": model, "first_seed": 0, "second_seed": 1}
    given |= {"kind": given["kinds"][question.models.index(model)]}
    return answer(study, "shared", "churn", given=given)
