"""The command `verify`: is what was published what it says?"""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bertnesia.cli.common import DataOption, app, console, errors

_MOST_SENTENCES = 20


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="A database, or a folder with databases, e.g. precomputed.")],
    data: DataOption = None,
    facts: Annotated[int, typer.Option(help="Facts to rank again.", min=1)] = 200,
    seed: Annotated[
        int | None, typer.Option(help="Which facts are drawn.", show_default="others each time", min=0)
    ] = None,
) -> None:
    """Check hashes of models, decoders and probe files, and rank some facts again; exit code 1 if anything differs."""
    from bertnesia.studies.verifying import verify as verify_published

    checks = verify_published(path, data, facts, seed)
    table = Table("what", title=escape(f"{path}"))
    table.add_column("checked", justify="right")
    table.add_column("result")
    for check in checks:
        wrong = len(check.mismatches)
        result = "[green]as published[/]" if not wrong else f"[bold red]{wrong:,} differ[/]"
        result += f", {check.rounded:,} by rounding" if check.rounded else ""
        table.add_row(escape(check.what), f"{check.checked:,}", result)
    console.print(table)
    mismatches = [sentence for check in checks for sentence in check.mismatches]
    for sentence in mismatches[:_MOST_SENTENCES]:
        errors.print(escape(sentence), highlight=False, soft_wrap=True)
    if len(mismatches) > _MOST_SENTENCES:
        errors.print(f"and {len(mismatches) - _MOST_SENTENCES:,} more.", highlight=False)
    if mismatches:
        raise typer.Exit(1)
