"""A figure with everything that belongs to it: alt text, how to read it, its table, downloads."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.column_config import NumberColumn, TextColumn
from streamlit.elements.lib.column_types import ColumnConfig

from bertnesia.ui.code import Code, show_code

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is shown: its heading, what it holds (a share is shown in per cent) and its tooltip.

    A `score` has three decimals, a `p`-value four. What is `counted` is text such as "3 of 12". An `interval` named
    `x interval` is made of `x_low` and `x_high`, in per cent.
    """

    label: str
    holds: Literal["share", "change", "count", "counted", "score", "p", "interval", "text"] = "text"
    help: str | None = None


def show_figure(
    figure: go.Figure,
    *,
    name: str,
    alt: str,
    reading: str | None = None,
    on_click: Callable[[list[dict[str, Any]]], None] | None = None,
    code: Code | None = None,
) -> None:
    """Draw a figure across the page, with a word on how to read it, its code, and buttons that save it as PNG or SVG.

    Args:
        figure: what to draw.
        name: of its files, and of its place on the page.
        alt: what a screen reader says.
        reading: how to read it; Markdown, never data.
        on_click: called with the points that were clicked, before the page runs again.
        code: draws the same figure without the page.
    """
    key = f"figure-{_slug(name)}"
    config: Any = {
        "displaylogo": False,
        "modeBarButtons": [["toImage", "resetScale2d"]],
        "toImageButtonOptions": {"format": "svg", "filename": name, "scale": 2},
    }
    if on_click is None:
        st.plotly_chart(figure, alt=alt, key=key, config=config)
    else:
        handle = on_click

        def clicked() -> None:
            handle(list(st.session_state[key]["selection"]["points"]))

        st.plotly_chart(figure, alt=alt, key=key, config=config, on_select=clicked, selection_mode="points")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if reading:
            with st.popover("How to read this", icon=":material/help:", type="tertiary"):
                st.markdown(reading)
        if code:
            show_code(code, name=key)
        _save()(data={"figure": key, "name": name}, key=f"save-{key}", width="stretch", height="content")


def show_table(
    table: pd.DataFrame,
    columns: dict[str, Column],
    *,
    name: str,
    alt: str,
    selectable: bool = False,
    code: Code | None = None,
) -> int | None:
    """The columns of a table as people read them, a download of all of it in full precision, and its code.

    Returns:
        the place of the row that was selected just now, if rows are `selectable`.
    """
    shown = pd.DataFrame({key: _shown(table, key, column) for key, column in columns.items()})
    key = f"table-{name}"
    selection: dict[str, Any] = {}
    if selectable:
        selection = {"selection_mode": "single-row", "on_select": lambda: _note_selection(key)}
    st.dataframe(
        shown,
        hide_index=True,
        column_config={key: _config(column) for key, column in columns.items()},
        alt=alt,
        key=key,
        placeholder="–",
        **selection,
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.download_button(
            "Download CSV",
            table.to_csv(index=False).encode(),
            file_name=f"{name}.csv",
            mime="text/csv",
            icon=":material/download:",
            key=f"download-{name}",
            on_click="ignore",
            type="tertiary",
        )
        if code:
            show_code(code, name=key)
    place = st.session_state.pop(f"{key}-selected", None)
    return place if place is not None and place < len(table) else None


def _note_selection(key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.session_state[f"{key}-selected"] = int(rows[0])


def _shown(table: pd.DataFrame, key: str, column: Column) -> pd.Series:
    if column.holds in ("share", "change"):
        return 100 * table[key]
    if column.holds == "interval":
        name = key.removesuffix(" interval")
        ends = zip(100 * table[f"{name}_low"], 100 * table[f"{name}_high"], strict=True)
        texts = [None if pd.isna(low) else f"{low:.1f} to {high:.1f}".replace("-", "−") for low, high in ends]
        return pd.Series(texts, index=table.index, dtype=object)
    return table[key]


def _config(column: Column) -> ColumnConfig:
    if column.holds in ("interval", "counted"):
        return TextColumn(column.label, help=column.help, alignment="right")
    if column.holds == "text":
        return TextColumn(column.label, help=column.help)
    formats = {"share": "%.1f %%", "change": "%+.1f %%", "count": "localized", "score": "%.3f", "p": "%.4f"}
    return NumberColumn(column.label, format=formats[column.holds], help=column.help)


def _slug(name: str) -> str:
    """The name as it may stand in a CSS class, which Streamlit makes of a key."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)


@cache
def _save() -> Callable[..., Any]:
    """The buttons under a figure: a component of our own, made once a process."""
    return st.components.v2.component(
        "bertnesia.save",
        html="<div><span>Save as</span><button data-format=png>PNG</button><button data-format=svg>SVG</button></div>",
        css=(_HERE / "save.css").read_text(encoding="utf-8"),
        js=(_HERE / "save.js").read_text(encoding="utf-8"),
    )
