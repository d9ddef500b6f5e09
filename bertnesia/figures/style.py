"""What all figures share: colours, titles, escaping, frames."""

import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from bertnesia.plain import visible

MODEL_COLOURS = ("#2B81D6", "#D66B00", "#7D32FA", "#C46C8D", "#B28A62", "#C40093", "#A15020")
"""One hue per model, in the study's order: any two differ for readers of every kind of colour vision, and each has at
least 3:1 contrast on the light and the dark background."""

MODEL_MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
WORD_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")

OUTCOME_COLOURS = {"retained": "#7F8899", "forgotten": "#D64550", "learned": "#1A86B8"}
OUTCOME_PATTERNS = {"retained": "", "forgotten": "/", "learned": ""}
PRIOR_COLOUR = "#7F8899"
LOSS, GAIN = "#D64550", "#1A86B8"
BURIED = "#7F8899"
"""The two ends of a diverging scale: red and blue, which readers of every kind of colour vision tell apart."""

INK = "#000037"
"""Near black. The dashboard puts its theme's own text colour in the place of exactly this one, light or dark."""

PERCENT = ".0%"
"""Tick format of shares."""


def labels(models: pd.DataFrame) -> dict[str, str]:
    """What to call each model of a study and each control of fine-tuning, told apart where two are called the same.

    Args:
        models: model, label and role of all of them.
    """
    shown = models[models["role"].isin(["model", "control"])]
    rows = shown[["model", "label", "role"]].itertuples(index=False, name=None)
    repeated = set(shown.loc[shown["label"].duplicated(keep=False), "label"])
    return {
        name: (f"{label} ({name})" if label in repeated else label) + (", control" if role == "control" else "")
        for name, label, role in rows
    }


def colours(models: Sequence[str]) -> dict[str, str]:
    """The hue of each model of a study, given all of them in their order."""
    return {model: MODEL_COLOURS[place % len(MODEL_COLOURS)] for place, model in enumerate(models)}


def markers(models: Sequence[str]) -> dict[str, str]:
    """The marker of each model of a study, given all of them in their order."""
    return {model: MODEL_MARKERS[place % len(MODEL_MARKERS)] for place, model in enumerate(models)}


def escape(text: str) -> str:
    """Data as text: Plotly would render `<b>` and follow `<a>` in labels, titles and hover boxes."""
    return html.escape(visible(text), quote=False)


def shorten(text: str, width: int) -> str:
    """The text, escaped, cut to `width` characters with an ellipsis."""
    return escape(text if len(text) <= width else text[: width - 1].rstrip() + "…")


def distinct(names: Sequence[str]) -> list[str]:
    """The same names, made different where two are alike: Plotly draws what has one name in one place."""
    seen: dict[str, int] = {}
    unlike = []
    for name in names:
        seen[name] = seen.get(name, -1) + 1
        unlike.append(name + "\u200b" * seen[name])
    return unlike


def faint(colour: str, opacity: float = 0.16) -> str:
    """A `#rrggbb` colour made transparent, for bands."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def level(ends: Sequence[float], share: float, *, name: str, meaning: str) -> go.Scatter:
    """A dashed line across a figure: the share that something reaches without what the figure is about.

    Args:
        ends: where it begins and ends on the horizontal axis.
        share: its height.
        name: what it is called in the legend.
        meaning: what a reader is told who points at it.
    """
    return go.Scatter(
        x=list(ends),
        y=[share, share],
        name=name,
        mode="lines",
        line={"color": PRIOR_COLOUR, "width": 2, "dash": "dash"},
        hovertemplate=f"%{{y:.1%}} {meaning}<extra></extra>",
    )


def frame(
    figure: go.Figure,
    title: str,
    note: str,
    *,
    height: int = 460,
    legend_on_top: bool = False,
    above: int = 0,
    **layout: Any,
) -> go.Figure:
    """Give a figure its title, the note under it (what it counts, and how many) and quiet margins.

    Titles are wrapped by hand, since Plotly cuts long ones off on narrow screens. `above` leaves more room under them.
    """
    heading, below = _wrapped(title, 44), _wrapped(note, 60)
    breaks = heading.count("<br>")  # Plotly places the last line of a title, whatever is above it, and the note lower
    above = 42 + above + 32 * breaks + 15 * (below.count("<br>") + 1) + 30 * legend_on_top
    figure.update_layout(
        title={
            "text": heading,
            "subtitle": {"text": below, "font": {"size": 12, "color": INK}},
            "x": 0,
            "xanchor": "left",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 6 + 20 * breaks},
            "font": {"size": 16},
        },
        margin={"l": 12, "r": 12, "t": above, "b": 12},
        height=height,
        font={"color": INK},
        hovermode="closest",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "traceorder": "normal"}
        | ({"y": 1, "yanchor": "bottom"} if legend_on_top else {"y": 0, "yref": "container", "yanchor": "bottom"}),
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
