"""Relations: a heat map of relation by layer for each model, and the facts behind each cell."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import streamlit as st

from bertnesia.analysis.measures import Measure, percent, wilson_interval
from bertnesia.figures.relations import heat_map, side_by_side
from bertnesia.store import browsing, queries
from bertnesia.store.study import Study
from bertnesia.titles import probe_set_name
from bertnesia.ui import address, controls, programs
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models, models_of
from bertnesia.ui.routing import guard
from bertnesia.ui.study import ask, current_study

VALUE, CHANGE = "value", "change against base"
READING_MAP = (
    "Each row is a relation, each column a layer, each number the share of that relation's facts that the layer's "
    "decoder has right, in per cent. Look along a row for the layer where a relation appears. **Click a cell** to see "
    "its facts below. In *change against base*, blue is gained and red is lost, in percentage points."
)
READING_MARKS = (
    "One row per relation, one mark per model; the thin line through a mark is its 95 % interval. The longer the grey "
    "line between marks, the more the models differ. The number of facts stands in brackets."
)


@dataclass(frozen=True)
class View:
    """What the page's controls ask for."""

    question: queries.Question
    name: str
    measure: Measure
    change: bool


def choose(study: Study, models: Models) -> tuple[View, tuple[str, ...]]:
    """The controls."""
    left, right = st.columns(2)
    with left:
        probe_set = controls.choose_probe_set(study)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        name = controls.segments("Measure", list(controls.MEASURES), key="measure", explanation="P@k")
        shown = controls.segments("Show", [VALUE, CHANGE], key="show")
        kind = controls.choose_decoder(controls.kinds_of(study, probe_set))
        filtered = controls.choose_filtered()
    with right:
        asked = controls.asked_models(study, probe_set, kind)
        chosen = controls.choose_models(models, asked, asked[:2])
    measure, k = controls.MEASURES[name]
    needed = tuple(dict.fromkeys([*chosen, *(models.bases[one] for one in chosen if one in models.bases)]))
    with_bases = needed if shown == CHANGE else chosen
    return View(queries.Question(probe_set, with_bases, kind, k, filtered), name, measure, shown == CHANGE), chosen


def named(table: pd.DataFrame, models: Models, measure: Measure) -> pd.DataFrame:
    """The table with the measure as `value`, and what models are called."""
    return table.assign(value=table[measure], model_label=table["model"].map(models.labels))


def against_base(table: pd.DataFrame, models: Models) -> pd.DataFrame:
    """The same table with each model's values minus its base's; bases themselves are left out."""
    keys = ["relation", "layer"]
    frames = []
    for model, rows in table.groupby("model", sort=False):
        base = table[table["model"] == models.bases.get(str(model))]
        merged = rows.merge(base[[*keys, "value"]], on=keys, suffixes=("", "_base"))
        frames.append(merged.assign(value=merged["value"] - merged["value_base"]))
    return pd.concat(frames, ignore_index=True)


def show_maps(
    study: Study, table: pd.DataFrame, models: Models, view: View, chosen: tuple[str, ...], cell: browsing.Cell
) -> None:
    """A heat map per model, two in a row, on one scale."""
    shown = [model for model in models.names if model in chosen and (table["model"] == model).any()]
    if not shown:
        nothing_here("A base has nothing to be compared with.", "Choose a fine-tuned model, or show values.")
        return
    top = max(float(table["value"].abs().max()), 0.01)

    def pick(points: list[dict[str, Any]], model: str) -> None:
        if points:
            relation, layer, *_ = points[0]["customdata"]
            st.session_state.update({"relation": relation, "of_model": model, "layer": str(layer)})

    for start in range(0, len(shown), 2):
        for column, model in zip(st.columns(2), shown[start : start + 2], strict=False):
            rows = table[table["model"] == model]
            label = models.label(model)
            over = f"minus that of {models.label(models.bases[model])}" if view.change else "by layer"
            what = f"{view.name} in {'points' if view.change else '%'}, {over}"
            best = rows.loc[rows["value"].abs().idxmax()]
            facts = int(rows.drop_duplicates("relation")["facts"].sum())
            words = {"title": label, "note": f"{what}; {facts:,} facts; {view.question.kind} decoders"}
            marked = (cell.relation, cell.layer) if cell.model == model else None
            code = programs.relations(
                study, view.question, view.measure, words,
                model=model, bases=models.bases if view.change else None, chosen=marked,
            )  # fmt: skip
            with column:
                show_figure(
                    heat_map(rows, colour=models.colours[model], change=view.change, top=top, chosen=marked, **words),
                    name=f"relations-{model}",
                    alt=f"{label}: {what}, one row per relation. Largest: {best.label} at layer {best.layer}, "
                    f"{percent(best.value)}.",
                    reading=READING_MAP,
                    on_click=lambda points, model=model: pick(points, model),
                    code=code,
                )
    with st.expander("Table"):
        columns = {
            "model_label": Column("Model"),
            "label": Column("Relation"),
            "layer": Column("Layer", "count"),
            "value": Column(view.name, "change" if view.change else "share", GLOSSARY["P@k"]),
            "correct": Column("Right", "count"),
            "facts": Column("Facts", "count"),
        }
        show_table(table, columns, name="relations", alt=f"{view.name} of each model, relation and layer")


