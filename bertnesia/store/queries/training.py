"""Variants of a model: along its training, with less data, and trained without its task."""

from dataclasses import replace

import pandas as pd

from bertnesia.store.queries.catalogue import runs
from bertnesia.store.queries.layers import layer_measures
from bertnesia.store.queries.pairs import OUTCOMES, churn, forgetting_by_layer
from bertnesia.store.queries.questions import Average, Comparison, Question, answer
from bertnesia.store.study import Study


def steps(study: Study, comparison: Comparison) -> pd.DataFrame:
    """What is known along a fine-tuning run, at every layer: from the base (step 0) to the model itself.

    Args:
        study: holds the models of role `step`.
        comparison: base, model, decoder kind and k; its layer is ignored.

    Returns:
        model, step, steps (of the run), progress, layer, facts, right_in_base, right_in_model, retained, forgotten,
        learned, left_out, churn_of_base (its forgetting rate between two decoder seeds, on the same facts; missing
        where it has one seed). Empty where the run was not probed on its way.
    """
    found = _variants(study, comparison, comparison.model, "step")
    if found.empty:
        return _empty("step", "steps", "progress")
    length = int(found["steps"].max())
    ends = pd.DataFrame({"model": [comparison.model], "step": [length], "steps": [length]})
    rows = pd.concat([found[["model", "step", "steps"]], ends], ignore_index=True)
    counts = forgetting_by_layer(study, comparison.of_models(*rows["model"])).merge(rows, on="model")
    table = pd.concat([_of_the_base(counts, comparison.base, length), counts], ignore_index=True)
    table["progress"] = table["step"] / table["steps"]
    table = _beside_churn(study, comparison, table)
    columns = ["model", "step", "steps", "progress", "layer", *OUTCOMES, "left_out", "churn_of_base"]
    return table.sort_values(["step", "layer"], kind="stable")[columns].reset_index(drop=True)


def other_seeds(study: Study, comparison: Comparison) -> tuple[str, ...]:
    """The model's other fine-tuning runs, from other seeds, that were asked these facts in this reading."""
    return tuple(_variants(study, comparison, comparison.model, "seed")["model"])


def pretraining_steps(study: Study, question: Question, average: Average = "macro") -> pd.DataFrame:
    """What is known along the pre-training of the first model asked about, at every layer.

    Returns:
        The columns of `layer_measures`, with step, steps and progress. The model itself is its last step, which may be
        of a second stage, beyond the steps that the others are points of. Empty where it was not kept on its way.
    """
    model = question.models[0]
    found = _variants(study, question, model, "step")
    points = found[["model", "step", "steps"]].sort_values("step")
    if points.empty:
        return pd.DataFrame(columns=["model", "layer", "step", "steps", "progress", "precision", "facts"])
    curves = answer(study, "training_curves")
    trained = curves.loc[(curves["model"] == model) & (curves["run"] == "model"), "step"]
    length = int(max([*points["steps"], *trained]))
    itself = pd.DataFrame({"model": [model], "step": [length], "steps": [length]})
    rows = pd.concat([points, itself], ignore_index=True)
    table = layer_measures(study, replace(question, models=tuple(rows["model"])), average).merge(rows, on="model")
    table["progress"] = table["step"] / table["steps"]
    return table.sort_values(["step", "layer"], kind="stable").reset_index(drop=True)


def shares(study: Study, comparison: Comparison) -> pd.DataFrame:
    """What is known and forgotten with less fine-tuning data, at every layer; the model itself has share 1.

    Returns:
        model, share, matched (`epochs` or `steps`, empty for the model itself), scores (held-out ones of its task, as
        JSON), layer, facts, right_in_base, right_in_model, retained, forgotten, learned, left_out, churn_of_base (as in
        `steps`). Empty where no such variant was probed.
    """
    found = _variants(study, comparison, comparison.model, "data")
    if found.empty:
        return _empty("share", "matched", "scores")
    itself = study.models().query("model == @comparison.model").assign(share=1.0, matched="")
    rows = pd.concat([found, itself], ignore_index=True)[["model", "share", "matched", "scores"]]
    counts = forgetting_by_layer(study, comparison.of_models(*rows["model"])).merge(rows, on="model")
    counts = _beside_churn(study, comparison, counts)
    columns = ["model", "share", "matched", "scores", "layer", *OUTCOMES, "left_out", "churn_of_base"]
    return counts.sort_values(["share", "matched", "layer"], kind="stable")[columns].reset_index(drop=True)


def controls(study: Study, question: Question) -> pd.DataFrame:
    """The controls of fine-tuning itself that were asked the same: the base trained on without a new task to learn.

    Returns:
        model, label, variant_of; whichever model they are a variant of.
    """
    models = study.models()
    mine = models[(models["role"] == "control") & (models["base"] == study.base)]
    asked = mine[mine["model"].isin(_asked(study, question))]
    return asked[["model", "label", "variant_of"]].reset_index(drop=True)


def step_models(study: Study, comparison: Comparison) -> tuple[str, ...]:
    """The run's models in order, base first and the model itself last; none where it was not probed on its way."""
    found = _variants(study, comparison, comparison.model, "step")
    if found.empty:
        return ()
    return (comparison.base, *found.sort_values("step")["model"], comparison.model)


def _variants(study: Study, what: Question | Comparison, model: str, role: str) -> pd.DataFrame:
    """Variants of a model of one role that were asked these facts in this reading."""
    models = study.models()
    mine = models[(models["role"] == role) & (models["variant_of"] == model)]
    if mine.empty:
        return mine
    return mine[mine["model"].isin(_asked(study, what))]


def _asked(study: Study, what: Question | Comparison) -> pd.Series:
    """The models that were asked these facts in this reading."""
    asked = runs(study)
    same = asked[
        (asked["probe_set"] == what.probe_set)
        & (asked["kind"] == what.kind)
        & (asked["seed"] == what.seed)
        & (asked["variant"] == what.variant)
    ]
    return same["model"]


def _beside_churn(study: Study, comparison: Comparison, counts: pd.DataFrame) -> pd.DataFrame:
    """The counts with the churn of the base at each layer, over the facts that all these models were asked."""
    question = comparison.of_models(comparison.base, *dict.fromkeys(counts["model"]))
    table = churn(study, question, of=(comparison.base,))
    table = table[table["at"] == "layer"]
    rates = (table["forgotten"] / table["right_in_base"].where(table["right_in_base"] > 0)).set_axis(table["layer"])
    return counts.assign(churn_of_base=counts["layer"].map(rates).astype(float))


def _of_the_base(counts: pd.DataFrame, base: str, length: int) -> pd.DataFrame:
    """The base as its own step 0: everything it has right is retained."""
    first = counts.drop_duplicates("layer").copy()
    right = first["right_in_base"]
    return first.assign(model=base, step=0, steps=length, right_in_model=right, retained=right, forgotten=0, learned=0)


def _empty(*names: str) -> pd.DataFrame:
    return pd.DataFrame(columns=["model", *names, "layer", *OUTCOMES, "left_out", "churn_of_base"])
