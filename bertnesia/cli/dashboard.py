"""The command `app`: the dashboard."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from bertnesia.cli.common import ROOT, app
from bertnesia.errors import BertnesiaError


@app.command("app")
def open_app(
    db: Annotated[Path | None, typer.Argument(help="A study's database [the one that ships].")] = None,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
) -> None:
    """Open the dashboard in the browser; it listens on this machine alone."""
    script = ROOT / "app.py"
    if not script.exists():
        raise BertnesiaError(f"The dashboard is not installed: {script} is missing; run it from a clone.")
    if db and not db.is_file():
        raise BertnesiaError(f"There is no database {db}.")
    environment = {**os.environ, **({"BERTNESIA_DB": str(db.resolve())} if db else {})}
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    raise typer.Exit(subprocess.call(command, env=environment, cwd=ROOT))  # noqa: S603
