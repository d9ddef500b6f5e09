"""What other training runs of the same length change: with another seed, or without anything new to learn."""

from dataclasses import replace

import pandas as pd

from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import Study


def by_seed(study: Study, comparison: Comparison) -> pd.DataFrame:
    """The model and its variants of other fine-tuning seeds, each against the base on the facts that all were asked.

    Returns:
        the columns of `queries.forgetting_by_model` and fine_tuning_seed; one row per model and place (`last`,
        `total`).
    """
    others = queries.other_seeds(study, comparison)
    table = queries.forgetting_by_model(study, comparison.of_models(comparison.model, *others))
    return table.assign(fine_tuning_seed=table["model"].map(study.models().set_index("model")["seed"]))


def beside_controls(study: Study, question: Question) -> pd.DataFrame:
    """The question's models and the controls of fine-tuning itself, each against the base on the facts all were asked.

    Returns:
        the columns of `queries.forgetting_by_model` and control (whether it is one).
    """
    names = queries.controls(study, question)["model"]
    table = queries.forgetting_by_model(study, replace(question, models=(*question.models, *names)))
    return table.assign(control=table["model"].isin(names))


def by_control(study: Study, comparison: Comparison) -> pd.DataFrame:
    """The controls of fine-tuning itself, each against the base on the facts that they and the model were asked.

    What they forget, training alone makes a model forget: the null of the model's own forgetting.

    Returns:
        the columns of `queries.forgetting_by_model`, label and variant_of; one row per control and place (`last`,
        `total`). Empty where no control was asked.
    """
    question = comparison.of_models(comparison.model)
    table = beside_controls(study, question).drop(columns="control")
    return table.merge(queries.controls(study, question), on="model")
