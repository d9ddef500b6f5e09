"""Layers: how much each layer of each model knows."""

import pandas as pd
import streamlit as st

from bertnesia.analysis.measures import Measure, with_interval
from bertnesia.figures.layers import by_layer
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui import controls
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models, models_of
from bertnesia.ui.routing import guard
from bertnesia.ui.study import ask, current_study

MEASURES = {"P@1": ("precision", 1), "P@10": ("precision", 10), "P@100": ("precision", 100), "MRR": ("mrr", 1)}
SCORES = {"precision": "Share of facts right", "mrr": "Mean reciprocal rank"}


def choose(study: Study, models: Models) -> tuple[queries.Question, queries.Average, str]:
    """The controls: what is asked, how it is averaged, and the measure's name."""
    left, middle, right = st.columns(3)
    with left:
        probe_set = controls.choose_probe_set(study)
    with middle:
        relation = controls.choose_relation(study, probe_set)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        measure = controls.segments("Measure", list(MEASURES), key="measure", explanation="P@k")
        average = controls.choose_average()
        kind = controls.choose_decoder(controls.kinds_of(study, probe_set))
        filtered = controls.choose_filtered()
    with right:
        chosen = controls.choose_models(models, controls.asked_models(study, probe_set, kind))
    relations = (relation,) if relation else ()
    question = queries.Question(probe_set, chosen, kind, MEASURES[measure][1], filtered, relations)
    return question, average, measure


def show_layers(table: pd.DataFrame, models: Models, question: queries.Question, name: str, prior: float) -> None:
    """The figure, and its numbers."""
    facts, relations = int(table["facts"].max()), int(table["relations"].max())
    probe_set = controls.probe_set_name(question.probe_set)
    about = f"{facts:,} facts, {relations} {'relation' if relations == 1 else 'relations'} of {probe_set}"
    figure = by_layer(
        table,
        labels=models.chosen_labels(question.models),
        colours=models.colours,
        markers=models.markers,
        title=f"{name} by layer",
        measure=f"{name}{' (filtered)' if question.filtered else ''}, {SCORES[MEASURES[name][0]].lower()}",
        note=f"{about}; {question.kind} decoders; bands are 95 % intervals",
        prior=prior,
    )
    peaks = table.loc[table.groupby("model")["value"].idxmax()]
    best = "; ".join(f"{models.label(row.model)} {row.value:.1%} at layer {row.layer}" for row in peaks.itertuples())
    show_figure(figure, name="layers", alt=f"{name} by layer over {about}. Best: {best}. Prior: {prior:.1%}.")
    with st.expander("Table"):
        columns = {
            "label": Column("Model"),
            "layer": Column("Layer", "count"),
            "value": Column(name, "share", GLOSSARY["P@k"]),
            "low": Column("from", "share", GLOSSARY["interval"]),
            "high": Column("to", "share", GLOSSARY["interval"]),
            "facts": Column("Facts", "count"),
            "relations": Column("Relations", "count"),
        }
        show_table(table, columns, name="layers-table", alt=f"{name} of each model and layer")


def show_relations(table: pd.DataFrame, models: Models, measure: Measure, name: str) -> None:
    """Every relation: the last layer's value and the best layer of each model."""
    columns = {"label": Column("Relation"), "facts": Column("Facts", "count")}
    rows = table.groupby(["label", "relation"], as_index=False)["facts"].max()
    for model, label in models.chosen_labels(table["model"].unique()).items():
        mine = table[table["model"] == model]
        last = mine[mine["layer"] == mine["layer"].max()].set_index("relation")[measure]
        best = mine.loc[mine.groupby("relation")[measure].idxmax()].set_index("relation")
        parts = {"last": last, "best": best[measure], "at layer": best["layer"].where(best[measure] > 0)}
        for part, values in parts.items():
            rows[f"{model} {part}"] = rows["relation"].map(values)
            columns[f"{model} {part}"] = Column(f"{label}: {part}", "count" if part == "at layer" else "share")
    st.header("Relations")
    st.markdown(f"{name} at the last layer, and at the layer where it is highest. Click a heading to sort.")
    show_table(rows, columns, name="relations", alt=f"{name} per relation at the last and the best layer")


guard()
st.title("Layers")
st.markdown(
    "How much of what a model knows can be read out of each of its layers. Each point is the score of one layer's "
    "decoder on the same facts; what lies above the dashed line is more than guessing a relation's commonest answers."
)
study = current_study()
models = models_of(study)
question, average, name = choose(study, models)
if not question.models:
    nothing_here("No model is chosen.", "Choose one or more models above.")
    st.stop()
measure: Measure = MEASURES[name][0]
layers = with_interval(ask(study, queries.layer_measures, question, average), measure, average)
if layers.empty:
    nothing_here("No fact fits this choice.", "None of these facts could be asked of every chosen model.")
    st.stop()
prior = ask(study, queries.prior, question, average)[measure].iloc[0]
layers.insert(1, "label", layers["model"].map(models.labels))
show_layers(layers, models, question, name, float(prior))
show_relations(ask(study, queries.relation_measures, question), models, measure, name)
