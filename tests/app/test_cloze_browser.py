"""Typed text on the Cloze page stays text in a real browser, and nothing scrolls sideways."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
import pytest

from tests.app.conftest import CHROMIUM, WAIT, at_rest
from tests.app.test_browser import NOTHING_WIDER

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
    pytest.mark.timeout(600),
]

HOSTILE = (
    "<script>window.hit=1</script> \u202egnit\u202c \u2067x\u2069",
    "<img src=x onerror='window.hit=1'>",
    r"**a** [b](javascript:hit) :red[x] $\frac{1}{2}$ \(x^2\)",
)
"""Short enough for the tiny models, which read it letter by letter."""
TYPED = "[data-testid=stButtonGroup], [data-testid=stText], .stButton, .bertnesia-grid td"
MADE = "script, img, strong, em, a, .katex"
"""Elements that markup in typed text would make."""
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_typed_text_stays_text(server: str, page: "playwright.Page") -> None:
    """From a link at first, then typed into the fields of the same page."""
    main = page.get_by_test_id("stMain")
    for number, text in enumerate(HOSTILE):
        typed = {"prompt": f"{text} was born in [MASK] .", "answer": text, "watched": f"arlo, word{number}{text}"}
        if number == 0:
            page.goto(f"{server}/cloze?{urlencode({'decoder': 'stock', **typed})}")
        else:
            for name, value in zip(("Prompt", "Right answer", "Watched words"), typed.values(), strict=True):
                enter(page, name, value)
        playwright.expect(page.get_by_text(re.compile(f"^['\"]word{number}.* is not one token"))).to_be_visible(
            timeout=WAIT
        )
        grids(page, 2)
        playwright.expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=WAIT)
        playwright.expect(field(page, "Prompt")).to_have_value(typed["prompt"])
        assert page.evaluate("window.hit") is None
        assert main.locator(TYPED).locator(MADE).count() == 0
        assert main.locator("script, img[src=x], a[href^=javascript], .katex").count() == 0
        assert not set(TURNS) & set(main.inner_text()), "directions are written out"
        assert number != 0 or r"\u202egnit" in main.inner_text()
        for width in (400, 1280):
            page.set_viewport_size({"width": width, "height": 1800})
            page.wait_for_function(NOTHING_WIDER, timeout=20_000)


def test_a_mask_is_put_where_the_cursor_stands(server: str, page: "playwright.Page") -> None:
    """By mouse and by keyboard; what is selected gives way to it, and nobody's cursor means the end."""
    page.goto(f"{server}/cloze?decoder=stock&prompt=anna+was+born+in")
    prompt, button = field(page, "Prompt"), page.get_by_role("button", name="Insert [MASK]", exact=True)
    button.wait_for(timeout=WAIT)

    def at_a_place() -> None:
        prompt.fill("anna \U0001f600 lives in arlo")
        prompt.press("End")
        for _ in range(len("lives in arlo")):
            prompt.press("ArrowLeft")
        button.click()

    def in_place_of_a_word() -> None:
        prompt.fill("arlo is anna .")
        prompt.press("Home")
        prompt.press("Control+Shift+ArrowRight")
        button.focus()
        button.press("Enter")

    done(page, button.click, prompt, re.compile(r"^anna was born in \[MASK\] \.$"))
    grids(page, 2)
    done(page, at_a_place, prompt, re.compile("^anna \U0001f600 \\[MASK\\] lives in arlo$"))
    done(page, in_place_of_a_word, prompt, re.compile(r"^\[MASK\] ?is anna \.$"))
    grids(page, 2)


def done(
    page: "playwright.Page", act: Callable[[], None], prompt: "playwright.Locator", value: re.Pattern[str]
) -> None:
    """Act, once more where the page was drawn anew meanwhile: Streamlit drops a click in between."""
    for _ in range(4):
        at_rest(page)
        act()
        with suppress(AssertionError):
            playwright.expect(prompt).to_have_value(value, timeout=10_000)
            return
    playwright.expect(prompt).to_have_value(value)


def field(page: "playwright.Page", name: str) -> "playwright.Locator":
    return page.get_by_role("textbox", name=name, exact=True)


def enter(page: "playwright.Page", name: str, text: str) -> None:
    field(page, name).fill(text)
    field(page, name).press("Enter")


def grids(page: "playwright.Page", count: int) -> "playwright.Locator":
    found = page.locator(".bertnesia-grid")
    playwright.expect(found).to_have_count(count, timeout=WAIT)
    return found


