"""Beyond one comparison: all objectives side by side, knowledge by step, by amount of data, and by training text."""

from typing import Literal

import pandas as pd
import streamlit as st

from bertnesia import findings
from bertnesia.analysis import forgetting
from bertnesia.analysis.measures import percent
from bertnesia.figures.forgetting import by_share, outcomes_by_relation
from bertnesia.figures.models import training_curve
from bertnesia.figures.relations import heat_map
from bertnesia.plain import as_markdown
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.titles import probe_set_name
from bertnesia.ui import controls, programs_forgetting
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.forgetting_answers import corpora_of, right
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models
from bertnesia.ui.scores import scores_text
from bertnesia.ui.study import ask

RATES = {
    "facts": Column("Facts", "count"),
    "right_in_base": Column("Right in base", "count"),
    "right_in_model": Column("Right after", "count"),
    "forgotten": Column("Forgotten", "count", GLOSSARY["outcome"]),
    "learned": Column("Learned", "count", GLOSSARY["outcome"]),
    "forgetting_rate": Column("Forgetting rate", "share", GLOSSARY["forgetting rate"]),
    "forgetting interval": Column("95 %", "interval", GLOSSARY["interval"]),
    "net_change": Column("Net change", "change", GLOSSARY["net change"]),
}
CHURN = Column("Churn of the base", "share", GLOSSARY["churn"])
READING_OBJECTIVES = (
    "One bar per fine-tuned model, all on the same facts: grey and red together are what the base has right, grey and "
    "blue what is right after fine-tuning. The table sets churn beside the forgetting rate: what two decoders of the "
    "base disagree on though nothing was fine-tuned."
)
READING_CONTROLS = (
    " Last come controls, trained as long as the others without a new task to learn: {controls}. Only what a model "
    "forgets beyond its control is due to its task."
)
READING_MAP = "Net change of each relation (rows) under each objective (columns), in points: red was lost, blue gained."
READING_STEPS = (
    "Each line is one layer, the stronger the later. It starts at the base and follows how many of the facts that the "
    "base has right there are still right as fine-tuning goes on: the layer that falls first forgets first. The dashed "
    "line is where churn alone would leave the last layer: what another decoder of the base itself has right."
)
READING_DATA = (
    "Each point is a run on part of the training data. With as many *epochs*, less data also means fewer updates; with "
    "as many *steps*, only the data differ. The dashed line is churn: what another decoder of the base itself would "
    "seem to have forgotten. The table tells how well each run learned its task."
)
READING_TEXT = (
    "Facts whose subject and answer stand together in a passage of the training text, and those that do not: did the "
    "text remind the model of what it says?"
)


def show_objectives(study: Study, comparison: queries.Comparison, models: Models) -> None:
    """Every fine-tuned model against the base, on the facts that all of them were asked."""
    asked = controls.asked_models(study, comparison.probe_set, comparison.kind)
    tuned = [name for name in asked if models.bases.get(name) == comparison.base]
    question = comparison.of_models(*tuned)
    at: Literal["last", "total"] = "total" if comparison.layer is None else "last"
    where = "any layer" if at == "total" else "the last layer"
    table = ask(study, findings.beside_controls, question)
    table = forgetting.rates(table[table["at"] == at])
    table = table.assign(label=table["model"].map(models.labels)).sort_values(
        ["control", "forgetting_rate"], ascending=[True, False]
    )
    churn = ask(study, queries.churn, comparison.of_models(comparison.base))
    table["churn_of_base"] = forgetting.churn_rate(churn, at)
    table["scores"] = table["model"].map(ask(study, queries.models).set_index("model")["scores"]).map(scores_text)
    worst = table.iloc[0]
    note = f"{int(table['facts'].max()):,} facts of {probe_set_name(comparison.probe_set)}"
    words = {
        "title": f"Every objective against {models.label(comparison.base)}",
        "note": f"{note}; right: {right(comparison.k)} at {where}; {comparison.kind} decoders",
        "of": "Share of the facts",
    }
    show_figure(
        outcomes_by_relation(table, **words),
        name="objectives",
        alt=f"{len(tuned)} models; the one that forgets most is {worst.label}, {percent(worst.forgetting_rate)}.",
        reading=READING_OBJECTIVES + _of_controls(models, ask(study, queries.controls, question)),
        code=programs_forgetting.objectives(study, question, comparison.base, at, words),
    )
    with st.expander("Table"):
        columns = {"label": Column("Model"), **RATES, "churn_of_base": CHURN, "scores": Column("Held-out scores")}
        show_table(table, columns, name="objectives", alt="Counts and rates of every fine-tuned model")
    _show_seeds(study, comparison, models)
    _show_objective_map(study, question, comparison.layer, models)


