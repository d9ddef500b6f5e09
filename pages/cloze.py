"""Cloze: a prompt through every layer of several models, side by side."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from bertnesia.errors import BertnesiaError, UnrankedWordError
from bertnesia.figures.cloze import predictions_grid, watched_ranks
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui import controls
from bertnesia.ui.cloze import predictions_table, watched_table
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here, problem
from bertnesia.ui.models import Models, models_of
from bertnesia.ui.routing import guard
from bertnesia.ui.study import ask, current_study, live_models_of

# What the fields hold at first: the same in every study, since a link leaves it out.
PROMPT, WATCHED = "An official language of Ukraine is [MASK] .", "ukrainian"


def use_example(answers: dict[str, str]) -> None:
    """Put the chosen example into the fields."""
    prompt = st.session_state["example"]
    if prompt:
        st.session_state["prompt"] = prompt
        st.session_state["watched"] = answers[prompt]
        st.session_state["example"] = None


def choose(study: Study, models: Models) -> tuple[str, tuple[str, ...], str, int, list[str]]:
    """The controls: prompt, models, decoder kind, number of words, watched words."""
    kinds = sorted(
        dict.fromkeys(ask(study, queries.decoders)["kind"]) or ["stock"], key=lambda kind: (kind != "trained", kind)
    )
    examples = ask(study, queries.examples, kind=kinds[0])
    answers = dict(zip(examples["prompt"], examples["object"], strict=True)) or {PROMPT: WATCHED}
    left, right = st.columns([2, 1])
    with left:
        prompt = st.text_input("Prompt", PROMPT, key="prompt", bind="query-params", help=GLOSSARY["prompt"])
    with right:
        st.selectbox(
            "Examples",
            list(answers),
            index=None,
            placeholder="Facts of this study",
            key="example",
            on_change=use_example,
            args=(answers,),
        )
    left, right = st.columns([2, 1])
    with left:
        chosen = controls.choose_models(models, models.names, models.names[:2])
    with right:
        watched = st.text_input("Watched words", WATCHED, key="watched", bind="query-params", help=GLOSSARY["watched"])
    with st.container(horizontal=True, gap="medium"):
        kind = controls.choose_decoder(kinds)
        k = int(controls.segments("Words per layer", ["3", "5", "10"], key="words", explanation="words", default="5"))
    words = [word.strip() for word in watched.split(",") if word.strip()]
    return prompt, chosen, kind, k, list(dict.fromkeys(words))


def show_predictions(table: pd.DataFrame, models: Models, shown: Sequence[str]) -> None:
    """One grid per model and mask, side by side, and all of it as one table."""
    masks = sorted(table["mask"].unique())
    for mask in masks:
        for column, model in zip(st.columns(len(shown)), shown, strict=True):
            rows = table[(table["model"] == model) & (table["mask"] == mask)]
            last = rows[rows["layer"] == rows["layer"].max()].sort_values("place").iloc[0]
            with column:
                show_figure(
                    predictions_grid(
                        rows,
                        label=models.label(model),
                        colour=models.colours[model],
                        mask=int(mask) if len(masks) > 1 else None,
                    ),
                    name=f"cloze-{model}-{mask}",
                    alt=f"{models.label(model)}: words by layer; its last layer's first is {last.token} "
                    f"with {last.probability:.1%}.",
                )
    with st.expander("Table"):
        columns = {
            "label": Column("Model"),
            "mask": Column("Mask", "count"),
            "layer": Column("Layer", "count"),
            "place": Column("Place", "count"),
            "token": Column("Word"),
            "probability": Column("Probability", "share"),
        }
        show_table(table, columns, name="cloze", alt="Predicted words of every model and layer")


def show_watched(table: pd.DataFrame, models: Models) -> None:
    """The ranks of watched words by layer."""
    for mask, rows in table.groupby("mask"):
        title = "Rank by layer" if table["mask"].nunique() == 1 else f"Rank by layer, mask {mask}"
        figure = watched_ranks(rows, labels=models.labels, colours=models.colours, markers=models.markers, title=title)
        ends = rows[rows["layer"] == rows["layer"].max()]
        said = "; ".join(f"{row.word} {row.rank:,} in {models.label(row.model)}" for row in ends.itertuples())
        show_figure(figure, name=f"watched-{mask}", alt=f"{title}. At the last layer: {said}.")
    with st.expander("Table"):
        columns = {
            "label": Column("Model"),
            "mask": Column("Mask", "count"),
            "word": Column("Word"),
            "layer": Column("Layer", "count"),
            "rank": Column("Rank", "count", GLOSSARY["rank"]),
            "probability": Column("Probability", "share"),
        }
        show_table(table, columns, name="watched", alt="Rank and probability of the watched words")


guard()
st.title("Cloze")
st.markdown(
    "Ask every layer of several models for a missing word. Read down: the answer forms from the first layer to "
    "the last. Trained decoders are made for their layer; the stock one is the base's own head, used at every layer."
)
study = current_study()
models = models_of(study)
prompt, chosen, kind, k, words = choose(study, models)
if not chosen:
    nothing_here("No model is chosen.", "Choose one or more models above.")
    st.stop()
live = live_models_of(study)
unranked = None
try:
    try:
        results = live.predict(prompt, chosen, kind=kind, k=k, watched=words)
    except UnrankedWordError as error:
        unranked = error
        results = live.predict(prompt, chosen, kind=kind, k=k)
except BertnesiaError as error:
    problem("This prompt cannot be answered.", error)
    st.stop()
show_predictions(predictions_table(results, models.labels), models, chosen)
if words:
    st.header("Watched words")
    if unranked:
        problem("A watched word has no rank.", unranked)
        st.stop()
    show_watched(watched_table(results, models.labels), models)
