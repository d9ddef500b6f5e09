"""Retained, forgotten and learned: by relation, by layer, by amount of training data; and how far ranks moved."""

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bertnesia.figures.style import (
    BURIED,
    GAIN,
    LOSS,
    MODEL_MARKERS,
    OUTCOME_COLOURS,
    OUTCOME_PATTERNS,
    PERCENT,
    WORD_DASHES,
    distinct,
    empty,
    escape,
    faint,
    frame,
    level,
    shorten,
)

_ROW = 26
"""Pixels of one bar and its gap."""


def outcomes_by_relation(
    counts: pd.DataFrame, *, title: str, note: str, of: str = "Share of the relation's facts"
) -> go.Figure:
    """Stacked bars: what share of each relation's facts was retained, forgotten, learned.

    Retained and forgotten together are what the base had right; retained and learned, what the fine-tuned model has.

    Args:
        counts: label, facts, retained, forgotten, learned; the first row is drawn on top.
        title: what is shown.
        note: what is counted, with n.
        of: name of the value axis.
    """
    if counts.empty:
        return empty(title, "There is no fact that both models were asked.")
    names = _names(counts)
    figure = go.Figure()
    for outcome, colour in OUTCOME_COLOURS.items():
        figure.add_trace(
            _bar(
                counts,
                names,
                part=outcome,
                of="facts",
                what="facts",
                marker={"color": colour, "pattern": _pattern(outcome)},
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 1}},
            )
        )
    return frame(
        figure,
        title,
        note,
        height=190 + _ROW * len(names),
        legend_on_top=True,
        barmode="stack",
        bargap=0.28,
        dragmode=False,
        clickmode="event+select",
        xaxis={"title": of, "tickformat": PERCENT, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "title": None, "ticksuffix": "  "},
    )


def _bar(counts: pd.DataFrame, names: list[str], *, part: str, of: str, what: str, **look: object) -> go.Bar:
    """One part of the stacked bars of all rows, as a share of the column `of`."""
    told = f"%{{y}}<br>{part}: %{{customdata[0]:,}} of %{{customdata[1]:,}} {what} (%{{x:.1%}})<extra></extra>"
    return go.Bar(
        y=names,
        x=(counts[part] / counts[of]).tolist(),
        orientation="h",
        name=part,
        customdata=counts[[part, of]].to_numpy().tolist(),
        hovertemplate=told,
        **look,
    )


def _pattern(outcome: str) -> dict[str, object]:
    """Hatching over the colour, so that red and grey differ without their hue."""
    return _pattern_of(OUTCOME_PATTERNS[outcome])


def _names(counts: pd.DataFrame) -> list[str]:
    """Short, escaped and distinct axis labels with n: Plotly would draw two bars of one name on top of each other."""
    labels = zip(counts["label"], counts["facts"], strict=True)
    return distinct([f"{shorten(label, 24)} ({facts:,})" for label, facts in labels])


def outcomes_by_layer(counts: pd.DataFrame, *, title: str, note: str) -> go.Figure:
    """Stacked bars: what share of the facts was retained, forgotten, learned at each layer.

    Args:
        counts: layer, facts, retained, forgotten, learned; one row per layer.
        title: what is shown.
        note: what is counted, with n.
    """
    if counts.empty:
        return empty(title, "There is no fact that both models were asked.")
    rows = counts.sort_values("layer")
    figure = go.Figure()
    for outcome, colour in OUTCOME_COLOURS.items():
        figure.add_trace(
            go.Bar(
                x=rows["layer"].tolist(),
                y=(rows[outcome] / rows["facts"]).tolist(),
                name=outcome,
                marker={"color": colour, "pattern": _pattern(outcome)},
                customdata=rows[[outcome, "facts"]].to_numpy().tolist(),
                hovertemplate=(
                    f"layer %{{x}}<br>{outcome}: %{{customdata[0]:,}} of %{{customdata[1]:,}} facts (%{{y:.1%}})"
                    "<extra></extra>"
                ),
            )
        )
    return frame(
        figure,
        title,
        note,
        height=420,
        legend_on_top=True,
        barmode="stack",
        bargap=0.28,
        xaxis={"title": "Layer", "dtick": 1},
        yaxis={"title": "Share of the facts", "tickformat": PERCENT, "rangemode": "tozero"},
    )


