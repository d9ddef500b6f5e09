"""The controls of the Cloze page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bertnesia.plain import as_markdown, visible
from bertnesia.sentences import pieces_of, split_words
from bertnesia.store import prompts, queries
from bertnesia.store.study import Study
from bertnesia.ui import address, cloze_state, controls
from bertnesia.ui.cloze_mask import offer_mask
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.models import Models
from bertnesia.ui.study import ask

if TYPE_CHECKING:
    from bertnesia.live import LiveModels

KINDS = ("trained", "stock", "own", "full", "base", "random")
"""Decoder kinds in the order in which they are offered."""

MOST_PIECES = 60
"""Words of a sentence that are offered for masking; of a longer one, none."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is asked: the prompt, its right answer or answers, and words to watch, as they were typed."""

    prompt: str
    answer: str
    watched: str

    @property
    def answers(self) -> tuple[str, ...]:
        """The right answers, one for each mask or one for all."""
        return split_words(self.answer)

    @property
    def watched_words(self) -> tuple[str, ...]:
        """The watched words that are not right answers."""
        return tuple(word for word in split_words(self.watched) if word not in self.answers)


@dataclass(frozen=True, slots=True)
class How:
    """Which models are asked, with which decoders, how many words are shown, and which layer is looked at."""

    models: tuple[str, ...]
    kind: str
    k: int
    layer: int


def choose_sentence(examples: pd.DataFrame) -> Sentence:
    """Prompt, right answer and watched words, with words to click, examples and history."""
    start, right = cloze_state.FALLBACK
    if len(examples):
        # What the base is surest of and the other model has forgotten shows most.
        first = examples.sort_values(["outcome", "base_probability"], ascending=[True, False]).iloc[0]
        start, right = first["prompt"], first["object"]
    column, other, third = st.columns([3, 1.2, 1.2])
    with column:
        prompt = _text("Prompt", "prompt", start, "Paris is the capital of [MASK] .")
    cloze_state.drop_answer_of_another(prompt)
    with other:
        answer = _text("Right answer", "answer", right if prompt == start else "", "none given")
    if (prompt, answer) == (start, right):
        cloze_state.came(prompt, answer)
    with third:
        watched = _text("Watched words", "watched", "", "london, rome")
    _mask_words(prompt)
    column, other = st.columns(2)
    with column:
        _offer_examples(examples)
    with other:
        _offer_history()
    return Sentence(prompt, answer, watched)


def choose_how(study: Study, live: "LiveModels", models: Models, default: Sequence[str]) -> tuple[How, DeltaGenerator]:
    """Models, decoder kind, number of words and layer; and a place beside them for more."""
    left, right = st.columns(2)
    with left:
        chosen = _choose_models(models, default)
    with right:
        layer = _choose_layer(max((models.layers[name] for name in chosen), default=1))
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        kind = _choose_kind(study, live)
        k = int(controls.segments("Words per layer", ["3", "5", "10"], key="words", explanation="words", default="5"))
        place = st.container(width="content")
    return How(chosen, kind, k, layer), place


def _choose_models(models: Models, default: Sequence[str]) -> tuple[str, ...]:
    """Some of the models, the base first if it is among them: it is what the others are compared with."""
    names = models.names

    def read(texts: address.Texts) -> list[str] | None:
        found = [name for text in texts for name in names if text in (name, models.label(name))]
        return [] if texts == ("",) else found or None

    address.restore("models", read, list(default), lambda chosen: all(name in names for name in chosen))
    chosen: list[str] = st.multiselect(
        "Models",
        list(names),
        format_func=lambda name: visible(models.label(name)),
        key="models",
        help=GLOSSARY["cloze models"],
    )
    address.keep("models", *(chosen or [""]))
    return tuple(sorted(chosen, key=lambda name: name != models.base))


def _choose_kind(study: Study, live: "LiveModels") -> str:
    """The decoder kind: those at hand, the heads that checkpoints bring with them, and what the study trained.

    Of the study's other kinds only ranks may have been kept.
    """
    from bertnesia.live.shelf import kinds_of  # noqa: PLC0415 - torch is loaded where it is needed only

    offered = {"own", *(kind for checkpoint in live.checkpoints.values() for kind in kinds_of(checkpoint))}
    if "trained" in set(ask(study, queries.decoders)["kind"]):
        offered |= {"trained", "base"}
    return controls.choose_decoder([kind for kind in KINDS if kind in offered])


