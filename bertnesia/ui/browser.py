"""What only the browser can do: keep its history in the user's steps, and remember that the introduction was read."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

COOKIE = "bertnesia_welcomed"
"""Set, by the browser itself, once the introduction was sent away; it says nothing else and goes nowhere else."""

WELCOMED = "bertnesia.welcomed"
"""The same for this visit."""


def tend_browser() -> None:
    """Mount the part that runs in the browser; it shows nothing."""
    data = {"welcomed": is_welcomed(), "cookie": COOKIE}
    _browser()(data=data, key="browser", height="content")


def is_welcomed() -> bool:
    """Whether the introduction was sent away, in this visit or an earlier one."""
    return bool(st.session_state.get(WELCOMED)) or st.context.cookies.get(COOKIE) == "1"


@cache
def _browser() -> Callable[..., Any]:
    return st.components.v2.component(
        "bertnesia.browser", html="<span></span>", js=Path(__file__).with_name("browser.js").read_text(encoding="utf-8")
    )
