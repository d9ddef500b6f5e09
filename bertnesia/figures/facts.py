"""One fact: its rank through the layers, and what each layer answers instead."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bertnesia.figures.style import (
    INK,
    MODEL_COLOURS,
    MODEL_MARKERS,
    OUTCOME_COLOURS,
    empty,
    escape,
    faint,
    frame,
    shorten,
)

RANK_TICKS = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000]
_ROW = 34
_USUAL, _SMALL, _LONG = 11, 9, 7
"""Sizes of a grid's words: the small one for those of more than so many letters, which narrow screens would overlap."""


def rank_by_layer(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    markers: Mapping[str, str],
    title: str,
    note: str,
) -> go.Figure:
    """The rank of the right answer by layer, best on top, on a logarithmic axis: a line per model.

    Args:
        table: model, layer, rank, probability.
        labels: what to call each model; its order is the legend's.
        colours: hue of each model.
        markers: marker of each model.
        title: what is shown.
        note: what the ranks are of.
    """
    if table.empty:
        return empty(title, "No model was asked this fact with these decoders.")
    figure = go.Figure()
    for model in (model for model in labels if (table["model"] == model).any()):
        rows = table[table["model"] == model].sort_values("layer")
        colour = colours.get(model, MODEL_COLOURS[0])
        figure.add_trace(
            go.Scatter(
                x=rows["layer"].tolist(),
                y=rows["rank"].tolist(),
                name=escape(labels[model]),
                mode="lines+markers",
                line={"color": colour, "width": 2.5},
                marker={"color": colour, "symbol": markers.get(model, MODEL_MARKERS[0]), "size": 9},
                customdata=rows["probability"].tolist(),
                hovertemplate=(
                    f"<b>{escape(labels[model])}</b>, layer %{{x}}<br>rank %{{y:,}}, probability %{{customdata:.2%}}"
                    "<extra></extra>"
                ),
            )
        )
    worst = max(int(table["rank"].max()), 10)
    return frame(
        figure,
        title,
        note,
        height=400,
        xaxis={"title": "Layer", "dtick": 1, "zeroline": False},
        yaxis={
            "title": "Rank of the answer (log scale)",
            "type": "log",
            "range": [np.log10(worst) + 0.1, -0.12],
            "tickvals": RANK_TICKS,
            "tickformat": ",",
            "zeroline": False,
        },
    )


def answers_grid(table: pd.DataFrame, *, label: str, colour: str, note: str) -> go.Figure:
    """A model's first predictions at each layer, the right one outlined, and how the answer's rank moved.

    Args:
        table: layer, rank, tokens, probabilities; one row per layer.
        label: the model's name.
        colour: its hue.
        note: what is shown.
    """
    rows = table.sort_values("layer")
    places = int(rows["tokens"].map(len).max()) if len(rows) else 0
    if not places:
        return empty(label, "The study keeps no predictions of this model with these decoders.")
    layers = [str(layer) for layer in rows["layer"]]
    heads = [str(place) for place in range(1, places + 1)]
    shares = np.zeros((len(rows), places))
    for line, probabilities in enumerate(rows["probabilities"]):
        shares[line, : len(probabilities)] = probabilities
    words = [[shorten(str(token), 10) for token in tokens] for tokens in rows["tokens"]]
    hover = [
        [f"{escape(str(token))}: {share:.2%}" for token, share in zip(tokens, line, strict=False)]
        for tokens, line in zip(rows["tokens"], shares, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            x=heads,
            y=layers,
            z=np.sqrt(shares).tolist(),
            zmin=0,
            zmax=1,
            colorscale=[[0, faint(colour, 0.03)], [1, faint(colour, 0.65)]],
            showscale=False,
            xgap=2,
            ygap=2,
            text=hover,
            hovertemplate="layer %{y}, place %{x}<br>%{text}<extra></extra>",
        )
    )
    # Words as a trace of their own: a heat map's labels are coloured for an opaque map and vanish in dark mode.
    marked = ["rank", *heads]
    moves = _moves(rows["rank"].tolist())
    texts = [[move, *line] for move, line in zip(moves, words, strict=True)]
    sizes = [_SMALL if len(text) > _LONG else _USUAL for line in texts for text in line]
    figure.add_trace(
        go.Scatter(
            x=[head for line in texts for head in marked[: len(line)]],
            y=[layer for layer, line in zip(layers, texts, strict=True) for _ in line],
            text=[text for line in texts for text in line],
            mode="text",
            textfont={"color": INK, "size": sizes},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for line, rank in enumerate(rows["rank"]):
        if rank <= places:
            box = {"x0": rank - 0.47, "x1": rank + 0.47, "y0": line - 0.46, "y1": line + 0.46}
            figure.add_shape(type="rect", line={"color": OUTCOME_COLOURS["learned"], "width": 2.5}, **box)
    return frame(
        figure,
        label,
        note,
        height=130 + _ROW * len(rows),
        xaxis={
            "title": "Place",
            "showgrid": False,
            "type": "category",
            "categoryorder": "array",
            "categoryarray": marked,
            "fixedrange": True,
        },
        yaxis={"title": "Layer", "autorange": "reversed", "showgrid": False, "type": "category", "fixedrange": True},
    )


def _moves(ranks: list[int]) -> list[str]:
    """Each layer's rank, with a mark where it is better or worse than the layer before."""
    texts = []
    for place, rank in enumerate(ranks):
        before = ranks[place - 1] if place else rank
        mark = "▲" if rank < before else "▼" if rank > before else "\u2007"
        texts.append(f"{mark} {rank:,}")
    return texts
