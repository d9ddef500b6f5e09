"""Live predictions: what each layer says, and where watched words stand."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bertnesia.figures.style import (
    INK,
    MODEL_COLOURS,
    MODEL_MARKERS,
    WORD_DASHES,
    empty,
    escape,
    faint,
    frame,
    shorten,
)


def predictions_grid(table: pd.DataFrame, *, label: str, colour: str, mask: int | None = None) -> go.Figure:
    """What one model predicts at each layer: a row per layer, best word first, coloured by the root of its probability.

    Args:
        table: layer, place (counted from 1), token, probability.
        label: the model's name.
        colour: its hue.
        mask: which of several masks, counted from 1.
    """
    title = label if mask is None else f"{label}, mask {mask}"
    if table.empty:
        return empty(title, "There are no predictions.")
    rows = table.sort_values(["layer", "place"])
    layers, places = rows["layer"].astype(str).tolist(), rows["place"].astype(str).tolist()
    figure = go.Figure(
        go.Heatmap(
            x=places,
            y=layers,
            z=np.sqrt(rows["probability"].to_numpy(dtype=np.float64)).tolist(),
            zmin=0,
            zmax=1,
            colorscale=[[0, faint(colour, 0.03)], [1, faint(colour, 0.65)]],
            showscale=False,
            xgap=2,
            ygap=2,
            customdata=[
                [escape(token), probability]
                for token, probability in zip(rows["token"], rows["probability"], strict=True)
            ],
            hovertemplate="layer %{y}, place %{x}<br><b>%{customdata[0]}</b> %{customdata[1]:.2%}<extra></extra>",
        )
    )
    # Words as a trace of their own: a heat map's labels are coloured for an opaque map and vanish in dark mode.
    figure.add_trace(
        go.Scatter(
            x=places,
            y=layers,
            text=[shorten(token, 13) for token in rows["token"]],
            mode="text",
            textfont={"color": INK},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    return frame(
        figure,
        title,
        "Likeliest words of each layer; the stronger the colour, the likelier",
        height=130 + 34 * table["layer"].nunique(),
        xaxis={"title": "Place", "side": "bottom", "showgrid": False, "type": "category", "fixedrange": True},
        yaxis={
            "title": "Layer", "autorange": "reversed", "showgrid": False, "type": "category", "fixedrange": True
        },
    )  # fmt: skip


def watched_ranks(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    markers: Mapping[str, str],
    title: str = "Rank of the watched words",
) -> go.Figure:
    """The rank of chosen words by layer, best on top, on a logarithmic axis: hue is the model, dash is the word.

    Args:
        table: model, word, layer, rank, probability.
        labels: what to call each model.
        colours: hue of each model.
        markers: marker of each model.
        title: what is shown.
    """
    if table.empty:
        return empty(title, "No words are watched.")
    figure = go.Figure()
    words = list(dict.fromkeys(table["word"]))
    for model in (model for model in labels if (table["model"] == model).any()):
        for place, word in enumerate(words):
            rows = table[(table["model"] == model) & (table["word"] == word)].sort_values("layer")
            colour = colours.get(model, MODEL_COLOURS[0])
            figure.add_trace(
                go.Scatter(
                    x=rows["layer"].tolist(),
                    y=rows["rank"].tolist(),
                    name=f"{escape(labels[model])}: {shorten(word, 20)}",
                    mode="lines+markers",
                    line={"color": colour, "width": 2.5, "dash": WORD_DASHES[place % len(WORD_DASHES)]},
                    marker={"color": colour, "symbol": markers.get(model, MODEL_MARKERS[0]), "size": 8},
                    customdata=rows["probability"].tolist(),
                    hovertemplate=(
                        f"<b>{escape(word)}</b>, {escape(labels[model])}, layer %{{x}}<br>"
                        "rank %{y:,}, probability %{customdata:.2%}<extra></extra>"
                    ),
                )
            )
    worst = int(table["rank"].max())
    return frame(
        figure,
        title,
        "1 is best; out of the whole vocabulary",
        xaxis={"title": "Layer", "dtick": 1},
        yaxis={
            "title": "Rank (log scale)",
            "type": "log",
            "range": [np.log10(max(worst, 10)) + 0.1, -0.1],
            "tickvals": [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000],
            "tickformat": ",",
        },
    )
