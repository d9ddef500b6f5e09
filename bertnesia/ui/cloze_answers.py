"""The answers of the Cloze page in a few words, and the words that have no rank."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import streamlit as st

from bertnesia.errors import BertnesiaError
from bertnesia.plain import as_markdown
from bertnesia.ui import cloze
from bertnesia.ui.cards import Card, show_cards
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import problem
from bertnesia.ui.models import Models

if TYPE_CHECKING:
    from bertnesia.live import ClozeResult, UnrankedWord


def show_answers(results: "Sequence[ClozeResult]", models: Models) -> None:
    """For each mask in a few words: what the last layers say, who has the right answer, where the models part."""
    masks = {result.mask for result in results}
    for mask, group in groupby(_by_mask(results), key=lambda result: result.mask):
        found = list(group)
        cards = [_said(found, models), *_known(found, models), *_parting(found, models)]
        if len(masks) > 1:
            st.subheader(f"Mask {mask}")
        show_cards(cards, across=len(cards))


def _by_mask(results: "Sequence[ClozeResult]") -> "list[ClozeResult]":
    return sorted(results, key=lambda result: result.mask)


def _said(results: "Sequence[ClozeResult]", models: Models) -> Card:
    said = {models.label(result.model): result.layers[-1] for result in results}
    firsts = {layer.tokens[0] for layer in said.values()}
    answer = " / ".join(dict.fromkeys(layer.tokens[0] for layer in said.values()))
    shares = ", ".join(f"{label} {layer.tokens[0]} {layer.probabilities[0]:.0%}" for label, layer in said.items())
    question = "The last layer says" if len(firsts) == 1 else "The last layers say"
    return Card(question, answer, shares)


def _known(results: "Sequence[ClozeResult]", models: Models) -> list[Card]:
    """Who has the right answer first, and where; no card where none was given."""
    answered = [result for result in results if result.layers[-1].answer]
    if not answered:
        return []
    right = answered[0].layers[-1].answer
    where = "First at: " + "; ".join(f"{models.label(one.model)}: {_layers(one.right_at)}" for one in answered)
    forgotten = cloze.forgotten_layers(results)
    state = "known at some layer"
    if not any(result.right_at for result in answered):
        state = "first at no layer"
        where = "Rank at the last layer: " + ", ".join(_last_rank(one, models) for one in answered)
    if forgotten:
        state = f"forgotten at {_layers(forgotten)}"
    word = right.word if right else ""
    return [Card(f"The right answer, {word}", state[:1].upper() + state[1:], where)]


def _last_rank(result: "ClozeResult", models: Models) -> str:
    answer = result.layers[-1].answer
    return f"{models.label(result.model)} {answer.rank:,}" if answer else ""


def _parting(results: "Sequence[ClozeResult]", models: Models) -> list[Card]:
    """Where other models part from the first; no card where there is none to compare with."""
    others = [result for result in results[1:] if any(layer.distance for layer in result.layers)]
    if not others:
        return []
    first = models.label(results[0].model)
    where = {models.label(result.model): result.parts_at for result in others}
    answer = ", ".join(dict.fromkeys(f"at layer {layer}" if layer else "they do not" for layer in where.values()))
    lasts = {models.label(result.model): result.layers[-1].distance for result in others}
    detail = ", ".join(f"{label} {distance.total_variation:.2f}" for label, distance in lasts.items() if distance)
    return [
        Card(
            f"Where they part from {first}",
            answer[:1].upper() + answer[1:],
            f"Total variation at the last layer: {detail}",
            GLOSSARY["parting"],
        )
    ]


def _layers(layers: Sequence[int]) -> str:
    if not layers:
        return "no layer"
    return f"layer{'s' if len(layers) > 1 else ''} {', '.join(map(str, layers))}"


def show_unranked(results: "Sequence[ClozeResult]") -> None:
    """Words that are not one token, with their pieces to watch instead."""
    words: dict[UnrankedWord, None] = {word: None for result in results for word in result.unranked}
    for word in words:
        problem("A word has no rank.", BertnesiaError(word.sentence))
        with st.container(horizontal=True, gap="small"):
            for place, piece in enumerate(dict.fromkeys(word.pieces)):
                st.button(
                    f"Watch {as_markdown(piece)}",
                    key=f"watch-{word.word}-{place}",
                    on_click=_watch,
                    args=(piece,),
                    type="tertiary",
                    icon=":material/visibility:",
                )


def _watch(piece: str) -> None:
    watched = st.session_state.get("watched", "")
    st.session_state["watched"] = f"{watched}, {piece}" if watched.strip() else piece
