"""A figure with everything that belongs to it: alt text, its table, a download."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.column_config import NumberColumn, TextColumn
from streamlit.elements.lib.column_types import ColumnConfig


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is shown: its heading, what it holds (a share is shown in per cent) and its tooltip."""

    label: str
    holds: Literal["share", "change", "count", "text"] = "text"
    help: str | None = None


def show_figure(figure: go.Figure, *, name: str, alt: str) -> None:
    """Draw a figure across the page; its mode bar saves a picture called `name`."""
    st.plotly_chart(
        figure,
        alt=alt,
        key=f"figure-{name}",
        config={
            "displaylogo": False,
            "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
            "toImageButtonOptions": {"format": "svg", "filename": name},
        },
    )


def show_table(table: pd.DataFrame, columns: dict[str, Column], *, name: str, alt: str) -> None:
    """The columns of a table as people read them, and a download of all of it in full precision."""
    shown = table[list(columns)].copy()
    for key, column in columns.items():
        if column.holds in ("share", "change"):
            shown[key] = 100 * shown[key]
    st.dataframe(
        shown,
        hide_index=True,
        column_config={key: _config(column) for key, column in columns.items()},
        alt=alt,
        key=f"table-{name}",
    )
    st.download_button(
        "Download CSV",
        table.to_csv(index=False).encode(),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"download-{name}",
        on_click="ignore",
    )


def _config(column: Column) -> ColumnConfig:
    if column.holds == "text":
        return TextColumn(column.label, help=column.help)
    formats = {"share": "%.1f %%", "change": "%+.1f %%", "count": "localized"}
    return NumberColumn(column.label, format=formats[column.holds], help=column.help)
