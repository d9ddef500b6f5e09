"""Relations: what each layer of a model knows of them, and how models compare on them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from bertnesia.figures.style import (
    GAIN,
    INK,
    LOSS,
    MODEL_COLOURS,
    MODEL_MARKERS,
    PERCENT,
    PRIOR_COLOUR,
    distinct,
    empty,
    escape,
    faint,
    frame,
    shorten,
)

_ROW = 27
"""Pixels of one row."""

_FAINTEST, _STRONGEST = 0.03, 0.78
"""Opacity of the smallest and the largest value: the theme's text stays legible on both."""


def heat_map(
    table: pd.DataFrame,
    *,
    title: str,
    note: str,
    colour: str,
    change: bool = False,
    top: float | None = None,
    chosen: tuple[str, int] | None = None,
    columns: Mapping[int, str] | None = None,
) -> go.Figure:
    """A cell per relation and layer, stronger in colour the higher its value, with the number in it.

    Cells are bars, since Plotly reports no click on a heat map; their `customdata` is relation, layer, right, facts.

    Args:
        table: relation, label, layer, value, correct, facts; relations in the order of the rows.
        title: what is shown.
        note: what the values are of, with n.
        colour: the model's hue.
        change: whether values are differences: coloured by sign, whatever `colour`.
        top: the value of the strongest colour; the table's largest where it is None.
        chosen: relation and layer of the cell to outline.
        columns: what stands under each column, where `layer` counts something else than layers.
    """
    if table.empty:
        return empty(title, "There is no fact that the chosen models were asked.")
    relations = table.drop_duplicates("relation")[["relation", "label", "facts"]]
    labels = [
        f"{shorten(label, 22)} ({facts:,})" for label, facts in zip(relations.label, relations.facts, strict=True)
    ]
    names = dict(zip(relations["relation"], distinct(labels), strict=True))
    largest = top or max(float(table["value"].abs().max()), 0.01)
    where = {layer: escape(name) for layer, name in (columns or {}).items()}
    layers = sorted(int(layer) for layer in table["layer"].unique())
    cells: list[Any] = list(table.sort_values("layer", kind="stable").itertuples())
    figure = go.Figure(
        go.Bar(
            y=[names[cell.relation] for cell in cells],
            x=[0.96] * len(cells),
            base=[cell.layer - 0.48 for cell in cells],
            orientation="h",
            marker={"color": [_shade(cell.value / largest, colour, change) for cell in cells], "line_width": 0},
            text=[_number(cell.value, change) for cell in cells],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": INK, "size": 11},
            customdata=[[cell.relation, int(cell.layer), int(cell.correct), int(cell.facts)] for cell in cells],
            hovertext=[_hover(cell, where.get(cell.layer, f"layer {cell.layer}"), change) for cell in cells],
            hovertemplate="%{hovertext}<extra></extra>",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            showlegend=False,
        )
    )
    figure = frame(
        figure,
        title,
        note,
        height=130 + _ROW * len(names),
        barmode="overlay",
        bargap=0.06,
        dragmode=False,
        clickmode="event+select",
        xaxis={
            "title": "Layer" if columns is None else None,
            "tickvals": layers,
            "ticktext": [shorten(columns[layer], 12) if columns else str(layer) for layer in layers],
            "showgrid": False,
            "zeroline": False,
            "range": [layers[0] - 0.55, layers[-1] + 0.55],
            "fixedrange": True,
        },
        yaxis={"autorange": "reversed", "title": None, "ticksuffix": " ", "showgrid": False, "fixedrange": True},
    )
    if chosen and chosen[0] in names:
        _outline(figure, list(names).index(chosen[0]), chosen[1])
    return figure


def _hover(row: Any, where: str, change: bool) -> str:
    counts = f"{int(row.correct):,} of {int(row.facts):,} facts"
    return f"{escape(row.label)}, {where}<br><b>{row.value:{'+' if change else ''}.1%}</b>: {counts}"


def _number(value: float, change: bool) -> str:
    shown = f"{100 * value:{'+' if change else ''}.0f}".replace("-", "−")
    return "0" if shown in ("+0", "−0") else shown


def _shade(strength: float, colour: str, change: bool) -> str:
    hue = colour if not change else GAIN if strength > 0 else LOSS
    return faint(hue, round(_FAINTEST + (_STRONGEST - _FAINTEST) * min(1.0, abs(strength)), 3))


def _outline(figure: go.Figure, row: int, layer: int) -> None:
    box = {"x0": layer - 0.49, "x1": layer + 0.49, "y0": row - 0.48, "y1": row + 0.48}
    figure.add_shape(type="rect", line={"color": INK, "width": 2}, layer="above", **box)


def side_by_side(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    markers: Mapping[str, str],
    title: str,
    measure: str,
    note: str,
) -> go.Figure:
    """Every relation on a row of its own, with a mark for each model on one scale.

    Args:
        table: model, relation, label, value, low, high, facts; relations in the order of the rows.
        labels: what to call each model; its order is the legend's.
        colours: hue of each model.
        markers: marker of each model.
        title: what is shown.
        measure: name of the value axis, with its unit.
        note: what the values are of, with n.
    """
    if table.empty:
        return empty(title, "There is no fact that the chosen models were asked.")
    relations = table.drop_duplicates("relation")[["relation", "label", "facts"]]
    texts = [f"{shorten(label, 22)} ({facts:,})" for label, facts in zip(relations.label, relations.facts, strict=True)]
    names = dict(zip(relations["relation"], distinct(texts), strict=True))
    figure = go.Figure()
    figure.add_trace(_spans(table, names))
    for model in (model for model in labels if (table["model"] == model).any()):
        rows = table[table["model"] == model]
        colour = colours.get(model, MODEL_COLOURS[0])
        figure.add_trace(
            go.Scatter(
                x=rows["value"].tolist(),
                y=[names[relation] for relation in rows["relation"]],
                name=escape(labels[model]),
                mode="markers",
                cliponaxis=False,
                marker={"color": colour, "symbol": markers.get(model, MODEL_MARKERS[0]), "size": 11},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": (rows["high"] - rows["value"]).tolist(),
                    "arrayminus": (rows["value"] - rows["low"]).tolist(),
                    "thickness": 1.2,
                    "width": 0,
                    "color": faint(colour, 0.55),
                },
                customdata=rows[["low", "high", "facts"]].to_numpy().tolist(),
                hovertemplate=(
                    f"<b>{escape(labels[model])}</b>, %{{y}}<br>%{{x:.1%}} (%{{customdata[0]:.1%}} to "
                    "%{customdata[1]:.1%})<extra></extra>"
                ),
            )
        )
    return frame(
        figure,
        title,
        note,
        height=170 + _ROW * len(names),
        legend_on_top=True,
        xaxis={"title": measure, "tickformat": PERCENT, "rangemode": "tozero"},
        yaxis={
            "autorange": "reversed",
            "title": None,
            "ticksuffix": "  ",
            "categoryorder": "array",
            "categoryarray": list(names.values()),
        },
    )


def _spans(table: pd.DataFrame, names: Mapping[str, str]) -> go.Scatter:
    """A line on each row from its smallest to its largest value."""
    ends = table.groupby("relation", sort=False)["value"].agg(["min", "max"])
    return go.Scatter(
        x=[x for low, high in zip(ends["min"], ends["max"], strict=True) for x in (low, high, None)],
        y=[y for relation in ends.index for y in (names[relation], names[relation], None)],
        mode="lines",
        line={"color": faint(PRIOR_COLOUR, 0.45), "width": 2},
        hoverinfo="skip",
        showlegend=False,
    )
