"""The dashboard in a real browser: deep links, controls and addresses, live predictions, no sideways scrolling."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.app.conftest import APP

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARTEFACTS = APP.parent / "tests" / "artefacts"
WAIT = 90_000
FIGURES_FIT = """() => [...document.querySelectorAll(".js-plotly-plot")].every(
    figure => figure.getBoundingClientRect().right <= window.innerWidth
)"""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as engine:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        with engine.chromium.launch(executable_path=CHROMIUM, args=options) as browser:
            yield browser


@pytest.fixture
def page(browser: "playwright.Browser", request: pytest.FixtureRequest) -> Iterator["playwright.Page"]:
    """A page of its own that reaches this machine only; a picture of its end is kept."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        outside: list[str] = []

        def only_here(route: "playwright.Route") -> None:
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


def heading(page: "playwright.Page", text: str) -> None:
    playwright.expect(page.get_by_role("heading", name=text, exact=True)).to_be_visible(timeout=WAIT)


def plots(page: "playwright.Page", count: int) -> None:
    playwright.expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=WAIT)
    playwright.expect(page.locator(".js-plotly-plot")).to_have_count(count, timeout=WAIT)


def test_a_deep_link_right_after_the_start(server: str, page: "playwright.Page") -> None:
    page.goto(f"{server}/forgetting?layer=6&outcome=learned")
    heading(page, "Forgetting")
    plots(page, 1)
    for name in ("Layers", "Forgetting", "Cloze"):
        playwright.expect(page.get_by_role("link", name=name)).to_be_visible(timeout=WAIT)
    playwright.expect(page.get_by_test_id("stMetric")).to_have_count(4)
    playwright.expect(page.get_by_text("A made-up study")).to_be_visible()
    playwright.expect(page.get_by_role("combobox", name="Layer")).to_have_value("6")
    # The relation's label is data: its tags are shown, not obeyed.
    playwright.expect(page.locator(".js-plotly-plot").get_by_text("official language <b>of")).to_be_visible()


def test_controls_write_the_address_and_the_address_sets_them(
    server: str, page: "playwright.Page", browser: "playwright.Browser"
) -> None:
    page.goto(server)
    heading(page, "Layers")
    plots(page, 1)
    page.get_by_role("radio", name="P@10", exact=True).click()
    playwright.expect(page.get_by_text("P@10 by layer")).to_be_visible(timeout=WAIT)
    page.get_by_role("radio", name="facts", exact=True).click()
    page.get_by_text("Filtered ranks").click()
    playwright.expect(page.get_by_text("P@10 (filtered)").first).to_be_visible(timeout=WAIT)
    page.wait_for_url(re.compile(r"/layers\?.*filtered=true"))
    assert re.search(r"measure=P(@|%40)10", page.url)
    assert "average=facts" in page.url
    with browser.new_context() as elsewhere:
        copy = elsewhere.new_page()
        copy.goto(page.url)
        playwright.expect(copy.get_by_text("P@10 by layer")).to_be_visible(timeout=WAIT)
        playwright.expect(copy.get_by_text("P@10 (filtered)").first).to_be_visible(timeout=WAIT)
        for name in ("P@10", "facts"):
            playwright.expect(copy.get_by_role("radio", name=name, exact=True)).to_be_checked(timeout=WAIT)


def test_a_typed_prompt_is_answered_by_both_models(server: str, page: "playwright.Page") -> None:
    page.goto(f"{server}/cloze?decoder=stock&watched=arlo")
    heading(page, "Cloze")
    prompt = page.get_by_role("textbox", name="Prompt")
    prompt.fill("<b>anna</b> was born in")
    prompt.press("Enter")
    playwright.expect(page.get_by_text("The prompt has no mask")).to_be_visible(timeout=WAIT)
    prompt.fill("anna was born in [MASK] .")
    prompt.press("Enter")
    plots(page, 3)
    for model in ("MINI", "QA-SQUAD"):
        grid = page.locator(".js-plotly-plot", has=page.locator(".gtitle", has_text=re.compile(f"^{model}")))
        playwright.expect(grid.locator(".scatterlayer .textpoint")).to_have_count(6 * 5, timeout=WAIT)
    page.wait_for_url(re.compile("prompt=anna"))


@pytest.mark.parametrize("name", ["layers", "forgetting", "cloze"])
def test_nothing_scrolls_sideways(server: str, page: "playwright.Page", name: str) -> None:
    prompt = "?decoder=stock&prompt=anna+was+born+in+%5BMASK%5D+.&watched=arlo"
    page.goto(f"{server}/{name}{prompt if name == 'cloze' else ''}")
    heading(page, name.capitalize())
    plots(page, 3 if name == "cloze" else 1)
    for width, scheme in ((1280, "light"), (1280, "dark"), (400, "dark"), (400, "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 1800})
        page.wait_for_function(FIGURES_FIT)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
        page.screenshot(path=ARTEFACTS / f"{name}-{width}-{scheme}.png", timeout=WAIT)
