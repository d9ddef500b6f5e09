"""What live prompts ask of a study: examples, stored facts with their ranks, the model that forgot most."""

from functools import cache
from importlib import resources

import pandas as pd

from bertnesia.store.study import Study


def cloze_examples(study: Study, model: str | None, *, kind: str = "trained", each: int = 2) -> pd.DataFrame:
    """Facts that the base has first at its last layer, a few of each relation and outcome, its surest first.

    Retained: the other model has them first there, too; forgotten: it has not. Facts whose subject names the object are
    left out.

    Returns:
        probe_set, relation, label, fact, prompt, object, outcome, model_rank, base_probability.
    """
    parameters = {"base": study.base, "model": model or study.base, "kind": kind, "each": each}
    return study.query(_sql("cloze_examples"), parameters)


def forgot_most(study: Study, *, kind: str = "trained") -> pd.DataFrame:
    """Fine-tuned models, the one that forgot most first: model, right_in_base, forgotten (over all layers)."""
    return study.query(_sql("forgot_most"), {"base": study.base, "kind": kind})


def stored_fact(study: Study, fact: int) -> pd.DataFrame:
    """One fact in one row, or none: fact, probe_set, relation, label, subject, object, prompt, eligible, reason."""
    return study.query(_sql("stored_fact"), {"fact": fact})


def study_facts(study: Study) -> pd.DataFrame:
    """All facts: probe_set, relation, subject, object."""
    return study.query(_sql("study_facts"))


@cache
def _sql(name: str) -> str:
    return (resources.files("bertnesia.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
