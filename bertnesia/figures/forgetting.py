"""Retained, forgotten and learned, one bar per relation."""

import pandas as pd
import plotly.graph_objects as go

from bertnesia.figures.style import OUTCOME_COLOURS, OUTCOME_PATTERNS, PERCENT, empty, frame, shorten

_ROW = 26
"""Pixels of one bar and its gap."""


def outcomes_by_relation(counts: pd.DataFrame, *, title: str, note: str) -> go.Figure:
    """Stacked bars: what share of each relation's facts was retained, forgotten, learned.

    Retained and forgotten together are what the base had right; retained and learned, what the fine-tuned model has.

    Args:
        counts: label, facts, retained, forgotten, learned; the first row is drawn on top.
        title: what is shown.
        note: what is counted, with n.
    """
    if counts.empty:
        return empty(title, "There is no fact that both models were asked.")
    names = _names(counts)
    figure = go.Figure()
    for outcome, colour in OUTCOME_COLOURS.items():
        figure.add_trace(
            go.Bar(
                y=names,
                x=(counts[outcome] / counts["facts"]).tolist(),
                orientation="h",
                name=outcome,
                marker={"color": colour, "pattern": _pattern(outcome)},
                customdata=counts[[outcome, "facts"]].to_numpy().tolist(),
                hovertemplate=(
                    f"%{{y}}<br>{outcome}: %{{customdata[0]:,}} of %{{customdata[1]:,}} facts (%{{x:.1%}})"
                    "<extra></extra>"
                ),
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
        xaxis={"title": "Share of the relation's facts", "tickformat": PERCENT, "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "title": None, "ticksuffix": "  "},
    )


def _pattern(outcome: str) -> dict[str, object]:
    """Hatching over the colour, so that red and grey differ without their hue."""
    return {"shape": OUTCOME_PATTERNS[outcome], "fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.45)", "size": 6}


def _names(counts: pd.DataFrame) -> list[str]:
    """Short, escaped and distinct axis labels with n: Plotly would draw two bars of one name on top of each other."""
    names: list[str] = []
    for label, facts in zip(counts["label"], counts["facts"], strict=True):
        name = f"{shorten(label, 24)} ({facts:,})"
        names.append(name + "\u200b" * sum(name == other.rstrip("\u200b") for other in names))
    return names
