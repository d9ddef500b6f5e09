"""Layers: how much each layer of each model knows."""

import pandas as pd
import streamlit as st

from bertnesia import findings
from bertnesia.analysis.measures import Measure, with_interval
from bertnesia.figures.layers import appearance, by_layer
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.titles import probe_set_name
from bertnesia.ui import address, controls, programs
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models, models_of
from bertnesia.ui.pretraining import show_pretraining
from bertnesia.ui.routing import guard
from bertnesia.ui.study import ask, current_study

READING = (
    "Each line is one model; each point the score of one layer's own decoder. Where the line is still low, either the "
    "fact is not there yet or this layer's decoder cannot read it. The dashed line needs no single fact: it "
    "always answers with a relation's commonest objects. Dotted lines, where measured, are the same prompts with the "
    "subject masked. Bands are 95 % intervals."
)
READING_APPEARANCE = (
    "Each fact is counted once, at the first layer that has it right; facts that no layer has are in no bar. "
    "A layer may have a fact and a later one lose it again: the table tells how many are right from a layer to the end."
)
WITHOUT_SUBJECT = {"subject_masked": "Subject masked", "subject_swapped": "Subject swapped"}
ENDS = ("above", "low", "high")
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
        measure = controls.segments("Measure", list(controls.MEASURES), key="measure", explanation="P@k")
        average = controls.choose_average()
        kind = controls.choose_decoder(controls.kinds_of(study, probe_set))
        filtered = controls.choose_filtered()
    with right:
        chosen = controls.choose_models(models, controls.asked_models(study, probe_set, kind))
    relations = (relation,) if relation else ()
    question = queries.Question(probe_set, chosen, kind, controls.MEASURES[measure][1], filtered, relations)
    return question, average, measure


def show_layers(
    study: Study, table: pd.DataFrame, models: Models, question: queries.Question, average: queries.Average, name: str
) -> None:
    """The figure, and its numbers."""
    measure: Measure = controls.MEASURES[name][0]
    prior = float(ask(study, queries.prior, question, average)[measure].iloc[0])
    masked = ask(study, findings.above_prior, question, average) if measure == "precision" else None
    facts, relations = int(table["facts"].max()), int(table["relations"].max())
    probe_set = probe_set_name(question.probe_set)
    about = f"{facts:,} facts, {relations} {'relation' if relations == 1 else 'relations'} of {probe_set}"
    words = {
        "title": f"{name} by layer",
        "measure": f"{name}{' (filtered)' if question.filtered else ''}, {SCORES[measure].lower()}",
        "note": f"{about}; {question.kind} decoders; bands are 95 % intervals",
    }
    figure = by_layer(
        table,
        labels=models.chosen_labels(question.models),
        colours=models.colours,
        markers=models.markers,
        prior=prior,
        masked=masked,
        **words,
    )
    peaks = table.loc[table.groupby("model")["value"].idxmax()]
    best = "; ".join(f"{models.label(row.model)} {row.value:.1%} at layer {row.layer}" for row in peaks.itertuples())
    show_figure(
        figure,
        name="layers",
        alt=f"{name} by layer over {about}. Best: {best}. Prior: {prior:.1%}.",
        reading=READING,
        code=programs.layers(study, question, average, measure, words, masked=masked is not None),
    )
    with st.expander("Table"):
        show_numbers(study, table, question, average, name)


def show_numbers(
    study: Study, table: pd.DataFrame, question: queries.Question, average: queries.Average, name: str
) -> None:
    """What the figure shows, and what the same prompts score where they do not name the subject."""
    table = table.assign(value_low=table["low"], value_high=table["high"])
    columns = {
        "label": Column("Model"),
        "layer": Column("Layer", "count"),
        "value": Column(name, "share", GLOSSARY["P@k"]),
        "value interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "facts": Column("Facts", "count"),
        "relations": Column("Relations", "count"),
    }
    if controls.MEASURES[name][0] == "precision":
        for variant, text in WITHOUT_SUBJECT.items():
            other = ask(study, findings.above_prior, question, average, variant)
            if len(other):
                other = other[["model", "layer", "prior", "above", "low", "high"]].dropna(subset="layer")
                other.columns = pd.Index(["model", "layer", variant, *(f"{variant}_{end}" for end in ENDS)])
                table = table.merge(other.astype({"layer": int}), on=["model", "layer"], how="left")
                columns[variant] = Column(text, "share", GLOSSARY["masked"])
                columns[f"{variant}_above"] = Column("above it", "change", GLOSSARY["masked"])
                columns[f"{variant} interval"] = Column("95 %", "interval", GLOSSARY["interval"])
    show_table(table, columns, name="layers-table", alt=f"{name} of each model and layer")


def show_appearance(study: Study, models: Models, question: queries.Question) -> None:
    """At which layer facts are first right."""
    table = ask(study, queries.first_known, question)
    facts = int(table["facts"].max())
    never = table[table["layer"].isna()]
    said = "; ".join(f"{models.label(row.model)}: {row.first:,} at no layer" for row in never.itertuples())
    right = "rank 1" if question.k == 1 else f"rank\u00a0≤\u00a0{question.k}"
    words = {
        "title": "Where facts appear",
        "note": f"{facts:,} facts; right: {right}; {question.kind} decoders",
    }
    show_figure(
        appearance(table, labels=models.chosen_labels(question.models), colours=models.colours, **words),
        name="appearance",
        alt=f"Share of {facts:,} facts by the layer that first has them right. {said}.",
        reading=READING_APPEARANCE,
        code=programs.appearance(study, question, words),
    )
    with st.expander("Table"):
        columns = {
            "label": Column("Model"),
            "layer": Column("Layer", "count"),
            "first": Column("First right here", "count"),
            "stays": Column("Right from here on", "count"),
            "facts": Column("of", "count"),
        }
        shown = table.assign(label=table["model"].map(models.labels))
        show_table(shown, columns, name="appearance", alt="Facts by the layer that first has them right")


def show_relations(
    table: pd.DataFrame, models: Models, question: queries.Question, measure: Measure, name: str
) -> None:
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
    st.text("Select a row to see the relation's facts, layer by layer.")
    alt = f"{name} per relation at the last and the best layer"
    picked = show_table(rows, columns, name="relations", alt=alt, selectable=True)
    if picked is not None:
        address.go("relations", probe_set=question.probe_set, relation=rows["relation"].iloc[picked], measure=name)


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
    address.stop()
measure: Measure = controls.MEASURES[name][0]
layers = with_interval(ask(study, queries.layer_measures, question, average), measure, average)
if layers.empty:
    nothing_here("No fact fits this choice.", "None of these facts could be asked of every chosen model.")
    address.stop()
layers.insert(1, "label", layers["model"].map(models.labels))
st.space("xxsmall")
show_layers(study, layers, models, question, average, name)
show_appearance(study, models, question)
show_pretraining(study, models, question, average, measure, name)
show_relations(ask(study, queries.relation_measures, question), models, question, measure, name)
