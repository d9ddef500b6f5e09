"""What the Cloze page shows of the answers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from bertnesia.errors import BertnesiaError
from bertnesia.figures.cloze import Distance, distance_by_layer, watched_ranks, words_at_layer
from bertnesia.plain import visible
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui import cloze, controls
from bertnesia.ui.cloze_answers import show_answers, show_unranked
from bertnesia.ui.cloze_controls import How, Sentence
from bertnesia.ui.cloze_copy import code_of
from bertnesia.ui.cloze_grid import STYLE, Look, grid_width, predictions_grid, word_hues
from bertnesia.ui.cloze_models import added_models
from bertnesia.ui.cloze_state import Asked, remember
from bertnesia.ui.code import Code, show_code
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import problem
from bertnesia.ui.models import Models
from bertnesia.ui.study import ask

if TYPE_CHECKING:
    from bertnesia.live import ClozeResult, LiveModels

READING_GRID = (
    "One grid is one model. Read it **downwards**: the first layer is next to the input, the last one gives the "
    "model's answer. Each row holds the words that the layer finds likeliest, the best on the left, with their "
    "probability, which is the bar below the word, too. A word has **the same colour wherever it recurs**. **▲** and "
    "**▼**: the word stands better or worse than one layer before. The right answer is outlined, and its rank in the "
    "whole vocabulary stands in front of the row; where the first model has it right and another has not, that "
    "layer says *forgotten*."
)
READING_DISTANCE = (
    "How differently the models answer at each layer, over the whole vocabulary. At 0 they say the same, at 1 they "
    "share no word. They **part** at the first layer from which on, up to the last, the total variation is at least "
    "one half: at least half of the probability lies on other words."
)
READING_RANKS = (
    "The higher, the better: at 1 the word is the layer's first. The axis is logarithmic, so a step of the same "
    "height is the same factor. Shaded: layers at which the first model has the right answer first and another one "
    "has not. Rings are the ranks that are stored in the study."
)
READING_LAYER = (
    "Every word that some model has among its likeliest at this layer, with its probability and rank in each. A long "
    "bar beside a short one is a word that one model would say here and the other would not. **✓** is the right answer."
)
_DISTANCES: dict[str, Distance] = {"total variation": "total_variation", "KL divergence": "divergence"}
WIDE = 52.0
"""What fits side by side on a wide screen, in rem: more models or words give rows of their own."""


def show_sentence(
    study: Study, live: "LiveModels", models: Models, sentence: Sentence, how: How, fact: int | None
) -> None:
    """Ask one sentence and show everything about the answers.

    Args:
        study: the study.
        live: its models and those that were added.
        models: how they look.
        sentence: what is asked.
        how: which models are asked, and how.
        fact: the stored fact whose prompt this is, if it is one's.
    """
    from bertnesia.live import Request  # noqa: PLC0415 - torch is loaded where it is needed only

    request = Request(sentence.prompt, how.models, how.kind, how.k, sentence.watched_words, sentence.answers)
    try:
        reply = live.ask(request)
    except BertnesiaError as error:
        problem("This prompt cannot be answered.", error)
        return
    for refusal in reply.refusals:
        problem("A model cannot answer.", BertnesiaError(f"{visible(models.label(refusal.model))}: {refusal.sentence}"))
    if not reply.results:
        return
    remember(Asked(sentence.prompt, sentence.answer, sentence.watched, how.models, how.kind, how.layer))
    results = reply.results
    show_answers(results, models)
    show_unranked(results)
    answered = replace(request, models=tuple(dict.fromkeys(result.model for result in results)))
    added = {name: one.checkpoint for name, one in added_models().items() if name in answered.models}
    show_grids(results, models, how.layer, code_of(study, answered, added))
    show_layer(results, models, how.layer)
    show_distances(results, models)
    show_ranks(results, models, None if fact is None else ask(study, queries.fact_ranks, fact, kind=how.kind))


def show_grids(results: "Sequence[ClozeResult]", models: Models, layer: int, code: Code) -> None:
    """One grid per model and mask, side by side where they fit, all of it as one table, and the code that asks it."""
    st.html(STYLE)
    masks = sorted({result.mask for result in results})
    for mask in masks:
        found = [result for result in results if result.mask == mask]
        hues = word_hues(found)
        across = max(1, min(len(found), int(WIDE // grid_width(len(found[0].layers[0].tokens)))))
        for start in range(0, len(found), across):
            for column, result in zip(st.columns(across), found[start : start + across], strict=False):
                note = f"{result.kind} decoders" + (f", mask {mask}" if len(masks) > 1 else "")
                look = Look(models.label(result.model), models.colours.get(result.model, "#7F8899"), note, layer)
                reference = None if result is found[0] else found[0]
                column.html(predictions_grid(result, hues, look, reference))
    with st.container(horizontal=True, gap="small"):
        with st.popover("How to read this", icon=":material/help:", type="tertiary"):
            st.markdown(READING_GRID)
        show_code(code, name="cloze")
    with st.expander("Table"):
        columns = {
            "label": Column("Model"),
            "mask": Column("Mask", "count"),
            "layer": Column("Layer", "count"),
            "place": Column("Place", "count"),
            "token": Column("Word"),
            "probability": Column("Probability", "share"),
            "rank_before": Column("Rank one layer before", "count"),
        }
        table = cloze.predictions_table(results, models.labels)
        show_table(table, columns, name="cloze", alt="Predicted words of every model and layer")


def show_layer(results: "Sequence[ClozeResult]", models: Models, layer: int) -> None:
    """One layer's words in all models beside each other."""
    table = cloze.layer_table(results, models.labels, layer)
    st.header(f"Side by side at layer {layer}")
    labels = {result.model: models.label(result.model) for result in results}
    for mask, rows in table.groupby("mask"):
        title = f"Likeliest words of layer {layer}" + _of_mask(table, mask)
        right = next(iter(rows.loc[rows["right"], "word"]), None)
        best = rows[rows["rank"] == 1]
        said = "; ".join(f"{row.label}: {row.word} {row.probability:.1%}" for row in best.itertuples())
        figure = words_at_layer(rows, labels=labels, colours=models.colours, title=title, right=right)
        show_figure(figure, name=f"layer-words-{mask}", alt=f"{title}. First: {said}.", reading=READING_LAYER)
    with st.expander("Table"):
        columns = {
            "mask": Column("Mask", "count"),
            "word": Column("Word"),
            "found": Column("Among the likeliest of"),
        }
        for model, label in labels.items():
            columns[f"{model} rank"] = Column(f"{label}: rank", "count", GLOSSARY["rank"])
            columns[f"{model} probability"] = Column(f"{label}: probability", "share")
        wide = cloze.side_by_side(table)
        columns = {key: column for key, column in columns.items() if key in wide}
        show_table(wide, columns, name="layer-words-table", alt=f"Words of layer {layer} in every model")


