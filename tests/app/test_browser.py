"""The dashboard in a real browser: deep links, controls and addresses, live predictions, no sideways scrolling."""

import re
from pathlib import Path

import pytest

from tests.app.conftest import ARTEFACTS, CHROMIUM, WAIT, at_rest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
FIGURES_FIT = """() => [...document.querySelectorAll(".js-plotly-plot")].every(
    figure => figure.getBoundingClientRect().right <= window.innerWidth
)"""
NOTHING_WIDER = """() => {
    const main = document.querySelector("[data-testid=stMain]")
    return main.scrollWidth <= main.clientWidth
}"""
DRAWN = """() => [...document.querySelectorAll(".js-plotly-plot")].map(
    figure => JSON.stringify([figure.data, figure.layout.title, figure.layout.xaxis.title, figure.layout.yaxis.title])
)"""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
    pytest.mark.timeout(600),
]


def heading(page: "playwright.Page", text: str) -> None:
    playwright.expect(page.get_by_role("heading", name=text, exact=True)).to_be_visible(timeout=WAIT)


def plots(page: "playwright.Page", count: int) -> None:
    playwright.expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=WAIT)
    playwright.expect(page.locator(".js-plotly-plot")).to_have_count(count, timeout=WAIT)


def settle(page: "playwright.Page") -> None:
    """Wait until the server has answered."""
    page.wait_for_timeout(300)
    at_rest(page)
    playwright.expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=WAIT)


def drawn(page: "playwright.Page") -> list[object]:
    """What every figure on the page is made of."""
    return page.evaluate(DRAWN)


def select_row(page: "playwright.Page", table: str, row: int) -> None:
    """Tick a row of a table, which is painted on a canvas."""
    frame = page.locator(f".st-key-table-{table}").get_by_test_id("stDataFrame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box
    page.mouse.click(box["x"] + 15, box["y"] + 35 * (row + 1) + 15)


def click_bar(page: "playwright.Page", bar: "playwright.Locator") -> None:
    """Click beside the middle of a bar of a figure, where no text is."""
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)


def choose(page: "playwright.Page", label: str, option: str) -> None:
    """Choose in a list."""
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)


def test_a_deep_link_right_after_the_start(server: str, page: "playwright.Page") -> None:
    page.goto(f"{server}/forgetting?at=6&outcome=learned")
    heading(page, "Forgetting")
    plots(page, 1)
    for name in ("Overview", "Layers", "Forgetting", "Relations", "Facts", "Cloze", "Models"):
        playwright.expect(page.get_by_role("link", name=name, exact=True)).to_be_visible(timeout=WAIT)
    playwright.expect(page.get_by_test_id("stMetric")).to_have_count(4)
    playwright.expect(page.get_by_text("A made-up study")).to_be_visible()
    playwright.expect(page.get_by_role("combobox", name="Right at")).to_have_value("layer 6")
    # The relation's label is data: its tags are shown, not obeyed.
    playwright.expect(page.locator(".js-plotly-plot").get_by_text("official language <b>of")).to_be_visible()


def test_the_address_is_the_view(server: str, page: "playwright.Page", browser: "playwright.Browser") -> None:
    page.goto(f"{server}/layers")
    plots(page, 2)
    page.get_by_role("radio", name="P@10", exact=True).click()
    playwright.expect(page.get_by_text("P@10 by layer")).to_be_visible(timeout=WAIT)
    settle(page)  # a choice before the address is written is one step of the history with the next
    page.get_by_text("Filtered ranks").click()
    page.wait_for_url(re.compile(r"/layers\?.*measure=P(@|%40)10.*filtered=true.*models=mini&models=qa-squad"))
    settle(page)
    with browser.new_context(viewport={"width": 1280, "height": 900}) as elsewhere:
        copy = elsewhere.new_page()
        copy.goto(page.url)
        plots(copy, 2)
        settle(copy)
        assert drawn(copy) == drawn(page)
    page.go_back()
    playwright.expect(page.get_by_role("switch", name="Filtered ranks")).not_to_be_checked(timeout=WAIT)
    settle(page)
    playwright.expect(page.get_by_text("P@10 by layer")).to_be_visible(timeout=WAIT)
    page.go_back()
    playwright.expect(page.get_by_text("P@1 by layer")).to_be_visible(timeout=WAIT)


def test_one_step_back_for_one_action(server: str, page: "playwright.Page") -> None:
    """What a page writes to its address by itself is no step of its own."""
    page.goto(f"{server}/forgetting?outcome=learned")
    plots(page, 1)
    page.wait_for_url(re.compile("view=relations"))
    select_row(page, "facts-learned", 0)
    heading(page, "Facts")
    page.wait_for_url(re.compile(r"/facts\?.*in_set=all"))
    settle(page)
    page.get_by_role("link", name="Its relation by layer").click()
    heading(page, "Layers")
    page.wait_for_url(re.compile(r"/layers\?.*average=relations"))
    page.go_back()
    heading(page, "Facts")
    settle(page)
    page.go_back()
    heading(page, "Forgetting")
    playwright.expect(page.get_by_role("radio", name="learned", exact=True)).to_be_checked(timeout=WAIT)


def test_the_introduction_is_read_once_and_found_again(server: str, page: "playwright.Page") -> None:
    page.goto(server)
    first = page.get_by_text("A fact is a sentence with a gap")
    playwright.expect(first).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="Got it").click()
    playwright.expect(first).to_have_count(0, timeout=WAIT)
    settle(page)
    page.reload()
    plots(page, 1)
    playwright.expect(first).to_have_count(0)
    page.get_by_role("button", name="Help and words").click()
    playwright.expect(first).to_be_visible(timeout=WAIT)
    page.get_by_role("tab", name="Words").click()
    page.get_by_role("textbox", name="Find a word").fill("churn")
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_text("Only what exceeds it is forgetting")).to_be_visible(timeout=WAIT)
    playwright.expect(page.get_by_text("Probe set", exact=True)).to_have_count(1)  # the control's, not the word


