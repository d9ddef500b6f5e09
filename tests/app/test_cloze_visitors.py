"""Many visitors of a real server at once, and what strangers may not do there."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest
from streamlit.proto.Element_pb2 import Element

from bertnesia.live import ClozeResult, Request, live_models
from bertnesia.store.study import open_study
from tests import tiny
from tests.app.conftest import APP, wait_for
from tests.app.visitor import of_type, texts, visit

PROMPT = "anna was born in [MASK] ."
VISITORS = 20


@pytest.fixture(scope="module")
def public(database: Path) -> Iterator[str]:
    """`bertnesia app --public`, on a free port."""
    with closing(socket.socket()) as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bertnesia.cli", "app", str(database), "--public", "--port", str(port)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "STREAMLIT_SERVER_HEADLESS": "true"}
    with subprocess.Popen(
        command, cwd=APP.parent, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            wait_for(f"http://localhost:{port}/_stcore/health", process)
            yield f"http://localhost:{port}"
        finally:
            os.killpg(process.pid, 15)


def words(grid: str) -> list[str]:
    return [unescape(word) for word in re.findall(r"<td[^>]*><bdi>(.*?)</bdi>", grid)]


def answers(page: list[Element]) -> list[list[str]]:
    """The words of every grid, layer after layer."""
    return [words(one.body) for one in of_type(page, "html") if "<table" in one.body]


def predicted(results: tuple[ClozeResult, ...]) -> list[list[str]]:
    return [[token for layer in result.layers for token in layer.tokens] for result in results]


def test_twenty_visitors_at_once_get_their_own_answers(public: str, database: Path) -> None:
    """Four ask the same, all the others something of their own."""
    prompts = [
        PROMPT if visitor % 5 == 0 else f"{tiny.PEOPLE[visitor % 8]} lives in [MASK] and {tiny.TOWNS[visitor % 12]} ."
        for visitor in range(VISITORS)
    ]

    def ask(prompt: str) -> list[list[str]]:
        page = visit(public, "cloze", decoder="stock", prompt=prompt, models=["mini", "qa-squad"])
        assert of_type(page, "exception") == []
        return answers(page)

    with ThreadPoolExecutor(VISITORS) as pool:
        together = list(pool.map(ask, prompts))
    live = live_models(open_study(database))
    expected = [predicted(live.ask(Request(prompt, ("mini", "qa-squad"), "stock")).results) for prompt in prompts]
    assert together == expected
    assert len({str(one) for one in together}) == len(set(prompts)) > VISITORS / 2


def test_strangers_get_no_way_to_this_machines_files(public: str, server: str) -> None:
    asked = {"decoder": "stock", "prompt": PROMPT, "models": ["mini"]}
    for address, allowed in ((server, True), (public, False)):
        one = visit(address, "cloze", **asked)
        assert len(answers(one)) == 1
        assert ("Folder or hub name" in [field.label for field in of_type(one, "text_input")]) == allowed
        many = visit(address, "cloze", decoder="stock", ask="many sentences")
        assert "Prompts, one a line" in [field.label for field in of_type(many, "text_area")]
        assert bool(of_type(many, "file_uploader")) == allowed


def test_a_link_cannot_bring_a_model_in(public: str, database: Path) -> None:
    folder = str(database.parent / "models" / "mini")
    page = visit(public, "cloze", decoder="stock", prompt=PROMPT, models=[folder])
    assert "The link asks for something that is not here." in texts(page)
    assert len(answers(page)) == 2, "the default models instead"
