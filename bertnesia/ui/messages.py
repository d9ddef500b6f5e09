"""Empty and error states. What comes from data or from users is shown as plain text, never as Markdown."""

import streamlit as st

from bertnesia.errors import BertnesiaError


def problem(heading: str, error: BertnesiaError) -> None:
    """A page or figure that cannot be shown, and the sentence that says why."""
    _box(":material/error:", heading, str(error))


def nothing_here(heading: str, advice: str) -> None:
    """A page or figure with nothing in it, and what to do about it."""
    _box(":material/info:", heading, advice)


def _box(icon: str, heading: str, text: str) -> None:
    with st.container(border=True):
        st.markdown(f"{icon} **{heading}**")
        st.text(text)
