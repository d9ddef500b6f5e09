"""The facts behind the bars of the Forgetting page."""

import streamlit as st

from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui import address, controls, programs_forgetting
from bertnesia.ui.figures import Column, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.study import ask

OUTCOMES: dict[str, queries.Outcome] = {"forgotten": "forgotten", "learned": "learned", "retained": "retained"}


def show_facts(study: Study, comparison: queries.Comparison) -> None:
    """A list of facts of one outcome; selecting one leads to its own view."""
    st.header("The facts themselves")
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        outcome = OUTCOMES[controls.segments("Outcome", list(OUTCOMES), key="outcome", explanation="outcome")]
        relation = controls.choose_relation(study, comparison.probe_set)
    facts = ask(study, queries.changed_facts, comparison, outcome, relation)
    if facts.empty:
        nothing_here(f"No fact was {outcome}.", "Choose another outcome, relation or layer.")
        return
    if relation:
        file, parameters = address.link(
            "relations",
            probe_set=comparison.probe_set,
            relation=relation,
            decoder=comparison.kind,
            models=[comparison.base, comparison.model],
            of_model=comparison.model,
            layer=str(comparison.layer) if comparison.layer else None,
        )
        st.page_link(file, label="This relation, layer by layer", icon=":material/grid_on:", query_params=parameters)
    st.text(
        f"{len(facts):,} {'fact' if len(facts) == 1 else 'facts'}, the largest change of rank first. "
        "Select a row to follow its fact through all layers."
    )
    columns = {
        "prompt": Column("Prompt"),
        "object": Column("Right answer"),
        "model_says": Column("Answer after"),
        "base_rank": Column("Rank in base", "count", GLOSSARY["rank"]),
        "model_rank": Column("Rank after", "count", GLOSSARY["rank"]),
        "label": Column("Relation"),
    }
    if not facts["model_says"].any():  # predictions are kept for one kind of decoder
        del columns["model_says"]
    code = programs_forgetting.facts(study, comparison, outcome, relation)
    alt = f"Facts that were {outcome}"
    picked = show_table(facts, columns, name=f"facts-{outcome}", alt=alt, selectable=True, code=code)
    if picked is not None:
        address.go("facts", fact=str(facts["fact"].iloc[picked]), decoder=comparison.kind)
