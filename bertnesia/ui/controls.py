"""Controls that several pages have, each kept in the address under one name."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from bertnesia.analysis.measures import Measure
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.titles import PROBE_SETS, probe_set_name
from bertnesia.ui import address
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models
from bertnesia.ui.study import ask

ALL = "all"
"""The address's word for no choice at all."""

MEASURES: dict[str, tuple[Measure, int]] = {
    "P@1": ("precision", 1),
    "P@10": ("precision", 10),
    "P@100": ("precision", 100),
    "MRR": ("mrr", 1),
}
"""What a measure is called, the column of the tables that holds it, and its k."""

_RIGHT = {"rank 1": 1, "rank ≤ 10": 10, "rank ≤ 100": 100}
_AVERAGES: dict[str, queries.Average] = {"relations": "macro", "facts": "micro"}


def probe_sets_of(study: Study) -> list[str]:
    """The probe sets that were asked, the well-known ones first; ends the page where there is none."""
    found = list(dict.fromkeys(ask(study, queries.asked)["probe_set"]))
    if not found:
        nothing_here("This study has no ranks.", "Probe a model and publish the study again.")
        address.stop()
    known = list(PROBE_SETS)
    return sorted(found, key=lambda name: (known.index(name) if name in known else len(known), name))


def choose_probe_set(study: Study) -> str:
    """One of the probe sets that were asked."""
    names = {name: probe_set_name(name) for name in probe_sets_of(study)}
    return choose("Probe set", names, key="probe_set", explanation="probe set")


def choose_decoder(kinds: Sequence[str]) -> str:
    """One of the decoder kinds."""
    return segments("Decoder", list(kinds), key="decoder", explanation="decoder")


def asked_models(study: Study, probe_set: str, kind: str) -> list[str]:
    """Models that answer with this kind of decoder (`queries.kind_of`) for the probe set, in the study's order."""
    table = ask(study, queries.asked)
    own = table["model"].map(lambda model: queries.kind_of(study, model, kind))
    return list(table.loc[(table["probe_set"] == probe_set) & (table["kind"] == own), "model"])


def kinds_of(study: Study, probe_set: str) -> list[str]:
    """Decoder kinds that have ranks for the probe set, `trained` first."""
    table = ask(study, queries.asked)
    return list(dict.fromkeys(table.loc[table["probe_set"] == probe_set, "kind"]))


def choose_models(models: Models, offered: Sequence[str], default: Sequence[str] | None = None) -> tuple[str, ...]:
    """Some of the models, in the study's order."""
    names = {name: models.label(name) for name in offered}

    def read(texts: address.Texts) -> list[str] | None:
        if texts == ("",):
            return []
        found = [_known(text, names) for text in texts]
        return [name for name in found if name is not None] or None

    default = list(offered if default is None else default)
    address.restore("models", read, default, lambda chosen: all(name in names for name in chosen))
    chosen = st.multiselect(
        "Models",
        list(names),
        format_func=lambda name: names.get(name, name),
        key="models",
        help=GLOSSARY["model"],
        wrap=True,
    )
    address.keep("models", *(chosen or [""]))
    return tuple(name for name in models.names if name in chosen)


def choose_relation(study: Study, probe_set: str) -> str | None:
    """One relation of the probe set, or None for all."""
    names = {ALL: "all relations", **relation_names(ask(study, queries.relations, probe_set))}
    chosen = choose("Relation", names, key="relation", explanation="relation")
    return None if chosen == ALL else chosen


def relation_names(relations: pd.DataFrame) -> dict[str, str]:
    """What to call each relation: its label and, where that is not the same, its id."""
    rows = relations[["relation", "label"]].itertuples(index=False, name=None)
    return {relation: label if label == relation else f"{label} ({relation})" for relation, label in rows}


def choose_average() -> queries.Average:
    """Mean over relations, or over facts."""
    return _AVERAGES[segments("Average over", list(_AVERAGES), key="average", explanation="average")]


def choose_k() -> int:
    """Up to which rank a fact counts as right."""
    return _RIGHT[segments("Right if", list(_RIGHT), key="right", explanation="rank")]


def choose_filtered() -> bool:
    """Whether a subject's other right answers are left out."""
    return switch("Filtered ranks", key="filtered", explanation="filtered")


def switch(label: str, *, key: str, explanation: str) -> bool:
    """Yes or no; no at first."""
    reading = {"true": True, "false": False}
    address.restore(key, lambda texts: reading.get(texts[0].lower()), False, lambda _: True)
    chosen = st.toggle(label, key=key, help=GLOSSARY[explanation])
    address.keep(key, str(chosen).lower())
    return chosen


def choose(
    label: str,
    names: Mapping[str, str],
    *,
    key: str,
    explanation: str | None = None,
    default: str | None = None,
    disabled: bool = False,
) -> str:
    """One of several options: `names` gives what to call each. The first unless another is the default."""
    options = list(names)
    first = default if default and default in names else options[0]
    address.restore(key, lambda texts: _known(texts[0], names), first, lambda value: value in names)
    chosen = st.selectbox(
        label,
        options,
        format_func=lambda option: names.get(option, option),
        key=key,
        help=GLOSSARY[explanation] if explanation else None,
        disabled=disabled,
    )
    answer = chosen if chosen and chosen in names else first
    address.keep(key, answer)
    return answer


def segments(
    label: str, options: list[str], *, key: str, explanation: str | None = None, default: str | None = None
) -> str:
    """One of a few options, side by side; the first unless another is the default."""
    first = default if default in options else options[0]
    address.restore(key, lambda texts: texts[0] if texts[0] in options else None, first, lambda value: value in options)
    chosen = st.segmented_control(
        label, options, required=True, key=key, help=GLOSSARY[explanation] if explanation else None, wrap=True
    )
    answer = chosen if chosen in options else first
    address.keep(key, answer)
    return answer


def text(label: str, *, key: str, explanation: str | None = None, placeholder: str | None = None) -> str:
    """A line of text, empty at first."""
    address.restore(key, lambda texts: texts[0], "", lambda _: True)
    typed = st.text_input(
        label,
        key=key,
        placeholder=placeholder,
        help=GLOSSARY[explanation] if explanation else None,
        icon=":material/search:",
        max_chars=200,
    )
    address.keep(key, typed or "")
    return typed or ""


def pages(count: int, *, key: str, of: object) -> int:
    """Which of several pages; back to the first when what is paged through, `of`, has changed."""
    if st.session_state.get(f"{key} of", of) != of:
        st.session_state[key] = 1
    st.session_state[f"{key} of"] = of
    address.restore(key, lambda texts: _whole(texts[0]), 1, lambda number: 1 <= number <= count)
    number: int = st.pagination(count, key=key) if count > 1 else 1
    address.keep(key, str(number))
    return number


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _known(text: str, names: Mapping[str, str]) -> str | None:
    """The option of this id, or, failing that, of this name."""
    return text if text in names else next((option for option, name in names.items() if name == text), None)
