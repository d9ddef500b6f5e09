"""The pages, and a guard that brings a page back under the router."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_ROUTED = "bertnesia.routed"
_ICON = Path(__file__).with_name("icon.svg")


def navigation() -> StreamlitPage:
    """The page that the address asks for, out of the dashboard's; an address without a page leads to the first."""
    # An icon of our own: Streamlit's would be fetched from the network for the browser's tab.
    st.set_page_config(page_icon=str(_ICON), layout="wide")
    first = st.Page("pages/layers.py", title="Layers", icon=":material/layers:")

    def start() -> None:
        st.switch_page(first, query_params=st.query_params.to_dict())

    return st.navigation(
        [
            st.Page(start, title="bertnesia", default=True, visibility="hidden"),
            first,
            st.Page("pages/forgetting.py", title="Forgetting", icon=":material/trending_down:"),
            st.Page("pages/cloze.py", title="Cloze", icon=":material/edit_note:"),
        ]
    )


def announce() -> None:
    """Called by the router before it runs a page."""
    st.session_state[_ROUTED] = True


def guard() -> None:
    """The first call of every page: starts over through the router where Streamlit ran the page without it.

    It does so for the first deep link after the server has started, before any run has declared the pages.
    """
    if not st.session_state.pop(_ROUTED, False):
        navigation()
        st.rerun()
