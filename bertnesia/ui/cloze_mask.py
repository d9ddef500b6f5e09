"""The button that puts a mask where the prompt's cursor stands: Streamlit does not tell Python where that is."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from bertnesia.ui import cloze_state
from bertnesia.ui.glossary import GLOSSARY

_HERE = Path(__file__).parent
_KEY = "insert-mask"


def offer_mask(field: str) -> None:
    """Draw the button; `field` is the key of the prompt's text field."""
    _button()(
        data={"field": field, "help": GLOSSARY["add mask"]},
        key=_KEY,
        on_parts_change=_insert,
        width="content",
        height="content",
    )


def _insert() -> None:
    parts = st.session_state[_KEY].get("parts")
    if isinstance(parts, list) and len(parts) == 2 and all(isinstance(part, str) for part in parts):
        cloze_state.insert_mask(*parts)


@cache
def _button() -> Callable[..., Any]:
    """A component of our own, made once a process."""
    return st.components.v2.component(
        "bertnesia.mask",
        html="<button disabled>Insert [MASK]</button>",
        css=(_HERE / "cloze_mask.css").read_text(encoding="utf-8"),
        js=(_HERE / "cloze_mask.js").read_text(encoding="utf-8"),
    )
