"""Servers of the dashboard in processes of their own."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str], port: int, folder: Path, variables: Mapping[str, str], host: str = "localhost"
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that opens the dashboard on a port, until it answers; gives its process."""
    address = f"http://{host}:{port}"
    environment = {**variables, "STREAMLIT_SERVER_HEADLESS": "true"}
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True) as server:
        try:
            _wait_for(f"{address}/_stcore/health", server)
            yield server
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                assert answer.read() == b"ok"
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not start")
