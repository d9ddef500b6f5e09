"""The whole study in one figure: what the last layer knows, and what any layer does."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from bertnesia.figures.style import INK, MODEL_COLOURS, PERCENT, distinct, empty, escape, faint, frame

_ROW = 34
"""Pixels of one bar and its gap."""

CONTROLS = {
    "seeds_union": ("line-ns", "as many decoders of the last layer alone"),
    "masked_union": ("diamond-open", "any layer, subject masked"),
    "control_union": ("circle-open", "any layer of an untrained encoder"),
}
"""What a total must exceed to mean something: the column, its mark, its name."""


def known_bars(
    table: pd.DataFrame, *, labels: Mapping[str, str], colours: Mapping[str, str], title: str, measure: str, note: str
) -> go.Figure:
    """Stacked bars per probe set and model: right at the last layer, and right at some other layer only.

    Args:
        table: probe_set (its name), model, facts, last, total, and seeds_union, masked_union, control_union, missing
            where they were not measured.
        labels: what to call each model; its order is the bars'.
        colours: hue of each model.
        title: what is shown.
        measure: name of the value axis, with its unit.
        note: what is counted, with n.
    """
    if table.empty:
        return empty(title, "No model was asked any facts with these decoders.")
    sets = list(dict.fromkeys(table["probe_set"]))
    groups = [table[table["probe_set"] == one] for one in sets]
    figure = make_subplots(
        rows=len(sets),
        cols=1,
        shared_xaxes=True,
        row_heights=[len(group) for group in groups],
        vertical_spacing=min(0.16, 60 / (_ROW * len(table) + 60 * len(sets))),
    )
    for place, (name, group) in enumerate(zip(sets, groups, strict=True), start=1):
        order = [model for model in labels if (group["model"] == model).any()]
        rows = group.set_index("model").loc[order]
        names = distinct([escape(labels[model]) for model in order])
        for trace in _bars(rows, names, [colours.get(model, MODEL_COLOURS[0]) for model in order], place == 1):
            figure.add_trace(trace, row=place, col=1)
        for trace in _controls(rows, names, table):
            figure.add_trace(trace, row=place, col=1)
        _heading(figure, f"{escape(name)}, {int(rows['facts'].max()):,} facts", place)
    figure.update_yaxes(autorange="reversed", ticksuffix="  ", showgrid=False)
    figure.update_xaxes(tickformat=PERCENT, rangemode="tozero")
    figure.update_xaxes(title=measure, row=len(sets), col=1)
    marks = sum(column in table and bool(table[column].notna().any()) for column in CONTROLS)
    height = 200 + _ROW * len(table) + 46 * len(sets) + 22 * marks
    return frame(figure, title, note, height=height, above=22, barmode="stack", bargap=0.3)


def _bars(rows: pd.DataFrame, names: list[str], hues: list[str], legend: bool) -> list[go.Bar]:
    parts = {
        "last layer": (rows["last"], hues, ""),
        "some other layer only": (rows["total"] - rows["last"], [faint(hue, 0.38) for hue in hues], "/"),
    }
    bars = []
    for part, (values, fill, pattern) in parts.items():
        marker = {"color": fill, "line": {"width": 0}}
        if pattern:
            marker["pattern"] = {
                "shape": pattern,
                "fillmode": "overlay",
                "fgcolor": hues,
                "fgopacity": 0.55,
                "size": 6,
                "solidity": 0.25,
            }
        bars.append(
            go.Bar(
                y=names,
                x=values.tolist(),
                orientation="h",
                name=part,
                legendgroup=part,
                showlegend=legend,
                marker=marker,
                customdata=rows[["total", "facts"]].to_numpy().tolist(),
                hovertemplate=(
                    f"<b>%{{y}}</b><br>{part}: %{{x:.1%}}<br>total: %{{customdata[0]:.1%}}, n = %{{customdata[1]:,}}"
                    "<extra></extra>"
                ),
            )
        )
    return bars


def _controls(rows: pd.DataFrame, names: list[str], table: pd.DataFrame) -> list[go.Scatter]:
    first = rows["facts"].index[0] == table["model"].iloc[0] and rows["facts"].iloc[0] == table["facts"].iloc[0]
    return [
        go.Scatter(
            x=rows[column].tolist(),
            y=names,
            name=name,
            legendgroup=column,
            showlegend=bool(first),
            mode="markers",
            marker={"symbol": symbol, "size": 13, "color": INK, "line": {"color": INK, "width": 2}},
            cliponaxis=False,
            hovertemplate=f"<b>%{{y}}</b><br>{name}: %{{x:.1%}}<extra></extra>",
        )
        for column, (symbol, name) in CONTROLS.items()
        if column in rows and rows[column].notna().any()
    ]


def _heading(figure: go.Figure, text: str, place: int) -> None:
    axis = "" if place == 1 else str(place)
    figure.add_annotation(
        text=f"<b>{text}</b>",
        x=0,
        y=1,
        xref="paper",
        yref=f"y{axis} domain",
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        font={"size": 12, "color": INK},
    )
