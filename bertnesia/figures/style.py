"""What all figures share: colours, titles, escaping, frames."""

import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

MODEL_COLOURS = ("#3B7DD8", "#D9730D", "#2E9E5B", "#C2479A", "#1496A8", "#A07A1F", "#8B6FE0")
"""One hue per model, in the study's order: told apart by colour-blind readers together with the markers, and with at
least 3:1 contrast on the light and the dark background."""

MODEL_MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
WORD_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")

OUTCOME_COLOURS = {"retained": "#7F8899", "forgotten": "#D64550", "learned": "#1E9E8A"}
OUTCOME_PATTERNS = {"retained": "", "forgotten": "/", "learned": ""}
PRIOR_COLOUR = "#7F8899"

INK = "#000037"
"""Near black. The dashboard puts its theme's own text colour in the place of exactly this one, light or dark."""

PERCENT = ".0%"
"""Tick format of shares."""


def colours(models: Sequence[str]) -> dict[str, str]:
    """The hue of each model of a study, given all of them in their order."""
    return {model: MODEL_COLOURS[place % len(MODEL_COLOURS)] for place, model in enumerate(models)}


def markers(models: Sequence[str]) -> dict[str, str]:
    """The marker of each model of a study, given all of them in their order."""
    return {model: MODEL_MARKERS[place % len(MODEL_MARKERS)] for place, model in enumerate(models)}


def escape(text: str) -> str:
    """Data as text: Plotly would render `<b>` and follow `<a>` in labels, titles and hover boxes."""
    return html.escape(text, quote=False)


def shorten(text: str, width: int) -> str:
    """The text, escaped, cut to `width` characters with an ellipsis."""
    return escape(text if len(text) <= width else text[: width - 1].rstrip() + "…")


def faint(colour: str, opacity: float = 0.16) -> str:
    """A `#rrggbb` colour made transparent, for bands."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def frame(
    figure: go.Figure, title: str, note: str, *, height: int = 460, legend_on_top: bool = False, **layout: Any
) -> go.Figure:
    """Give a figure its title, the note under it (what it counts, and how many) and quiet margins.

    Titles are wrapped by hand, since Plotly cuts long ones off on narrow screens.
    """
    heading, below = _wrapped(title, 44), _wrapped(note, 60)
    more_lines = 20 * heading.count("<br>")  # Plotly places the last line of a title, whatever is above it
    above = 42 + more_lines + 15 * (below.count("<br>") + 1) + 30 * legend_on_top
    figure.update_layout(
        title={
            "text": heading,
            "subtitle": {"text": below, "font": {"size": 12, "color": INK}},
            "x": 0,
            "xanchor": "left",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 6 + more_lines},
            "font": {"size": 16},
        },
        margin={"l": 12, "r": 12, "t": above, "b": 12},
        height=height,
        font={"color": INK},
        hovermode="closest",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "traceorder": "normal"}
        | ({"y": 1, "yanchor": "bottom"} if legend_on_top else {"y": -0.18, "yanchor": "top"}),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        **layout,
    )
    text = {"tickfont": {"color": INK}, "title_font": {"color": INK}}
    figure.update_xaxes(automargin=True, **text)
    return figure.update_yaxes(automargin=True, **text)


def empty(title: str, reason: str) -> go.Figure:
    """A figure that says why there is nothing in it."""
    figure = go.Figure()
    figure.add_annotation(text=_wrapped(reason, 44), showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    axis: Mapping[str, Any] = {"visible": False}
    return frame(figure, title, "", height=240, xaxis=axis, yaxis=axis)


def _wrapped(text: str, width: int) -> str:
    """The text in as few lines as fit, all about as long."""
    lines = textwrap.wrap(text, width)
    for narrower in range(width - 1, 0, -1):
        fewer = textwrap.wrap(text, narrower)
        if len(fewer) > len(lines):
            break
        lines = fewer
    return "<br>".join(escape(line) for line in lines)
