"""The command `app`: the dashboard."""

import errno
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from bertnesia.cli.common import app
from bertnesia.errors import BertnesiaError
from bertnesia.shipped import shipped_folder


@app.command("app")
def open_app(
    db: Annotated[Path | None, typer.Argument(help="A study's database.", show_default="the one that ships")] = None,
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8501,
    public: Annotated[
        bool, typer.Option("--public", help="Strangers use it: nobody can add models or write to this machine's disk.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            help="Name or address at which other machines reach this one; needs --public.",
            show_default="this machine alone",
        ),
    ] = None,
) -> None:
    """Open the dashboard in the browser; it listens on this machine alone unless told otherwise."""
    if db and not db.is_file():
        raise _no_database(db)
    if host and not public:
        raise BertnesiaError("--host lets other machines in, where they could name files of this one: add --public.")
    _check_that_it_can_listen(host or "localhost", port)
    environment = dict(os.environ)
    if db:
        environment["BERTNESIA_DB"] = str(db.resolve())
    if public:
        environment["BERTNESIA_PUBLIC"] = "1"
    # -P: nothing in the user's own folder may take the place of a module.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(shipped_folder() / "app.py")]
    options = [f"--server.port={port}", *_reached_at(host)]
    if os.name == "posix":  # the server takes this process's place, so that what ends the command ends it
        os.execve(sys.executable, [*command, *options], environment)  # noqa: S606
    raise typer.Exit(subprocess.call([*command, *options], env=environment))  # noqa: S603


def _no_database(path: Path) -> BertnesiaError:
    inside = sorted(path.glob("*.duckdb"))
    hint = f" There is one in that folder: {inside[0]}." if inside else ""
    return BertnesiaError(f"There is no database {path}.{hint}")


def _check_that_it_can_listen(host: str, port: int) -> None:
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BertnesiaError(f"Cannot listen at {host}, port {port}: {error.strerror or error}.") from error
    faults = [fault for place in places if (fault := _fault_of_listening(place))]
    if any(fault.errno == errno.EADDRINUSE for fault in faults):
        raise BertnesiaError(
            f"Port {port} is taken, perhaps by a dashboard at http://{host}:{port}: name another, such as "
            f"--port {port + 1} (make app PORT={port + 1})."
        )
    if len(faults) == len(places):
        raise BertnesiaError(f"Cannot listen at {host}, port {port}: {faults[0].strerror}.")


def _fault_of_listening(place: tuple[Any, ...]) -> OSError | None:
    family, kind, protocol, _, address = place
    try:
        with closing(socket.socket(family, kind, protocol)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        return error
    return None


def _reached_at(host: str | None) -> list[str]:
    """Without a host the configuration that ships says localhost.

    The server answers pages that were opened at the browser's address alone, and asks the internet for its own if it
    is not told.
    """
    return [f"--server.address={host}", f"--browser.serverAddress={host}"] if host else []
