"""The command `app`: the dashboard."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from bertnesia.cli.common import app
from bertnesia.errors import BertnesiaError
from bertnesia.shipped import shipped_folder


@app.command("app")
def open_app(
    db: Annotated[Path | None, typer.Argument(help="A study's database [the one that ships].")] = None,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    public: Annotated[
        bool, typer.Option("--public", help="Strangers use it: nobody can add models or write to this machine's disk.")
    ] = False,
) -> None:
    """Open the dashboard in the browser; it listens on this machine alone."""
    script = shipped_folder() / "app.py"
    if db and not db.is_file():
        raise BertnesiaError(f"There is no database {db}.")
    environment = dict(os.environ)
    if db:
        environment["BERTNESIA_DB"] = str(db.resolve())
    if public:
        environment["BERTNESIA_PUBLIC"] = "1"
    # -P: nothing in the user's own folder may take the place of a module.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    raise typer.Exit(subprocess.call(command, env=environment))  # noqa: S603