def test_a_link_brings_everything_back(server: str, page: "playwright.Page", browser: "playwright.Browser") -> None:
    page.goto(f"{server}/cloze?decoder=stock&prompt=anna+was+born+in+arlo+.")
    playwright.expect(page.get_by_text("The prompt has no mask")).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="arlo", exact=True).click()
    playwright.expect(field(page, "Prompt")).to_have_value("anna was born in [MASK] .", timeout=WAIT)
    page.wait_for_url(re.compile(r"prompt=anna[^&]*MASK"), timeout=WAIT)
    enter(page, "Right answer", "arlo")
    page.wait_for_url(re.compile(r"answer=arlo"), timeout=WAIT)
    enter(page, "Watched words", "fino, gora")
    page.wait_for_url(re.compile(r"watched=fino"), timeout=WAIT)
    page.get_by_role("radio", name="3", exact=True).click()
    page.wait_for_url(re.compile(r"words=3"), timeout=WAIT)
    slider = page.get_by_role("slider", name="Layer")
    for layer in (5, 4):
        at_rest(page)
        slider.focus()
        slider.press("ArrowLeft")
        page.wait_for_url(re.compile(rf"layer={layer}"), timeout=WAIT)
    playwright.expect(page.locator(".bertnesia-grid tr.chosen th").first).to_have_text("4", timeout=WAIT)
    shown = grids(page, 2).all_text_contents()
    with browser.new_context() as elsewhere:
        copy = elsewhere.new_page()
        copy.goto(page.url)
        assert grids(copy, 2).all_text_contents() == shown
        for name, value in (
            ("Prompt", "anna was born in [MASK] ."),
            ("Right answer", "arlo"),
            ("Watched words", "fino, gora"),
        ):
            playwright.expect(field(copy, name)).to_have_value(value)
        playwright.expect(copy.locator(".bertnesia-grid tr.chosen th").first).to_have_text("4")
        playwright.expect(copy.get_by_role("radio", name="3", exact=True)).to_be_checked()
        playwright.expect(copy.get_by_role("heading", name="Side by side at layer 4")).to_be_visible(timeout=WAIT)


def test_what_was_asked_in_this_visit_comes_back_as_it_was_typed(server: str, page: "playwright.Page") -> None:
    first = "<b>anna</b> **was** $born$ in [MASK] \u202e."
    page.goto(f"{server}/cloze?{urlencode({'decoder': 'stock', 'prompt': first, 'answer': 'arlo'})}")
    grids(page, 2)
    enter(page, "Prompt", "bert lives in [MASK] .")
    page.wait_for_url(re.compile("prompt=bert"), timeout=WAIT)
    grids(page, 2)
    page.get_by_role("combobox", name="Asked in this visit").click()
    option = page.get_by_role("option").filter(has_text="anna")
    playwright.expect(option).to_have_text("<b>anna</b> **was** $born$ in [MASK] ⟨U+202E⟩.")
    option.click()
    playwright.expect(field(page, "Prompt")).to_have_value(first, timeout=WAIT)
    playwright.expect(field(page, "Right answer")).to_have_value("arlo")
    assert page.locator(".katex").count() == 0


def test_many_sentences_are_asked_shown_and_downloaded(server: str, page: "playwright.Page", tmp_path: Path) -> None:
    page.goto(f"{server}/cloze?decoder=stock&ask=many+sentences&models=mini")
    lines = page.get_by_role("textbox", name="Prompts, one a line")
    lines.fill("anna was born in [MASK] .\tarlo\n<script>window.hit = 1</script>\nbert lives in [MASK] .")
    lines.press("Control+Enter")
    page.get_by_role("button", name="Ask all").click()
    playwright.expect(page.get_by_text("2 of 3 prompts answered, 1 remark.")).to_be_visible(timeout=WAIT)
    with page.expect_download() as loading:
        page.get_by_role("button", name="Download all layers as CSV").click()
    path = tmp_path / "list.csv"
    loading.value.save_as(path)
    rows = pd.read_csv(path)
    assert len(rows) == 2 * 6
    assert rows.loc[rows["number"] == 1, "rank"].notna().all()
    assert page.evaluate("window.hit") is None
    big = tmp_path / "<b>**big** $x$.csv"
    big.write_bytes(b"prompt\n" + b"x" * 50 * 2**20)
    page.locator("input[type=file]").set_input_files(big)
    refused = "<b>**big** $x$.csv has 50 MB, but at most 20 MB are read: split it."
    playwright.expect(page.get_by_text(refused)).to_be_visible(timeout=WAIT)
    playwright.expect(page.get_by_role("button", name="Ask all")).to_be_disabled()
    playwright.expect(page.get_by_text("2 of 3 prompts answered, 1 remark.")).to_be_visible()
    playwright.expect(lines).to_have_value(re.compile("anna was born"))
