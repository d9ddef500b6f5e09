"""What the Cloze page remembers: the fields, the stored fact that a link opened, the history of this visit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import streamlit as st

from bertnesia import sentences
from bertnesia.store import browsing
from bertnesia.store.study import Study
from bertnesia.ui import address
from bertnesia.ui.study import ask

FALLBACK = "Paris is the capital of [MASK] .", "france"
"""Prompt and answer where a study has no example."""

_SHOWN = "bertnesia.cloze.shown"
_FACT = "bertnesia.cloze.fact"
_CAME = "bertnesia.cloze.came"
_HISTORY = "bertnesia.cloze.history"
_MASKING = "bertnesia.cloze.masking"
_LONGEST = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt of this visit, with everything that was chosen."""

    prompt: str
    answer: str
    watched: str
    models: tuple[str, ...]
    decoder: str
    layer: int


def open_link(study: Study) -> pd.Series | None:
    """Fill in what a link implies: a stored fact brings its prompt and answer, another prompt has no old answer.

    Returns:
        the stored fact that the prompt is of, if a link named it and the prompt has not been changed since.
    """
    texts = st.query_params
    fact = _fact(study, texts.get("fact", ""))
    if fact is not None and st.session_state.get(_FACT) != int(fact["fact"]) and "prompt" not in texts:
        st.session_state[_FACT] = int(fact["fact"])
        _fill_from_link({"prompt": fact["prompt"], "answer": fact["object"], "watched": ""})
        came(fact["prompt"], fact["object"])
    elif "prompt" in texts and texts["prompt"] != st.session_state.get(_SHOWN):
        _fill_from_link({name: "" for name in ("answer", "watched") if name not in texts})
        st.session_state.pop(_CAME, None)
    return fact


def keep_fact(fact: pd.Series | None, prompt: str, answer: str) -> int | None:
    """The stored fact's number while prompt and answer are its own, also in the address; notes the prompt shown."""
    st.session_state[_SHOWN] = prompt
    if fact is None or (fact["prompt"], fact["object"]) != (prompt, answer.strip()):
        st.session_state.pop(_FACT, None)
        st.query_params.pop("fact", None)
        return None
    address.keep("fact", str(fact["fact"]))
    return int(fact["fact"])


def _fact(study: Study, text: str) -> pd.Series | None:
    if not text.isdecimal() or len(text) > 18:
        return None
    found = ask(study, browsing.one_fact, int(text))
    return None if found.empty else found.iloc[0]


def _fill_from_link(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        st.query_params[name] = value
        st.session_state[name] = value


def came(prompt: str, answer: str) -> None:
    """Note that an answer was not typed but came with its prompt."""
    st.session_state[_CAME] = prompt, answer


def drop_answer_of_another(prompt: str) -> None:
    """Empty the answer that came with another prompt, unless it was changed since; before its field is drawn."""
    of, answer = st.session_state.get(_CAME, (prompt, ""))
    if of != prompt:
        del st.session_state[_CAME]
        if st.session_state.get("answer") == answer:
            _fill_from_link({"answer": ""})


def use(prompt: str, answer: str, watched: str = "") -> None:
    """Put a prompt into the fields; for callbacks."""
    st.session_state.update(prompt=prompt, answer=answer, watched=watched)
    came(prompt, answer)


def use_again(asked: Asked) -> None:
    """Put everything back as it was when a prompt was asked; for callbacks."""
    st.session_state.update({**asdict(asked), "models": list(asked.models)})
    st.session_state.pop(_CAME, None)


def toggle(key: str, before: tuple[int, ...]) -> None:
    """Mask the word that was clicked, or bring back the word of the mask that was; for callbacks."""
    masking = st.session_state.get(_MASKING)
    prompt = st.session_state["prompt"]
    if masking is None or masking.sentence != prompt:
        masking = sentences.Masking(prompt)
    for place in set(st.session_state[key]) ^ set(before):
        masking = masking.toggle(place)
    st.session_state[_MASKING] = masking
    st.session_state["prompt"] = masking.sentence
    of, answer = st.session_state.get(_CAME, ("", ""))
    if of == prompt:
        came(masking.sentence, answer)


def insert_mask(before: str, after: str) -> None:
    """Put a mask between two parts of the prompt; for callbacks."""
    st.session_state["prompt"] = sentences.insert_mask(before, after)


def remember(asked: Asked) -> None:
    """Note a prompt that was answered, the latest first."""
    same = {"prompt": asked.prompt, "answer": asked.answer}
    others = [one for one in history() if {"prompt": one.prompt, "answer": one.answer} != same]
    st.session_state[_HISTORY] = [asked, *others][:_LONGEST]


def history() -> list[Asked]:
    """The prompts of this visit, the latest first."""
    found: list[Any] = st.session_state.get(_HISTORY, [])
    return found
