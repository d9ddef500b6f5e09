"""Live predictions: where watched words stand, how far models are apart, what one layer says."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bertnesia.analysis.parting import APART
from bertnesia.figures.style import (
    INK,
    MODEL_COLOURS,
    MODEL_MARKERS,
    OUTCOME_COLOURS,
    WORD_DASHES,
    empty,
    escape,
    faint,
    frame,
    shorten,
)

Distance = Literal["total_variation", "divergence"]

DISTANCES: dict[Distance, str] = {
    "total_variation": "Total variation: 0 the same prediction, 1 no word in common",
    "divergence": "Kullback-Leibler divergence, in nats: 0 the same prediction",
}


def watched_ranks(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    markers: Mapping[str, str],
    title: str = "Rank of the watched words",
    forgotten: Sequence[int] = (),
) -> go.Figure:
    """The rank of chosen words by layer, best on top, on a logarithmic axis: hue is the model, dash is the word.

    Args:
        table: model, word, layer, rank, probability; `stored`, where it is there, is the rank in the study.
        labels: what to call each model.
        colours: hue of each model.
        markers: marker of each model.
        title: what is shown.
        forgotten: layers where the base has the right answer first and another model has not.
    """
    if table.empty:
        return empty(title, "No words are watched.")
    figure = go.Figure()
    words = list(dict.fromkeys(table["word"]))
    for model in (model for model in labels if (table["model"] == model).any()):
        look = {"color": colours.get(model, MODEL_COLOURS[0]), "symbol": markers.get(model, MODEL_MARKERS[0])}
        for place, word in enumerate(words):
            rows = table[(table["model"] == model) & (table["word"] == word)].sort_values("layer")
            if len(rows):
                figure.add_trace(_word_line(rows, labels[model], word, look, WORD_DASHES[place % len(WORD_DASHES)]))
                if "stored" in rows and rows["stored"].notna().any():
                    figure.add_trace(_stored_marks(rows, labels[model], look))
    for layer in forgotten:
        band = {"fillcolor": faint(OUTCOME_COLOURS["forgotten"], 0.14), "line_width": 0, "layer": "below"}
        figure.add_vrect(x0=layer - 0.5, x1=layer + 0.5, **band)
    worst = int(table["rank"].max())
    return frame(
        figure,
        title,
        "1 is best; out of the whole vocabulary" + ("; shaded: forgotten" if len(forgotten) else ""),
        xaxis={"title": "Layer", "dtick": 1},
        yaxis={
            "title": "Rank (log scale)",
            "type": "log",
            "range": [np.log10(max(worst, 10)) + 0.1, -0.1],
            "tickvals": [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000],
            "tickformat": ",",
        },
    )


def _word_line(rows: pd.DataFrame, label: str, word: str, look: Mapping[str, str], dash: str) -> go.Scatter:
    return go.Scatter(
        x=rows["layer"].tolist(),
        y=rows["rank"].tolist(),
        name=f"{escape(label)}: {shorten(word, 20)}",
        mode="lines+markers",
        line={"color": look["color"], "width": 2.5, "dash": dash},
        marker={**look, "size": 8},
        customdata=rows["probability"].tolist(),
        hovertemplate=(
            f"<b>{escape(word)}</b>, {escape(label)}, layer %{{x}}<br>"
            "rank %{y:,}, probability %{customdata:.2%}<extra></extra>"
        ),
    )


def _stored_marks(rows: pd.DataFrame, label: str, look: Mapping[str, str]) -> go.Scatter:
    """Rings around the live ranks where the study's are."""
    found = rows[rows["stored"].notna()]
    return go.Scatter(
        x=found["layer"].tolist(),
        y=[int(rank) for rank in found["stored"]],
        name=f"{escape(label)}: stored in the study",
        mode="markers",
        marker={"color": look["color"], "symbol": f"{look['symbol']}-open", "size": 15, "line": {"width": 1.5}},
        hovertemplate=f"{escape(label)}, layer %{{x}}<br>stored rank %{{y:,}}<extra></extra>",
    )


