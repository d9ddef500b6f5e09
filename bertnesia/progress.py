"""Progress bars for whatever takes longer than two seconds, and lines now and then where there is no screen."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

console = Console(stderr=True)
SECONDS_BETWEEN_LINES = 60.0

Listener: TypeAlias = Callable[[str, float, float, str], None]
"""Takes what is going on, how much of it is done, the total (0 where it is not known), and a note."""

_listener: ContextVar[Listener | None] = ContextVar("bertnesia.progress", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Have progress told to a listener in place of a bar on standard error; what it raises ends the work."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Advance(Protocol):
    """Moves a bar on, and may change the note behind it."""

    def __call__(self, amount: float = 1, note: str | None = None) -> None: ...


@contextmanager
def progress_bar(label: str, total: int, done: int = 0) -> Iterator[Advance]:
    """Show a bar on standard error while the block runs; yields the function that moves it on.

    Where standard error is no terminal, lines tell how far it is, at most one a minute.
    """
    if listener := _listener.get() or (None if console.is_terminal else _writing_lines()):
        yield _telling(listener, label, total, done)
        return
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
def byte_bar(label: str, total: int | None, done: int = 0) -> Iterator[Callable[[int, int | None], None]]:
    """The same for a transfer of bytes; yields the function that takes how many are there, and of how many."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task: TaskID = bar.add_task(label, total=total, completed=done)

        def advance(there: int, of: int | None) -> None:
            bar.update(task, completed=there, total=total if of is None else of)

        yield advance


@contextmanager
def working(label: str) -> Iterator[None]:
    """Show on standard error that something without a known length is going on."""
    if listener := _listener.get():
        listener(label, 0, 0, "")
        yield
        return
    with console.status(label):
        yield


def _writing_lines() -> Listener:
    began = told = time.monotonic()

    def listen(label: str, done: float, total: float, note: str) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= SECONDS_BETWEEN_LINES:
            told = now
            behind = f", {note}" if note else ""
            said = f"{label}: {done:,.0f} of {total:,.0f} after {now - began:,.0f} s{behind}"
            console.print(said, highlight=False, markup=False, soft_wrap=True)

    return listen


def _telling(listener: Listener, label: str, total: float, done: float) -> Advance:
    said = ""

    def advance(amount: float = 1, note: str | None = None) -> None:
        nonlocal done, said
        done, said = done + amount, said if note is None else note
        listener(label, done, total, said)

    return advance