def _of_controls(models: Models, controlled: pd.DataFrame) -> str:
    rows = controlled[["label", "variant_of"]].itertuples(index=False, name=None)
    named = [f"{as_markdown(label)} (of {as_markdown(models.label(model))})" for label, model in rows]
    return READING_CONTROLS.format(controls=", ".join(named)) if named else ""


def _show_seeds(study: Study, comparison: queries.Comparison, models: Models) -> None:
    """Other fine-tuning runs of the chosen model: how much of it another seed would change."""
    table = ask(study, findings.by_seed, comparison)
    if table["model"].nunique() < 2:
        return
    table = forgetting.rates(table).assign(where=table["at"].map({"last": "last layer", "total": "any layer"}))
    st.markdown(
        f"**{as_markdown(models.label(comparison.model))}** again: the same fine-tuning with other random seeds."
    )
    columns = {"fine_tuning_seed": Column("Seed", "count"), "where": Column("Right at"), **RATES}
    table = table.sort_values(["at", "fine_tuning_seed"])
    show_table(table, columns, name="seeds", alt="Counts and rates of each fine-tuning seed")


def _show_objective_map(study: Study, question: queries.Question, layer: int | None, models: Models) -> None:
    counts = forgetting.rates(ask(study, queries.forgetting_by_relation, question, layer))
    place = {name: position for position, name in enumerate(models.chosen_labels(question.models), start=1)}
    rows = counts.assign(layer=counts["model"].map(place), value=counts["net_change"], correct=counts["right_in_model"])
    worst = rows.iloc[int(rows["value"].to_numpy().argmin())]
    show_figure(
        heat_map(
            rows.sort_values(["label", "layer"]),
            title="Net change by relation and objective",
            note=f"percentage points of {int(rows.drop_duplicates('relation')['facts'].sum()):,} facts at "
            f"{'any layer' if layer is None else f'layer {layer}'}; blue is gained, red is lost",
            colour="#000000",
            change=True,
            columns={position: models.label(name) for name, position in place.items()},
        ),
        name="objectives-by-relation",
        alt=f"Net change per relation and model. Largest loss: {worst.label} in {models.label(worst.model)}.",
        reading=READING_MAP,
    )
    with st.expander("Table"):
        columns = {"model_label": Column("Model"), "label": Column("Relation"), **RATES}
        shown = counts.assign(model_label=counts["model"].map(models.labels))
        show_table(shown, columns, name="objectives-by-relation", alt="Counts and rates per model and relation")


def show_steps(study: Study, comparison: queries.Comparison, models: Models) -> None:
    """What is still known at each step of fine-tuning."""
    table = ask(study, queries.steps, comparison)
    if table["step"].nunique() < 3:
        _missing("This study was not probed while this model was fine-tuned.", "steps")
        return
    table = table.assign(
        value=table["retained"] / table["right_in_base"].where(table["right_in_base"] > 0),
        precision=table["right_in_model"] / table["facts"],
    )
    last = table[table["layer"] == table["layer"].max()]
    words = {
        "title": f"{models.label(comparison.model)}: what is still known, by step",
        "measure": "Retained, share of the base's",
        "note": f"at the last layer the base has {int(last['right_in_base'].max()):,} of {int(last['facts'].max()):,} "
        "facts asked on the way right; "
        f"{right(comparison.k)}; {comparison.kind} decoders",
    }
    colour = models.colours[comparison.model]
    show_figure(
        training_curve(table.dropna(subset="value"), colour=colour, share=True, **words),
        name="steps",
        alt=f"Retained by step and layer; at the last layer {percent(last['value'].iloc[-1])} in the end.",
        reading=READING_STEPS,
        code=programs_forgetting.steps(study, comparison, words),
    )
    with st.expander("Table"):
        columns = {
            "step": Column("Step", "count"),
            "layer": Column("Layer", "count"),
            "facts": Column("Facts", "count"),
            "right_in_base": Column("Right in base", "count"),
            "retained": Column("Retained", "count", GLOSSARY["outcome"]),
            "forgotten": Column("Forgotten", "count", GLOSSARY["outcome"]),
            "learned": Column("Learned", "count", GLOSSARY["outcome"]),
            "value": Column("Retained share", "share"),
            "precision": Column(f"P@{comparison.k}", "share", GLOSSARY["P@k"]),
            "churn_of_base": CHURN,
        }
        show_table(table, columns, name="steps", alt="Counts by step and layer")
    _show_falls(study, comparison)


