"""What live prompts ask of a study: examples, all facts, the model that forgot most."""

import pandas as pd

from bertnesia.store.queries.questions import answer
from bertnesia.store.study import Study


def cloze_examples(study: Study, model: str | None, *, kind: str = "trained", each: int = 2) -> pd.DataFrame:
    """Facts that the base has first at its last layer, a few of each relation and outcome, its surest first.

    Retained: the other model has them first there, too; forgotten: it has not. Facts whose subject names the object are
    left out, and those that it was not asked.

    Returns:
        probe_set, relation, label, fact, prompt, object, outcome, model_rank, base_probability.
    """
    parameters = {"base": study.base, "model": model or study.base, "kind": kind, "each": each}
    return answer(study, "cloze_examples", given=parameters)


def forgot_most(study: Study, *, kind: str = "trained") -> pd.DataFrame:
    """Fine-tuned models, the one that forgot most first: model, right_in_base, forgotten (over all layers)."""
    return answer(study, "forgot_most", given={"base": study.base, "kind": kind})


def study_facts(study: Study) -> pd.DataFrame:
    """All facts: probe_set, relation, subject, object."""
    return answer(study, "study_facts")
