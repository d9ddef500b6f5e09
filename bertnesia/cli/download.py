"""The command `download`: data sets from their official addresses."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from bertnesia.cli.common import JsonOption, app, console, errors

if TYPE_CHECKING:
    from bertnesia.downloads import Fetched

_CHECKED = {
    "published": "the SHA-256 is the published one",
    "recorded": "the SHA-256 is that of the first download",
    "new": "no SHA-256 is published: this one is kept in downloads.json, and checked from now on",
}


@app.command()
def download(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets; without any, they are listed.")] = None,
    to: Annotated[Path, typer.Option("--to", help="The data folder.")] = Path("data"),
    mirror: Annotated[
        str | None, typer.Option("--mirror", help="An address with copies, each at its place below the data folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Download data sets from their official addresses; one that broke off goes on where it was."""
    from bertnesia.downloads import CATALOGUE, fetch
    from bertnesia.errors import BertnesiaError

    if not names:
        _show_catalogue()
        return
    if unknown := [name for name in names if name not in CATALOGUE]:
        raise BertnesiaError(f"There is no download {unknown[0]}; there are {', '.join(CATALOGUE)}.")
    for name in dict.fromkeys(names):
        chosen = CATALOGUE[name]
        errors.print(f"{chosen.title}. Licence: {chosen.licence}.", highlight=False, markup=False)
        for found in fetch(name, to, mirror):
            _show(found, as_json)


def _show(found: "Fetched", as_json: bool) -> None:
    if as_json:
        print(json.dumps({"path": str(found.path), "sha256": found.sha256, "checked": found.checked}))  # noqa: T201
        return
    state = "downloaded" if found.downloaded else "already there"
    text = f"{found.path}: {state}, {decimal(found.bytes)}, SHA-256 {found.sha256}; {_CHECKED[found.checked]}."
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _show_catalogue() -> None:
    from bertnesia.downloads import CATALOGUE

    table = Table("name", "what", "licence", title="bertnesia download NAME...")
    table.add_column("size", justify="right")
    for one in CATALOGUE.values():
        size = "unknown" if one.size is None else decimal(one.size)
        table.add_row(one.name, escape(one.title), escape(one.licence), size)
    console.print(table)