def _choose_layer(depth: int) -> int:
    """The layer that is looked at more closely; the last at first."""

    def read(texts: address.Texts) -> int | None:
        return int(texts[0]) if texts[0].isdecimal() else None

    address.restore("layer", read, depth, lambda layer: 1 <= layer <= depth)
    layer: int = 1 if depth == 1 else st.slider("Layer", 1, depth, key="layer", help=GLOSSARY["cloze layer"])
    address.keep("layer", str(layer))
    return layer


def _text(label: str, key: str, default: str, placeholder: str) -> str:
    address.restore(key, lambda texts: texts[0], default, lambda _: True)
    typed = st.text_input(label, key=key, placeholder=placeholder, help=GLOSSARY[key], autocomplete="off") or ""
    address.keep(key, typed)
    return typed


def _mask_words(prompt: str) -> None:
    """The sentence's words, to be masked by a click, and a button that puts a mask where the cursor stands."""
    pieces = pieces_of(prompt)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    with row:
        if 0 < len(pieces) <= MOST_PIECES:
            masked = tuple(place for place, piece in enumerate(pieces) if piece.masked)
            # The browser names options by their text: a word that recurs gets marks without width to tell it apart.
            texts = [as_markdown(piece.text) for piece in pieces]
            names = [text + "\u2060" * texts[:place].count(text) for place, text in enumerate(texts)]
            # The key changes with the sentence: what was clicked in one is not clicked in the next.
            key = f"pieces-{hash(prompt)}"
            st.pills(
                "Click a word to mask it; click a mask to bring its word back",
                list(range(len(pieces))),
                selection_mode="multi",
                default=list(masked),
                format_func=names.__getitem__,
                key=key,
                wrap=True,
                on_change=cloze_state.toggle,
                args=(key, masked),
            )
        offer_mask("prompt")


def _offer_examples(examples: pd.DataFrame) -> None:
    rows = list(examples[["label", "prompt", "object", "outcome"]].itertuples(index=False, name=None))
    names = [f"{label}: {prompt}  ({outcome})" for label, prompt, _, outcome in rows]

    def use() -> None:
        if (place := st.session_state["example"]) is not None:
            cloze_state.use(*rows[place][1:3])
            st.session_state["example"] = None

    st.selectbox(
        "Examples",
        list(range(len(rows))),
        index=None,
        format_func=lambda place: visible(names[place]),
        placeholder="Facts of this study, relation by relation" if rows else "This study has none",
        key="example",
        on_change=use,
        disabled=not rows,
        help=GLOSSARY["cloze examples"],
    )


def _offer_history() -> None:
    asked = cloze_state.history()

    def use() -> None:
        if (place := st.session_state["history"]) is not None:
            cloze_state.use_again(asked[place])
            st.session_state["history"] = None

    st.selectbox(
        "Asked in this visit",
        list(range(len(asked))),
        index=None,
        format_func=lambda place: visible(asked[place].prompt),
        placeholder="Ask something, and find it here again" if not asked else f"{len(asked)} so far",
        key="history",
        on_change=use,
        disabled=not asked,
        help=GLOSSARY["history"],
    )


def examples_of(study: Study, models: Sequence[str]) -> pd.DataFrame:
    """Facts of the study that are worth asking, with what became of them in the last of the models."""
    kinds = list(ask(study, queries.asked)["kind"])
    return ask(study, prompts.cloze_examples, models[-1] if models else None, kind=kinds[0] if kinds else "trained")


def default_models(study: Study, models: Models) -> tuple[str, ...]:
    """The base, and the model that forgot most; where nothing is known of that, the first sibling."""
    kinds = list(ask(study, queries.asked)["kind"])
    found = list(ask(study, prompts.forgot_most, kind=kinds[0])["model"]) if kinds else []
    others = [name for name in (*found, *models.names) if name != models.base and name in models.names]
    return (models.base, *others[:1]) if models.base in models.names else models.names[:2]
