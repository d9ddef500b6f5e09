"""The pages, and a guard that brings a page back under the router."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_ROUTED = "bertnesia.routed"
_ICON = Path(__file__).with_name("icon.svg")
_PAGES = (
    ("overview", "Overview", ":material/dashboard:"),
    ("layers", "Layers", ":material/layers:"),
    ("forgetting", "Forgetting", ":material/trending_down:"),
    ("relations", "Relations", ":material/grid_on:"),
    ("facts", "Facts", ":material/search:"),
    ("cloze", "Cloze", ":material/edit_note:"),
    ("models", "Models", ":material/hub:"),
)


def navigation() -> StreamlitPage:
    """The page that the address asks for, out of the dashboard's; an address without a page leads to the first."""
    # An icon of our own: Streamlit's would be fetched from the network for the browser's tab.
    st.set_page_config(page_icon=str(_ICON), layout="wide")
    overview, *others = (st.Page(f"pages/{name}.py", title=title, icon=icon) for name, title, icon in _PAGES)

    def start() -> None:
        st.switch_page(overview, query_params={key: st.query_params.get_all(key) for key in st.query_params})

    return st.navigation([st.Page(start, title="bertnesia", default=True, visibility="hidden"), overview, *others])


@contextmanager
def announced() -> Iterator[None]:
    """The router runs a page inside this."""
    st.session_state[_ROUTED] = True
    try:
        yield
    finally:
        st.session_state.pop(_ROUTED, None)


def guard() -> None:
    """The first call of every page: starts over through the router where Streamlit ran the page without it.

    It does so for the first deep link after the server has started, before any run has declared the pages.
    """
    if not st.session_state.get(_ROUTED, False):
        navigation()
        st.rerun()
