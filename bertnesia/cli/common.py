"""What all commands share: the app they register with, options, output, and how bad input ends."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from bertnesia import __version__
from bertnesia.errors import BertnesiaError
from bertnesia.shipped import shipped_folder

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What each layer of a BERT knows, and what fine-tuning makes it forget.",
)
console = Console()
errors = Console(stderr=True)

MIN_RATE = 1e-9
SHIPPED = shipped_folder() / "precomputed" / "mini.duckdb"

DataOption = Annotated[Path | None, typer.Option("--data", help="Folder with text and probe sets.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def names(text: str) -> list[str]:
    """The names in a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _version(show: bool) -> None:
    if show:
        console.print(f"bertnesia {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Options of the command itself."""


def main() -> None:
    """Run the command; bad input is one sentence on standard error and exit code 2."""
    try:
        app(prog_name="bertnesia")
    except BertnesiaError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"Cannot use {error.filename or 'a file'}: {error.strerror or error}.")


def _fail(sentence: str) -> NoReturn:
    errors.print(f"[bold red]Error:[/] {escape(sentence)}", highlight=False, soft_wrap=True)
    sys.exit(2)