def choose_cell(models: Models, view: View, table: pd.DataFrame, chosen: tuple[str, ...]) -> browsing.Cell:
    """The cell whose facts are shown: by control, or by a click on a map."""
    question = view.question
    relations = controls.relation_names(table.drop_duplicates("relation"))
    left, middle, right = st.columns(3)
    with left:
        relation = controls.choose("Relation", relations, key="relation", explanation="relation")
    with middle:
        model = controls.choose("Model", {one: models.label(one) for one in chosen}, key="of_model")
    with right:
        layers = [str(layer) for layer in range(1, models.layers[model] + 1)]
        layer = controls.choose("Layer", dict(zip(layers, layers, strict=True)), key="layer", default=layers[-1])
    return browsing.Cell(question.probe_set, relation, model, int(layer), question.kind, question.filtered)


def show_cell(study: Study, models: Models, view: View, cell: browsing.Cell) -> None:
    """The facts of a cell, the best rank first."""
    facts = ask(study, browsing.cell_facts, cell)
    if facts.empty:
        nothing_here("No fact of this relation could be asked.", "Its answers are not single words of the vocabulary.")
        return
    right = int((facts["rank"] <= view.question.k).sum())
    st.text(
        f"{models.label(cell.model)}, layer {cell.layer}: {right:,} of {len(facts):,} facts with a rank of "
        f"{view.question.k}{'' if view.question.k == 1 else ' or better'} ({percent(right / len(facts))}). "
        "Select a row to follow its fact through all layers."
    )
    columns = {
        "prompt": Column("Prompt"),
        "object": Column("Right answer"),
        "says": Column("Answer"),
        "rank": Column("Rank", "count", GLOSSARY["rank"]),
    }
    if not facts["says"].any():  # predictions are kept for one kind of decoder
        del columns["says"]
    if facts["base_rank"].notna().any():
        columns["base_rank"] = Column("Rank in base", "count", GLOSSARY["rank"])
    code = programs.cell(study, cell)
    picked = show_table(facts, columns, name="cell-facts", alt="Facts of the chosen cell", selectable=True, code=code)
    if picked is not None:
        address.go("facts", fact=str(facts["fact"].iloc[picked]), decoder=cell.kind)
    page, parameters = address.link("layers", probe_set=cell.probe_set, relation=cell.relation, decoder=cell.kind)
    st.page_link(
        page, label="This relation in every layer of all models", icon=":material/layers:", query_params=parameters
    )


def show_side_by_side(study: Study, table: pd.DataFrame, models: Models, question: queries.Question, name: str) -> None:
    """Every relation's value in each model at its last layer."""
    measure = controls.MEASURES[name][0]
    last = table[table["layer"] == table["model"].map(models.layers)].copy()
    last["low"], last["high"] = wilson_interval(last["correct"], last["facts"])
    if measure == "mrr":
        last["low"] = last["high"] = last["value"]
    order = last.groupby("relation")["value"].max().sort_values(ascending=False).index
    last = last.set_index("relation").loc[order].reset_index()
    facts, probe_set = last.drop_duplicates("relation")["facts"].sum(), probe_set_name(question.probe_set)
    spread = last.groupby("label")["value"].agg(lambda values: values.max() - values.min())
    intervals = "; lines are 95 % intervals" if measure == "precision" else ""
    words = {
        "title": f"{name} per relation at the last layer",
        "measure": f"{name}, share of the relation's facts" if measure == "precision" else "MRR",
        "note": f"{facts:,} facts of {probe_set}; {question.kind} decoders{intervals}",
    }
    looks = {"colours": models.colours, "markers": models.markers}
    show_figure(
        side_by_side(last, labels=models.chosen_labels(question.models), **looks, **words),
        name="models-per-relation",
        alt=f"{name} of each relation and model. Largest difference: {spread.idxmax()}, {percent(spread.max())}.",
        reading=READING_MARKS,
        code=programs.side_by_side(study, question, measure, words),
    )
    with st.expander("Table"):
        columns = {
            "label": Column("Relation"),
            "model_label": Column("Model"),
            "facts": Column("Facts", "count"),
            "correct": Column("Right", "count"),
            "value": Column(name, "share", GLOSSARY["P@k"]),
            "value interval": Column("95 %", "interval", GLOSSARY["interval"]),
        }
        if measure == "mrr":
            del columns["value interval"]
        last = last.assign(value_low=last["low"], value_high=last["high"])
        show_table(last, columns, name="models-per-relation", alt=f"{name} of each relation and model")


guard()
st.title("Relations")
st.markdown(
    "Which kinds of facts each layer knows. A row that stays pale until the last column is known at the end only; one "
    "that is darkest before it is known in the middle and lost again. Click a cell to see its facts."
)
study = current_study()
models = models_of(study)
view, chosen = choose(study, models)
if not chosen:
    nothing_here("No model is chosen.", "Choose one or more models above.")
    address.stop()
table = ask(study, queries.relation_measures, view.question)
if table.empty:
    nothing_here("No fact fits this choice.", "None of these facts could be asked of every chosen model.")
    address.stop()
table = named(table, models, view.measure)
st.space("xxsmall")
place = st.container()
st.header("Facts of one cell")
cell = choose_cell(models, view, table, chosen)
with place:
    shown = against_base(table, models) if view.change else table
    show_maps(study, shown, models, view, chosen, cell)
show_cell(study, models, view, cell)
st.header("Models side by side")
alone = replace(view.question, models=chosen)
show_side_by_side(
    study, named(ask(study, queries.relation_measures, alone), models, view.measure), models, alone, view.name
)
