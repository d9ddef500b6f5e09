"""Measures by layer: one line per model with its 95 % band, and the prior."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from bertnesia.figures.style import (
    MODEL_COLOURS,
    MODEL_MARKERS,
    PERCENT,
    PRIOR_COLOUR,
    empty,
    escape,
    faint,
    frame,
    level,
)


def by_layer(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    markers: Mapping[str, str],
    title: str,
    measure: str,
    note: str,
    prior: float | None = None,
    masked: pd.DataFrame | None = None,
) -> go.Figure:
    """A measure over the layers of several models.

    Args:
        table: model, layer, value, low, high, facts, and relations where there are; one row per model and layer.
        labels: what to call each model; its order is the legend's.
        colours: hue of each model.
        markers: marker of each model.
        title: what is shown.
        measure: name of the value axis, with its unit.
        note: what the values are of, with n.
        prior: the value that needs no knowledge of the subject, drawn as a dashed line.
        masked: model, layer, prior: the value of the same prompts with the subject masked, drawn as dotted lines.
    """
    if table.empty:
        return empty(title, "There is no fact that all chosen models were asked.")
    figure = go.Figure()
    shown = [model for model in labels if (table["model"] == model).any()]
    for model in shown:
        rows = table[table["model"] == model].sort_values("layer")
        colour = colours.get(model, MODEL_COLOURS[0])
        figure.add_trace(_band(rows, model, colour))
        figure.add_trace(_line(rows, model, labels[model], colour, markers.get(model, MODEL_MARKERS[0])))
    if masked is not None:
        by_model = {str(model): rows for model, rows in masked.dropna(subset="layer").groupby("model")}
        dotted = [model for model in shown if model in by_model]
        for model in dotted:
            rows = by_model[model].sort_values("layer")
            figure.add_trace(_masked(rows, labels[model], colours.get(model, MODEL_COLOURS[0])))
        if dotted:
            figure.add_trace(_masked_in_legend(int(table["layer"].min())))
    if prior is not None:
        ends = [int(table["layer"].min()), int(table["layer"].max())]
        meaning = "prior: always the relation's commonest objects"
        figure.add_trace(level(ends, prior, name="commonest objects", meaning=meaning))
    top = max(float(table["high"].max()), prior or 0.0)
    return frame(
        figure,
        title,
        note,
        xaxis={"title": "Layer", "dtick": 1, "zeroline": False},
        yaxis={"title": measure, "tickformat": PERCENT, "range": [0, min(1.02, top * 1.08 + 0.005)]},
    )


def _line(rows: pd.DataFrame, model: str, label: str, colour: str, marker: str) -> go.Scatter:
    counts = [name for name in ("facts", "relations") if name in rows]
    told = ", ".join(f"%{{customdata[{place}]:,}} {name}" for place, name in enumerate(counts, start=2))
    return go.Scatter(
        x=rows["layer"].tolist(),
        y=rows["value"].tolist(),
        name=escape(label),
        legendgroup=model,
        mode="lines+markers",
        line={"color": colour, "width": 2.5},
        marker={"color": colour, "symbol": marker, "size": 8},
        customdata=rows[["low", "high", *counts]].to_numpy().tolist(),
        hovertemplate=(
            f"<b>{escape(label)}</b>, layer %{{x}}<br>%{{y:.1%}} (%{{customdata[0]:.1%}} to %{{customdata[1]:.1%}})"
            f"<br>{told}<extra></extra>"
        ),
    )


def _band(rows: pd.DataFrame, model: str, colour: str) -> go.Scatter:
    layers = rows["layer"].tolist()
    return go.Scatter(
        x=layers + layers[::-1],
        y=rows["high"].tolist() + rows["low"].tolist()[::-1],
        fill="toself",
        fillcolor=faint(colour),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=model,
        name=f"{model} band",
    )


def _masked(rows: pd.DataFrame, label: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=rows["layer"].astype(int).tolist(),
        y=rows["prior"].tolist(),
        name=f"{escape(label)}, subject masked",
        legendgroup="masked",
        showlegend=False,
        mode="lines",
        line={"color": colour, "width": 1.5, "dash": "dot"},
        hovertemplate=f"<b>{escape(label)}</b>, subject masked, layer %{{x}}<br>%{{y:.1%}}<extra></extra>",
    )


def _masked_in_legend(layer: int) -> go.Scatter:
    """One entry for the dotted lines of all models, which shows and hides them: one each would fill a phone."""
    return go.Scatter(
        x=[layer],
        y=[None],
        name="subject masked",
        legendgroup="masked",
        mode="lines",
        line={"color": PRIOR_COLOUR, "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
    )


def appearance(
    table: pd.DataFrame, *, labels: Mapping[str, str], colours: Mapping[str, str], title: str, note: str
) -> go.Figure:
    """At which layer facts are first right, and how many of them stay right to the end: bars per model.

    Args:
        table: model, layer (missing: right at none), first, stays, facts.
        labels: what to call each model; its order is the legend's.
        colours: hue of each model.
        title: what is shown.
        note: what is counted, with n.
    """
    known = table.dropna(subset="layer")
    if known.empty or not known["first"].sum():
        return empty(title, "No layer has any of these facts right.")
    figure = go.Figure()
    shown = [model for model in labels if (known["model"] == model).any()]
    for place, model in enumerate(shown):
        rows = known[known["model"] == model].sort_values("layer")
        colour = colours.get(model, MODEL_COLOURS[0])
        shares = (rows["first"] / rows["facts"]).tolist()
        figure.add_trace(
            go.Bar(
                x=rows["layer"].astype(int).tolist(),
                y=shares,
                name=escape(labels[model]),
                offsetgroup=str(place),
                marker={"color": colour},
                customdata=rows[["first", "stays", "facts"]].to_numpy().tolist(),
                hovertemplate=(
                    f"<b>{escape(labels[model])}</b>, layer %{{x}}<br>first right here: %{{customdata[0]:,}} of "
                    "%{customdata[2]:,} facts (%{y:.1%})<br>right from here to the end: %{customdata[1]:,}"
                    "<extra></extra>"
                ),
            )
        )
    return frame(
        figure,
        title,
        note,
        height=380,
        barmode="group",
        bargap=0.3,
        xaxis={
            "title": "Layer where a fact is right for the first time",
            "dtick": 1,
            "range": [0.5, int(known["layer"].max()) + 0.5],
        },
        yaxis={"title": "Share of the facts", "tickformat": PERCENT, "rangemode": "tozero"},
    )
