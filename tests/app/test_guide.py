"""The introduction and the list of words."""

from streamlit.testing.v1 import AppTest

from bertnesia.ui.glossary import GLOSSARY, WORDS
from bertnesia.ui.guide import STEPS
from tests.app.conftest import OpenPage


def introduced(app: AppTest) -> bool:
    return any(STEPS[0][0] in one.value for one in app.markdown)


def test_the_introduction_is_shown_until_it_is_sent_away(open_page: OpenPage) -> None:
    app = open_page("overview")
    assert introduced(app)
    app.button(key="welcomed").click().run()
    assert not introduced(app)
    app.switch_page("pages/layers.py").run()
    app.switch_page("pages/overview.py").run()
    assert not introduced(app)


def test_other_pages_begin_at_once(open_page: OpenPage) -> None:
    assert not introduced(open_page("layers"))


def test_every_word_is_explained_in_a_sentence() -> None:
    assert set(WORDS.values()) <= set(GLOSSARY)
    assert len(set(WORDS.values())) == len(WORDS)
    assert all(GLOSSARY[term].endswith((".", "?")) for term in WORDS.values())
