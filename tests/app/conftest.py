import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from streamlit.testing.v1 import AppTest

from tests import tiny
from tests.store.synthetic_study import LAYERS, MODELS, Synthetic, make_study, publish_synthetic

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

APP = Path(__file__).resolve().parents[2] / "app.py"
ARTEFACTS = APP.parent / "tests" / "artefacts"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WAIT = 90_000
"""Milliseconds after which the browser no longer waits."""

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="package")
def synthetic() -> Synthetic:
    return make_study()


@pytest.fixture(scope="package")
def database(synthetic: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up study whose two models are tiny BERTs that answer live prompts with `stock` decoders."""
    folder = tmp_path_factory.mktemp("app")
    for seed, model in enumerate(MODELS):
        tiny.save_masked_lm(folder / "models" / model, seed=seed, layers=LAYERS)
    publish_synthetic(folder / "synthetic.duckdb", synthetic)
    return folder / "synthetic.duckdb"


@pytest.fixture
def open_page(database: Path, monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Opens a page through the router, with the address's parameters, as a pasted link does."""

    def opened(
        page: str = "", study: Path = database, address: dict[str, Any] | None = None, **parameters: str | list[str]
    ) -> AppTest:
        monkeypatch.setenv("BERTNESIA_DB", str(study))
        app = AppTest.from_file(str(APP), default_timeout=60)
        if page:
            app.run()
            app.switch_page(f"pages/{page}.py")
        for name, value in {**(address or {}), **parameters}.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return opened


def figures(app: AppTest) -> list[dict[str, Any]]:
    """Plotly's description of every figure on the page."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def said(app: AppTest) -> str:
    """The page's texts without the marks that keep data from being Markdown, percent signs after plain spaces."""
    told = " ".join(one.value for one in [*app.markdown, *app.caption])
    return told.replace("\\", "").replace("\u2060", "").replace("\u00a0%", " %")


def set_segment(app: AppTest, key: str, value: str) -> None:
    """Choose in a row of options."""
    next(one for one in app.segmented_control if one.key == key).set_value(value)


@pytest.fixture(scope="package")
def server(database: Path) -> Iterator[str]:
    """The real server on a free port; nobody has opened a page yet."""
    with closing(socket.socket()) as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port)]
    environment = {**os.environ, "BERTNESIA_DB": str(database), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*command, "--server.headless", "true"], cwd=APP.parent, env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            address = f"http://localhost:{port}"
            wait_for(f"{address}/_stcore/health", process)
            yield address
        finally:
            process.terminate()


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError("the server did not start")


@pytest.fixture(scope="package")
def browser() -> "Iterator[Browser]":
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium (apt-get install chromium)")
    with playwright.sync_playwright() as engine:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        with engine.chromium.launch(executable_path=CHROMIUM, args=options) as browser:
            yield browser


def at_rest(page: "Page") -> None:
    """Wait until the server has drawn the page."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=WAIT)


@pytest.fixture
def page(browser: "Browser", request: pytest.FixtureRequest) -> "Iterator[Page]":
    """A page of its own that reaches this machine only; a picture of its end is kept."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        outside: list[str] = []

        def only_here(route: "Route") -> None:
            if re.match(r"(http|ws)://localhost[:/]", route.request.url):
                route.continue_()
            else:
                outside.append(route.request.url)
                route.abort()

        context.route(re.compile("^(http|ws)"), only_here)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        ARTEFACTS.mkdir(exist_ok=True)
        yield page
        page.screenshot(path=ARTEFACTS / f"{request.node.name}.png", full_page=True, timeout=WAIT)
        assert outside == [], "the dashboard needs nothing from the network"
