"""Cards: a question and its short answer, for the top of a page."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from bertnesia.plain import as_markdown


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
            st.caption(as_markdown(card.question), help=card.help)
            st.markdown(f"**{as_markdown(card.answer)}**")
            if card.detail:
                st.caption(as_markdown(card.detail).replace(" \\%", "\u00a0\\%"))  # a number keeps its sign
