"""Controls that several pages have, each bound to the address under one name."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models
from bertnesia.ui.study import ask

ALL_RELATIONS = "all relations"

_PROBE_SETS = {
    "atlas": "Atlas",
    "trex": "T-REx",
    "google_re": "Google-RE",
    "squad": "SQuAD",
    "conceptnet": "ConceptNet",
    "bear": "BEAR",
}
_RIGHT = {"rank 1": 1, "rank ≤ 10": 10, "rank ≤ 100": 100}
_AVERAGES: dict[str, queries.Average] = {"relations": "macro", "facts": "micro"}


def probe_set_name(probe_set: str) -> str:
    """A probe set as its authors write it."""
    return _PROBE_SETS.get(probe_set, probe_set)


def choose_probe_set(study: Study) -> str:
    """One of the probe sets that were asked, the well-known ones first; ends the page where there is none."""
    found = list(dict.fromkeys(ask(study, queries.asked)["probe_set"]))
    if not found:
        nothing_here("This study has no ranks.", "Probe a model and publish the study again.")
        st.stop()
    known = list(_PROBE_SETS)
    found.sort(key=lambda name: (known.index(name) if name in known else len(known), name))
    chosen: str = st.selectbox(
        "Probe set",
        found,
        format_func=probe_set_name,
        key="probe_set",
        bind="query-params",
        help=GLOSSARY["probe set"],
    )
    return chosen


def choose_decoder(kinds: Sequence[str]) -> str:
    """One of the decoder kinds."""
    return segments("Decoder", list(kinds), key="decoder", explanation="decoder")


def asked_models(study: Study, probe_set: str, kind: str) -> list[str]:
    """Models that have ranks of this kind for the probe set, in the study's order."""
    table = ask(study, queries.asked)
    return list(table.loc[(table["probe_set"] == probe_set) & (table["kind"] == kind), "model"])


def kinds_of(study: Study, probe_set: str) -> list[str]:
    """Decoder kinds that have ranks for the probe set, `trained` first."""
    table = ask(study, queries.asked)
    return list(dict.fromkeys(table.loc[table["probe_set"] == probe_set, "kind"]))


def choose_models(models: Models, offered: Sequence[str], default: Sequence[str] | None = None) -> tuple[str, ...]:
    """Some of the models, in the study's order."""
    chosen = st.multiselect(
        "Models",
        list(offered),
        default=list(offered if default is None else default),
        format_func=models.label,
        key="models",
        bind="query-params",
        help=GLOSSARY["model"],
    )
    return tuple(name for name in models.names if name in chosen)


def choose_relation(study: Study, probe_set: str) -> str | None:
    """One relation of the probe set, or None for all."""
    names = relation_names(ask(study, queries.relations, probe_set))
    chosen = st.selectbox(
        "Relation",
        [ALL_RELATIONS, *names.values()],
        key="relation",
        bind="query-params",
        help=GLOSSARY["relation"],
    )
    return next((relation for relation, name in names.items() if name == chosen), None)


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
    return st.toggle("Filtered ranks", key="filtered", bind="query-params", help=GLOSSARY["filtered"])


def segments(label: str, options: list[str], *, key: str, explanation: str, default: str | None = None) -> str:
    """One of a few options, side by side; the first unless another is the default."""
    chosen = st.segmented_control(
        label,
        options,
        default=default or options[0],
        required=True,
        key=key,
        bind="query-params",
        help=GLOSSARY[explanation],
    )
    return chosen if chosen in options else default or options[0]
