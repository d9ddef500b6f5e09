"""The command `report`: a study's results as one page, or as files."""

from pathlib import Path
from typing import Annotated

import typer

from bertnesia.cli.common import JsonOption, app, console, errors


@app.command()
def report(
    study: Annotated[Path, typer.Argument(help="A study's database, e.g. precomputed/mini.duckdb.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML file to write.", show_default="NAME-report.html")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Folder for the tables as CSV, in place of HTML.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write every figure and table of a study: one self-contained HTML file, CSV files, or JSON."""
    from bertnesia.progress import working
    from bertnesia.report import as_json as to_json
    from bertnesia.report import build_report, write_csv, write_html
    from bertnesia.store.study import open_study

    opened = open_study(study)
    with working("Putting the report together"):
        made = build_report(opened)
    said = errors if as_json else console
    if csv:
        names = write_csv(made, csv)
        said.print(f"Wrote {len(names)} tables to {csv}", highlight=False, markup=False)
    if out or not (csv or as_json):
        path = out or Path(f"{opened.name}-report.html")
        write_html(made, path)
        said.print(f"Wrote {path}", highlight=False, markup=False)
    if as_json:
        print(to_json(made))  # noqa: T201