def test_figures_are_saved_by_the_browser(server: str, page: "playwright.Page") -> None:
    page.goto(f"{server}/layers")
    plots(page, 2)
    settle(page)
    for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.expect_download(timeout=WAIT) as caught:
            page.get_by_role("button", name=f"Save the figure layers as {kind}").click()
        assert caught.value.suggested_filename == f"layers.{kind.lower()}"
        content = Path(caught.value.path()).read_bytes()
        assert content.startswith(start)
    assert b"P@1 by layer" in content
    assert b"rgb(252, 252, 250)" in content, "on the page's background, for it to be read on any other"
    page.get_by_text("Table", exact=True).first.click()
    settle(page)
    with page.expect_download(timeout=WAIT) as caught:
        page.get_by_role("button", name="Download CSV").first.click()
    header, *rows = Path(caught.value.path()).read_text().splitlines()
    assert header.startswith("model,label,layer,facts")
    assert len(rows) == 12


def test_journey_1_what_did_fine_tuning_hurt_most(server: str, page: "playwright.Page") -> None:
    """Which relation did QA fine-tuning hurt most, and which facts of it were lost?"""
    page.goto(server)
    heading(page, "What a BERT knows, layer by layer")
    page.get_by_role("link", name="Forgetting", exact=True).click()
    heading(page, "Forgetting")
    plots(page, 1)
    playwright.expect(page.get_by_text("Of which relation is least left?")).to_be_visible(timeout=WAIT)
    worst = page.locator(".js-plotly-plot .ytick text").last.text_content() or ""
    click_bar(page, page.locator(".js-plotly-plot .bars").nth(1).locator("path").first)
    page.wait_for_url(re.compile("relation=P"))
    box = page.get_by_role("combobox", name="Relation", exact=True)
    playwright.expect(box).not_to_have_value("all relations", timeout=WAIT)
    chosen = box.input_value()
    assert worst.strip().startswith(chosen.split(" (")[0][:15])
    found = page.get_by_text(re.compile(r"\d+ facts?, the largest change of rank first"))
    playwright.expect(found).to_have_count(1, timeout=WAIT)


def test_journey_2_where_does_a_relation_appear(server: str, page: "playwright.Page") -> None:
    """In which layer does a relation appear? Click its cell and see its facts there."""
    page.goto(f"{server}/relations")
    plots(page, 3)
    click_bar(page, page.locator(".st-key-figure-relations-mini .bars path").nth(5 * 4 + 1))
    page.wait_for_url(re.compile("of_model=mini&layer=6"))
    playwright.expect(page.get_by_text(re.compile(r"MINI, layer 6: \d+ of \d+ facts"))).to_be_visible(timeout=WAIT)


def test_journey_3_two_models_on_one_relation_shared(
    server: str, page: "playwright.Page", browser: "playwright.Browser"
) -> None:
    """Compare two models on one relation, share the link, open it in a new window."""
    page.goto(f"{server}/layers")
    plots(page, 2)
    choose(page, "Relation", "capital (P36)")
    playwright.expect(page.locator(".js-plotly-plot").get_by_text("1 relation of")).to_be_visible(timeout=WAIT)
    settle(page)
    page.get_by_text("Share this view").click()
    link = page.get_by_test_id("stCode").first.inner_text().strip()
    assert link == page.url
    with browser.new_context(viewport={"width": 1280, "height": 900}) as elsewhere:
        copy = elsewhere.new_page()
        copy.goto(link)
        plots(copy, 2)
        settle(copy)
        assert drawn(copy) == drawn(page)


def test_journey_4_from_a_forgotten_fact_to_its_live_cloze(server: str, page: "playwright.Page") -> None:
    """From one forgotten fact to its live cloze."""
    page.goto(f"{server}/forgetting?decoder=stock&at=6")
    plots(page, 1)
    select_row(page, "facts-forgotten", 0)
    heading(page, "Facts")
    plots(page, 3)
    page.wait_for_url(re.compile(r"/facts\?.*fact=\d+.*decoder=stock"))
    settle(page)
    page.get_by_role("link", name="Ask it live in Cloze").click()
    heading(page, "Cloze")
    playwright.expect(page.get_by_role("textbox", name="Prompt")).to_have_value(re.compile(r"\[MASK\]"), timeout=WAIT)
    playwright.expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=WAIT)
    assert "decoder=stock" in page.url


@pytest.mark.parametrize("name", ["overview", "layers", "forgetting", "relations", "facts", "cloze", "models"])
def test_nothing_scrolls_sideways(server: str, page: "playwright.Page", name: str) -> None:
    prompt = "?decoder=stock&prompt=anna+was+born+in+%5BMASK%5D+.&watched=arlo"
    page.goto(f"{server}/{name}{prompt if name == 'cloze' else ''}")
    playwright.expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=WAIT)
    settle(page)
    for width, scheme in ((1280, "light"), (1280, "dark"), (400, "dark"), (400, "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 1800})
        page.wait_for_function(FIGURES_FIT)
        page.wait_for_function(NOTHING_WIDER, timeout=20_000)
        page.screenshot(path=ARTEFACTS / f"{name}-{width}-{scheme}.png", timeout=WAIT)
