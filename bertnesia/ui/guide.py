"""What a visitor needs to know first: shown once, and to be had again from every page, with all the words."""

import streamlit as st

from bertnesia.ui.browser import WELCOMED, is_welcomed
from bertnesia.ui.glossary import GLOSSARY, WORDS

STEPS = (
    (
        ":material/quiz: **A fact is a sentence with a gap**",
        "*The capital of France is [MASK].* A model ranks all its words: it is right if the true one comes first.",
    ),
    (
        ":material/layers: **Every layer is asked**",
        "Each with a decoder of its own. So one sees where a fact appears, and what only an earlier layer has right.",
    ),
    (
        ":material/trending_down: **Fine-tuned models, too**",
        "What the base has right and they have not is *forgotten*; *churn* is what chance alone would give.",
    ),
)
USE = """
- Every choice stands in the address: a copied link shows the same view. The browser's Back undoes a choice.
- **How to read this** under a figure explains it; **As code** gives the Python, or the command, behind it. The numbers
  stand in **Table**, with a CSV.
- Click a heat map's cell, a bar or a row of a table: relations lead to their facts, facts to **Cloze**, where you can
  change the sentence and ask all layers again.
- Question marks explain words where they stand; all of them are listed beside this, under **Words**.
"""


def show_welcome() -> None:
    """The introduction, until it is sent away."""
    if is_welcomed():
        return
    with st.container(border=True, key="welcome"):
        _show_steps()
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.button("Got it", on_click=_send_away, key="welcomed", type="primary")
            st.caption("Help and words, in the sidebar, has this again.")


def offer_guide() -> None:
    """The way to the introduction and the words, in the sidebar of every page."""
    if st.sidebar.button("Help and words", icon=":material/help:", type="tertiary", key="guide"):
        _show_guide()


@st.dialog("What this is, and its words", width="large")
def _show_guide() -> None:
    short, words = st.tabs(["In short", "Words"])
    with short:
        _show_steps()
        st.markdown(USE)
    with words:
        sought = st.text_input("Find a word", key="sought", icon=":material/search:", max_chars=40).strip().lower()
        found = {word: GLOSSARY[term] for word, term in WORDS.items() if sought in f"{word} {GLOSSARY[term]}".lower()}
        for word, text in found.items():
            st.markdown(f"**{word}**  \n{text}")
        if not found:
            st.text("None of the words here.")


def _show_steps() -> None:
    grid = st.grid(len(STEPS), min_column_width=220)
    for heading, text in STEPS:
        with grid.cell():
            st.markdown(f"{heading}  \n{text}")


def _send_away() -> None:
    st.session_state[WELCOMED] = True
