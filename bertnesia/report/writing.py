"""Writing a report: one HTML file that needs nothing else, CSV files, or JSON."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
from plotly.offline import get_plotlyjs

from bertnesia.errors import BertnesiaError
from bertnesia.files import replacing_file, replacing_folder
from bertnesia.report.exhibits import Exhibit, Report

ROWS_SHOWN = 200
"""Longer tables are cut on the page, which says so; files hold them whole."""

_TEMPLATE = "report.html.j2"
_GRID = "rgba(128, 128, 128, 0.25)"


def write_html(report: Report, path: Path) -> None:
    """Write the report as one file that works offline, in one step."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters.update(figure=_figure, cell=_cell, heading=_heading)
    template = environment.from_string(resources.files("bertnesia.report").joinpath(_TEMPLATE).read_text("utf-8"))
    page = template.render(report=report, plotly=get_plotlyjs(), rows_shown=ROWS_SHOWN)
    with replacing_file(path) as partial:
        partial.write_text(page, encoding="utf-8")


def write_csv(report: Report, folder: Path) -> list[str]:
    """Write every table as `NAME.csv` into a folder, in one step; returns the names.

    Tables of an earlier report are replaced.

    Raises:
        BertnesiaError: if there is anything else in the folder, or it is a file.
    """
    names = [f"{exhibit.name}.csv" for exhibit in report.exhibits]
    if folder.exists() and not folder.is_dir():
        raise BertnesiaError(f"{folder} is a file: name a folder for the tables.")
    if folder.is_dir() and (others := sorted({path.name for path in folder.iterdir()} - set(names))):
        raise BertnesiaError(f"{folder} holds {others[0]}, which is no table of this report: name another folder.")
    with replacing_folder(folder) as partial:
        for exhibit, name in zip(report.exhibits, names, strict=True):
            exhibit.table.to_csv(partial / name, index=False)
    return names


def as_json(report: Report) -> str:
    """The tables by name, each a list of rows, with the study's title; numbers that are missing are null."""
    tables = {exhibit.name: json.loads(exhibit.table.to_json(orient="records")) for exhibit in report.exhibits}
    about = {"title": report.title, "created": report.created.isoformat()}
    return json.dumps({**about, "tables": tables}, ensure_ascii=False)


def _figure(exhibit: Exhibit) -> str:
    if exhibit.figure is None:
        return ""
    lines = {"gridcolor": _GRID, "zerolinecolor": _GRID}
    figure = go.Figure(exhibit.figure).update_xaxes(**lines).update_yaxes(**lines)
    picture = {"format": "svg", "filename": exhibit.name}
    options = {"displaylogo": False, "responsive": True, "toImageButtonOptions": picture}
    html: str = pio.to_html(
        figure, include_plotlyjs=False, full_html=False, div_id=f"figure-{exhibit.name}", config=options
    )
    return html


def _heading(column: str) -> str:
    return column.replace("_", " ")


def _cell(value: Any, is_share: bool) -> str:
    """A value as people read it: shares in per cent with one decimal, counts with separators, a dash where missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if is_share:
        return f"{100 * float(value):.1f} %"
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:,.0f}" if number.is_integer() and abs(number) >= 1 else f"{number:.3g}"
    return str(value)