def _show_falls(study: Study, comparison: queries.Comparison) -> None:
    """When each layer has lost half of what it loses, and how surely it is the first to."""
    table = ask(study, findings.falls_first, comparison)
    if table.empty:
        return
    st.markdown("Which layer falls first: when each has lost half of what the whole run makes it lose.")
    ends = zip(table["low"], table["high"], strict=True)
    table["steps"] = [None if pd.isna(low) else f"{low:,.0f} to {high:,.0f}" for low, high in ends]
    columns = {
        "layer": Column("Layer", "count"),
        "drop": Column(f"P@{comparison.k} lost", "share", GLOSSARY["P@k"]),
        "step": Column("Half of it by step", "count"),
        "steps": Column("95 %", "counted", GLOSSARY["interval"]),
        "drops": Column("Loses at all", "share", GLOSSARY["falls"]),
        "first": Column("Falls first", "share", GLOSSARY["falls"]),
    }
    show_table(table, columns, name="falls-first", alt="When each layer falls, and how surely it is the first")


def show_data(study: Study, comparison: queries.Comparison, models: Models) -> None:
    """The forgetting rate by the share of the training data."""
    table = ask(study, queries.shares, comparison)
    if table.empty:
        _missing("This model was not fine-tuned on parts of its data.", "data sizes")
        return
    layer = comparison.layer or int(table["layer"].max())
    rows = forgetting.rates(table[table["layer"] == layer])
    rows = rows.assign(value=rows["forgetting_rate"], low=rows["forgetting_low"], high=rows["forgetting_high"])
    words = {
        "title": f"{models.label(comparison.model)}: forgetting by amount of training data",
        "note": f"{int(rows['right_in_base'].max()):,} facts right in the base at layer {layer}, of "
        f"{int(rows['facts'].max()):,} asked of all these runs; 95 % intervals",
    }
    show_figure(
        by_share(rows.dropna(subset="value"), colour=models.colours[comparison.model], **words),
        name="data",
        alt=f"Forgetting rate at layer {layer} for {len(rows)} runs on parts of the data.",
        reading=READING_DATA,
        code=programs_forgetting.data(study, comparison, layer, words),
    )
    with st.expander("Table"):
        columns = {
            "share": Column("Data", "share"),
            "matched": Column("As many"),
            **RATES,
            "churn_of_base": CHURN,
            "scores": Column("Held-out scores"),
        }
        rows = rows.assign(scores=rows["scores"].map(scores_text))
        show_table(rows, columns, name="data", alt="Counts and rates by share of the data")


def show_text(study: Study, comparison: queries.Comparison, models: Models) -> None:
    """What became of facts that a training text mentions, and of the others."""
    names = {corpus: corpus for corpus in corpora_of(study, comparison.probe_set)}
    if not names:
        _missing("This study does not say which facts a training text mentions.", "coverage")
        return
    corpus = controls.choose("Training text", names, key="corpus", explanation="coverage")
    table = forgetting.rates(ask(study, queries.coverage_outcomes, comparison, corpus))
    label = table["mentioned"].map({True: "mentioned", False: "not mentioned"})
    table = table.assign(label=label).sort_values("mentioned", ascending=False)
    rates = "; ".join(f"{row.label}: {percent(row.forgetting_rate)} forgotten" for row in table.itertuples())
    words = {
        "title": f"{models.label(comparison.model)}: facts that the text mentions, and others",
        "note": f"{int(table['facts'].sum()):,} facts; {corpus}; {right(comparison.k)}",
        "of": "Share of the facts",
    }
    show_figure(
        outcomes_by_relation(table, **words),
        name="coverage",
        alt=f"Outcomes by mention in {corpus}. {rates}.",
        reading=READING_TEXT,
        code=programs_forgetting.text(study, comparison, corpus, words),
    )
    with st.expander("Table"):
        show_table(table, {"label": Column("Facts"), **RATES}, name="coverage", alt="Counts and rates by mention")


def _missing(heading: str, what: str) -> None:
    nothing_here(heading, f"A study file that asks for {what} adds them: see docs/study-file.md.")