def distance_by_layer(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    markers: Mapping[str, str],
    measure: Distance,
    title: str,
) -> go.Figure:
    """How far each model's predictions are from the first one's, by layer.

    Args:
        table: model, layer, and the measure.
        labels: what to call each model.
        colours: hue of each model.
        markers: marker of each model.
        measure: which distance.
        title: what is shown.
    """
    if table.empty:
        return empty(title, "These models have no vocabulary in common.")
    figure = go.Figure()
    for model in (model for model in labels if (table["model"] == model).any()):
        rows = table[table["model"] == model].sort_values("layer")
        colour = colours.get(model, MODEL_COLOURS[0])
        figure.add_trace(
            go.Scatter(
                x=rows["layer"].tolist(),
                y=rows[measure].tolist(),
                name=escape(labels[model]),
                mode="lines+markers",
                line={"color": colour, "width": 2.5},
                marker={"color": colour, "symbol": markers.get(model, MODEL_MARKERS[0]), "size": 8},
                hovertemplate=f"{escape(labels[model])}, layer %{{x}}<br>%{{y:.3f}}<extra></extra>",
            )
        )
    highest = float(table[measure].max())
    axis: dict[str, Any] = {"title": "Distance", "range": [0, 1.15 * max(highest, 0.1)]}
    if measure == "total_variation":
        figure.add_hline(y=APART, line={"dash": "dash", "color": INK, "width": 1})
        figure.add_annotation(
            text="apart", x=1, xref="paper", xanchor="right", y=APART, yanchor="bottom", showarrow=False
        )
        axis["range"] = [0, 1.08]
    figure.update_layout(showlegend=True)
    return frame(figure, title, DISTANCES[measure], height=360, xaxis={"title": "Layer", "dtick": 1}, yaxis=axis)


def words_at_layer(
    table: pd.DataFrame, *, labels: Mapping[str, str], colours: Mapping[str, str], title: str, right: str | None = None
) -> go.Figure:
    """The likeliest words of one layer in every model, side by side.

    Args:
        table: model, word, rank, probability, of every word that is among the likeliest of some model.
        labels: what to call each model, the one that words are ordered by first.
        colours: hue of each model.
        title: what is shown.
        right: the right answer, marked where it is among the words.
    """
    if table.empty:
        return empty(title, "There are no predictions.")
    models = [model for model in labels if (table["model"] == model).any()]
    order = table.pivot(index="word", columns="model", values="probability")[models]
    words = order.sort_values(models, ascending=False).index.tolist()
    names = [f"{'✓ ' if word == right else ''}{shorten(word, 18)}" for word in words]
    figure = go.Figure()
    for model in models:
        rows = table[table["model"] == model].set_index("word").reindex(words)
        figure.add_trace(
            go.Bar(
                x=rows["probability"].tolist(),
                y=list(range(len(words))),
                orientation="h",
                name=escape(labels[model]),
                marker={"color": colours.get(model, MODEL_COLOURS[0])},
                text=["" if pd.isna(rank) else f" rank {int(rank):,}" for rank in rows["rank"]],
                textposition="outside",
                textfont={"color": INK, "size": 11},
                cliponaxis=False,
                customdata=[escape(word) for word in words],
                hovertemplate=f"<b>%{{customdata}}</b>, {escape(labels[model])}<br>%{{x:.2%}},%{{text}}<extra></extra>",
            )
        )
    top = float(table["probability"].max())
    return frame(
        figure,
        title,
        "Every word that some model has among its likeliest, and its rank in each",
        height=150 + (14 * len(models) + 8) * len(words),
        barmode="group",
        bargap=0.25,
        xaxis={"title": "Probability", "tickformat": ".0%", "range": [0, 1.25 * top]},
        yaxis={"autorange": "reversed", "tickvals": list(range(len(words))), "ticktext": names, "showgrid": False},
        showlegend=True,
    )