def rank_changes(changes: pd.DataFrame, *, title: str, note: str) -> go.Figure:
    """Diverging bars: how far ranks moved, layer by layer; worse to the left, better to the right.

    Args:
        changes: layer, change (-3 to 3, in bins of at least 1, 10, 100 places; positive is better), facts, of.
        title: what is shown.
        note: what is counted, with n.
    """
    if changes.empty:
        return empty(title, "There is no fact that both models were asked.")
    names = {1: "1–9", 2: "10–99", 3: "100+"}
    figure = go.Figure()
    for size, sign in ((1, -1), (2, -1), (3, -1), (1, 1), (2, 1), (3, 1)):
        rows = changes[changes["change"] == sign * size].sort_values("layer")
        name = f"{names[size]} {'better' if sign > 0 else 'worse'}"
        figure.add_trace(
            go.Bar(
                y=rows["layer"].astype(str).tolist(),
                x=(sign * rows["facts"] / rows["of"]).tolist(),
                orientation="h",
                name=name,
                marker={"color": faint(GAIN if sign > 0 else LOSS, (0.3, 0.6, 1.0)[size - 1]), "line": {"width": 0}},
                customdata=(rows[["facts", "of"]].assign(share=rows["facts"] / rows["of"])).to_numpy().tolist(),
                hovertemplate=(
                    f"layer %{{y}}<br>{name}: %{{customdata[0]:,}} of %{{customdata[1]:,}} facts "
                    "(%{customdata[2]:.1%})<extra></extra>"
                ),
            )
        )
    layers = sorted(int(layer) for layer in changes["layer"].unique())
    reach = _reach(changes)
    return frame(
        figure,
        title,
        note,
        height=270 + 30 * len(layers),
        barmode="relative",
        bargap=0.25,
        xaxis={
            "title": "Share of the facts: rank worse | better after fine-tuning",
            "range": [-reach, reach],
            "tickvals": [step * reach / 2 for step in range(-2, 3)],
            "ticktext": [f"{abs(step * reach / 2):.0%}" for step in range(-2, 3)],
            "zeroline": True,
            "zerolinewidth": 1.5,
        },
        yaxis={
            "title": "Layer",
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [str(layer) for layer in reversed(layers)],
            "showgrid": False,
        },
    )


def _reach(changes: pd.DataFrame) -> float:
    """How far the longest bar goes on either side, rounded up to a tenth."""
    sides = changes.assign(side=np.sign(changes["change"]), share=changes["facts"] / changes["of"])
    sides = sides[sides["side"] != 0]
    longest = float(sides.groupby(["layer", "side"])["share"].sum().max()) if len(sides) else 0.0
    return max(0.1, float(np.ceil(longest * 10 + 0.01) / 10))


def lost_and_buried(counts: pd.DataFrame, *, title: str, note: str) -> go.Figure:
    """Bars per row: of the facts forgotten at the last layer, those that no layer decodes, and those that one does.

    Args:
        counts: label, forgotten, lost, buried; the first row is drawn on top.
        title: what is shown.
        note: what is counted, with n.
    """
    rows = counts[counts["forgotten"] > 0]
    if rows.empty:
        return empty(title, "No fact was forgotten at the last layer.")
    names = distinct(
        [f"{shorten(label, 24)} ({n:,})" for label, n in zip(rows["label"], rows["forgotten"], strict=True)]
    )
    figure = go.Figure()
    for part, colour, shape in (("lost", LOSS, "/"), ("buried", BURIED, "")):
        figure.add_trace(
            _bar(
                rows,
                names,
                part=part,
                of="forgotten",
                what="forgotten facts",
                marker={"color": colour, "pattern": _pattern_of(shape)},
            )
        )
    return frame(
        figure,
        title,
        note,
        height=190 + _ROW * len(names),
        legend_on_top=True,
        barmode="stack",
        bargap=0.28,
        xaxis={"title": "Share of the facts forgotten at the last layer", "tickformat": PERCENT, "range": [0, 1]},
        yaxis={"autorange": "reversed", "title": None, "ticksuffix": "  "},
    )


def by_share(table: pd.DataFrame, *, colour: str, title: str, note: str) -> go.Figure:
    """The forgetting rate by the share of the training data that was used, a line per way of matching.

    Args:
        table: share, matched (epochs or steps; empty for the whole run, where all lines end), value, low, high,
            churn_of_base (the same in every row; missing where it was not measured).
        colour: the model's hue.
        title: what is shown.
        note: what is counted, with n.
    """
    if table.empty:
        return empty(title, "The study holds no runs on parts of the training data.")
    figure = go.Figure()
    for place, matched in enumerate(name for name in dict.fromkeys(table["matched"]) if name):
        rows = table[table["matched"].isin([matched, ""])].sort_values("share")
        figure.add_trace(
            go.Scatter(
                x=rows["share"].tolist(),
                y=rows["value"].tolist(),
                name=f"as many {escape(str(matched))} as the whole",
                mode="lines+markers",
                line={"color": colour, "width": 2.5, "dash": WORD_DASHES[place % len(WORD_DASHES)]},
                marker={"color": colour, "size": 9, "symbol": MODEL_MARKERS[place % len(MODEL_MARKERS)]},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": (rows["high"] - rows["value"]).tolist(),
                    "arrayminus": (rows["value"] - rows["low"]).tolist(),
                    "thickness": 1.2,
                    "width": 0,
                },
                hovertemplate=f"%{{x:.0%}} of the data, as many {escape(str(matched))}<br>%{{y:.1%}}<extra></extra>",
            )
        )
    churn = float(table["churn_of_base"].iloc[0])
    if not math.isnan(churn):
        figure.add_trace(level([0, 1], churn, name="churn alone", meaning="forgotten by another decoder of the base"))
    return frame(
        figure,
        title,
        note,
        height=400,
        xaxis={"title": "Share of the training data", "tickformat": PERCENT, "range": [0, 1.05]},
        yaxis={"title": "Forgetting rate", "tickformat": PERCENT, "rangemode": "tozero"},
    )


def _pattern_of(shape: str) -> dict[str, object]:
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.45)", "size": 6}
