"""Models: how good the decoders of each layer are, and how training went."""

import math
from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from bertnesia.figures.style import (
    MODEL_COLOURS,
    MODEL_MARKERS,
    PERCENT,
    WORD_DASHES,
    empty,
    escape,
    faint,
    frame,
    level,
)


def decoder_quality(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    markers: Mapping[str, str],
    title: str,
    measure: str,
    note: str,
    share: bool,
) -> go.Figure:
    """A validation score of the decoders by layer: hue is the model, dash is the decoder kind.

    Args:
        table: model, kind, layer, value.
        labels: what to call each model; its order is the legend's.
        colours: hue of each model.
        markers: marker of each model.
        title: what is shown.
        measure: name of the value axis, with its unit.
        note: what the values are of.
        share: whether the values are shares.
    """
    if table.empty:
        return empty(title, "The study names no such score of its decoders.")
    form = ".1%" if share else ".3f"
    kinds = list(dict.fromkeys(table["kind"]))
    figure = go.Figure()
    for model in (model for model in labels if (table["model"] == model).any()):
        for place, kind in enumerate(kinds):
            rows = table[(table["model"] == model) & (table["kind"] == kind)].sort_values("layer")
            if rows.empty:
                continue
            name = labels[model] if len(kinds) == 1 else f"{labels[model]}, {kind}"
            colour = colours.get(model, MODEL_COLOURS[0])
            figure.add_trace(
                go.Scatter(
                    x=rows["layer"].tolist(),
                    y=rows["value"].tolist(),
                    name=escape(name),
                    mode="lines+markers",
                    line={"color": colour, "width": 2.5, "dash": WORD_DASHES[place % len(WORD_DASHES)]},
                    marker={"color": colour, "symbol": markers.get(model, MODEL_MARKERS[0]), "size": 8},
                    hovertemplate=f"<b>{escape(name)}</b>, layer %{{x}}<br>%{{y:{form}}}<extra></extra>",
                )
            )
    return frame(
        figure,
        title,
        note,
        height=400,
        xaxis={"title": "Layer", "dtick": 1, "zeroline": False},
        yaxis={"title": measure, "rangemode": "tozero", **({"tickformat": PERCENT} if share else {})},
    )


def training_curve(table: pd.DataFrame, *, colour: str, title: str, measure: str, note: str, share: bool) -> go.Figure:
    """A score by training step: a line per layer, the stronger the later, or a single one for the model itself.

    Args:
        table: layer (missing for the model itself), step, value; churn_of_base where values are what is retained of the
            base: without change, all but the last layer's churn would be.
        colour: the model's hue.
        title: what is shown.
        measure: name of the value axis, with its unit.
        note: what the values are of.
        share: whether the values are shares.
    """
    if table.empty:
        return empty(title, "The study keeps no training curve here.")
    figure = go.Figure()
    layers = sorted(int(layer) for layer in table["layer"].dropna().unique())
    for place, layer in enumerate(layers or [None]):
        rows = (table if layer is None else table[table["layer"] == layer]).sort_values("step")
        strength = 1.0 if layer is None else 0.3 + 0.7 * (place + 1) / len(layers)
        name = "model" if layer is None else f"layer {layer}"
        figure.add_trace(
            go.Scatter(
                x=rows["step"].tolist(),
                y=rows["value"].tolist(),
                name=name,
                mode="lines+markers",
                line={"color": faint(colour, strength), "width": 2.5},
                marker={"size": 5, "color": faint(colour, strength)},
                showlegend=layer is not None,
                hovertemplate=f"<b>{name}</b>, step %{{x:,}}<br>%{{y:{'.1%' if share else '.3f'}}}<extra></extra>",
            )
        )
    if "churn_of_base" in table:
        churn = float(table.loc[table["layer"] == layers[-1], "churn_of_base"].iloc[0])
        if not math.isnan(churn):
            ends = [int(table["step"].min()), int(table["step"].max())]
            meaning = "retained by another decoder of the base"
            figure.add_trace(level(ends, 1 - churn, name="churn alone", meaning=meaning))
    return frame(
        figure,
        title,
        note,
        height=400,
        xaxis={"title": "Step", "tickformat": ",", "rangemode": "tozero"},
        yaxis={"title": measure, **({"tickformat": PERCENT} if share else {})},
    )
