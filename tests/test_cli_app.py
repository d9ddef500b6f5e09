"""The command `app`: where it listens, and how it ends."""

import os
import signal
import socket
import sys
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from bertnesia import cli
from bertnesia.errors import BertnesiaError
from tests.servers import free_port, serving

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
HANDSHAKE = (
    "GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def command(port: int, *options: str) -> list[str]:
    return [sys.executable, "-m", "bertnesia.cli", "app", f"--port={port}", *options]


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 stands in for another address of the machine")
def test_a_class_reaches_it_at_the_host_that_was_named_and_ending_the_command_ends_it(tmp_path: Path) -> None:
    port, host = free_port(), "127.0.0.2"
    with serving(command(port, "--public", "--host", host), port, tmp_path, ENVIRONMENT, host) as server:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=3)
        with socket.create_connection((host, port), timeout=20) as visitor:
            visitor.sendall(HANDSHAKE.format(host=f"{host}:{port}").encode())
            assert visitor.recv(100).startswith(b"HTTP/1.1 101 ")
        os.kill(server.pid, signal.SIGTERM)
        server.wait(30)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, port), timeout=3)


def test_other_machines_are_let_in_by_public_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bertnesia", "app", "--host", "127.0.0.2"])
    with pytest.raises(BertnesiaError, match=r"name files of this one: add --public\.$"):
        cli.app(prog_name="bertnesia")


def test_a_folder_is_no_database_but_may_hold_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["bertnesia", "app", str(tmp_path)])
    with pytest.raises(BertnesiaError, match=rf"^There is no database {tmp_path}\.$"):
        cli.app(prog_name="bertnesia")
    (tmp_path / "probe.duckdb").touch()
    with pytest.raises(BertnesiaError, match=rf"There is one in that folder: {tmp_path}/probe\.duckdb\.$"):
        cli.app(prog_name="bertnesia")


def test_where_it_cannot_listen_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("localhost", 0))) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["bertnesia", "app", "--port", str(port)])
        with pytest.raises(BertnesiaError, match=rf"^Port {port} is taken, .* --port {port + 1} \(make app PORT="):
            cli.app(prog_name="bertnesia")
    for elsewhere in ("no.such.host.invalid", "192.0.2.77"):
        monkeypatch.setattr(sys, "argv", ["bertnesia", "app", "--public", "--host", elsewhere])
        with pytest.raises(BertnesiaError, match=rf"^Cannot listen at {elsewhere}, port 8501: \w+"):
            cli.app(prog_name="bertnesia")


def test_no_full_collection_of_garbage_follows_every_run_of_a_page() -> None:
    """With torch loaded it takes longer than the page: thirty visitors waited ten seconds a click, two without."""
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))
    assert config["runner"]["postScriptGC"] is False
