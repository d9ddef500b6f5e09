"""Cards: a question and its short answer, for the top of a page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

_MARKS = re.compile(r"([\\`*_{}\[\]()#+.!|<>~$:&^=-])")


@dataclass(frozen=True, slots=True)
class Card:
    """What is asked, the answer in a few words, and what it rests on. All of it may hold data."""

    question: str
    answer: str
    detail: str = ""
    help: str | None = None


def show_cards(cards: Sequence[Card], *, across: int = 3) -> None:
    """The cards side by side, fewer in a row on narrow screens."""
    grid = st.grid(across, min_column_width=230, border=True)
    for card in cards:
        with grid.cell(), st.container(gap="xxsmall"):
            st.caption(plain(card.question), help=card.help)
            st.markdown(f"**{plain(card.answer)}**")
            if card.detail:
                st.caption(plain(card.detail).replace(" %", "\u00a0%"))  # a number keeps its sign


def plain(text: str) -> str:
    """Data as it may stand in Markdown: every mark is shown, none is obeyed."""
    return _MARKS.sub(r"\\\1", text)