def show_distances(results: "Sequence[ClozeResult]", models: Models) -> None:
    """How far the other models are from the first, by layer."""
    table = cloze.distance_table(results, models.labels)
    if table.empty:
        return
    first = models.label(results[0].model)
    st.header("Where the models part")
    name = controls.segments("Distance", list(_DISTANCES), key="distance", explanation="distance")
    measure = _DISTANCES[name]
    for mask, rows in table.groupby("mask"):
        title = f"Distance from {first} by layer" + _of_mask(table, mask)
        figure = distance_by_layer(
            rows,
            labels=models.labels,
            colours=models.colours,
            markers=models.markers,
            measure=measure,
            title=title,
        )
        ends = rows[rows["layer"] == rows["layer"].max()]
        said = "; ".join(f"{row.label} {getattr(row, measure):.2f}" for row in ends.itertuples())
        show_figure(
            figure, name=f"distance-{mask}", alt=f"{title}. At the last layer: {said}.", reading=READING_DISTANCE
        )
    with st.expander("Table"):
        columns = {
            "label": Column("Model"),
            "mask": Column("Mask", "count"),
            "layer": Column("Layer", "count"),
            "total_variation": Column("Total variation", "score", GLOSSARY["distance"]),
            "divergence": Column("KL divergence (nats)", "score", GLOSSARY["distance"]),
        }
        show_table(table, columns, name="distance-table", alt=f"Distance of each model from {first} by layer")


def show_ranks(results: "Sequence[ClozeResult]", models: Models, stored: pd.DataFrame | None) -> None:
    """The ranks of the right answer and of watched words by layer; beside them those stored in the study."""
    table = cloze.watched_table(results, models.labels)
    if table.empty:
        return
    st.header("Right answer and watched words")
    if stored is not None:
        table = cloze.with_stored(table, stored)
        _compare(table)
    for mask, rows in table.groupby("mask"):
        found = [result for result in results if result.mask == mask]
        title = "Rank by layer" + _of_mask(table, mask)
        figure = watched_ranks(
            rows,
            labels=models.labels,
            colours=models.colours,
            markers=models.markers,
            title=title,
            forgotten=cloze.forgotten_layers(found),
        )
        ends = rows[rows["layer"] == rows["layer"].max()]
        said = "; ".join(f"{row.word} {row.rank:,} in {row.label}" for row in ends.itertuples())
        show_figure(figure, name=f"watched-{mask}", alt=f"{title}. At the last layer: {said}.", reading=READING_RANKS)
    with st.expander("Table"):
        columns = {
            "label": Column("Model"),
            "mask": Column("Mask", "count"),
            "word": Column("Word"),
            "layer": Column("Layer", "count"),
            "rank": Column("Rank", "count", GLOSSARY["rank"]),
            "probability": Column("Probability", "share"),
        }
        if "stored" in table:
            columns["stored"] = Column("Stored rank", "count", GLOSSARY["stored rank"])
        show_table(table, columns, name="watched", alt="Rank and probability of the right answer and watched words")


def _compare(table: pd.DataFrame) -> None:
    """Say whether the live ranks of a stored fact are those of the study."""
    both = table[table["stored"].notna()]
    if both.empty:
        st.text("The study has no ranks of this fact with these decoders.")
        return
    unlike = both[(both["rank"] - both["stored"]).abs() > (both["stored"] > 100)]
    if unlike.empty:
        st.text(f"Live and stored ranks agree at all {len(both)} layers (up to rank 100 exactly, beyond by at most 1).")
        return
    row = unlike.iloc[0]
    st.text(
        f"{len(unlike)} of {len(both)} live ranks differ from those stored, first at layer {row['layer']} of "
        f"{row['label']} ({row['rank']:,} live, {row['stored']:,} stored): "
        "the model's files are not those of the study."
    )


def _of_mask(table: pd.DataFrame, mask: object) -> str:
    return f", mask {mask}" if table["mask"].nunique() > 1 else ""
