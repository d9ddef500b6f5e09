"""Progress bars for whatever takes longer than two seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

console = Console(stderr=True)


class Advance(Protocol):
    """Moves a bar on, and may change the note behind it."""

    def __call__(self, amount: float = 1, note: str | None = None) -> None: ...


@contextmanager
def progress_bar(label: str, total: int, done: int = 0) -> Iterator[Advance]:
    """Show a bar on standard error while the block runs; yields the function that moves it on."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as bar:
        task: TaskID = bar.add_task(label, total=total, completed=done, note="")

        def advance(amount: float = 1, note: str | None = None) -> None:
            if note is None:
                bar.advance(task, amount)
            else:
                bar.update(task, advance=amount, note=note)

        yield advance


@contextmanager
def working(label: str) -> Iterator[None]:
    """Show on standard error that something without a known length is going on."""
    with console.status(label):
        yield
