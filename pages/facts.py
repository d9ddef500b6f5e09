"""Facts: find them, and follow one through every layer of every model."""

import pandas as pd
import streamlit as st

from bertnesia.figures.facts import answers_grid, rank_by_layer
from bertnesia.store import browsing, queries
from bertnesia.store.study import Study
from bertnesia.titles import probe_set_name
from bertnesia.ui import address, controls, programs
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models, models_of
from bertnesia.ui.routing import guard
from bertnesia.ui.study import ask, current_study

SIZE = 25
READING_RANK = (
    "Each line is one model. The higher, the better: at 1 the right answer is the layer's first word. The axis is "
    "logarithmic, so a step of the same height is the same factor."
)
READING_GRID = (
    "Each row is a layer with its first words, the likeliest on the left; the stronger the colour, the likelier. The "
    "right answer is outlined where it is among them. Beside it stands its rank, **▲** where better than in "
    "the layer before and **▼** where worse."
)


def find(study: Study, models: Models) -> browsing.FactFilter:
    """The controls of the search."""
    left, middle, right = st.columns(3)
    with left:
        text = controls.text("Search", key="search", explanation="search", placeholder="a subject, an answer, a prompt")
    with middle:
        names = {controls.ALL: "all probe sets"} | {one: probe_set_name(one) for one in controls.probe_sets_of(study)}
        probe_set = controls.choose("Probe set", names, key="in_set", explanation="probe set")
    with right:
        relation = None
        if probe_set != controls.ALL:
            relation = controls.choose_relation(study, probe_set)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        state = controls.segments("Show", ["all", "right", "wrong", "not asked"], key="state", explanation="state")
        kinds = list(dict.fromkeys(ask(study, queries.asked)["kind"]))
        kind = controls.choose_decoder(kinds)
        model = models.base
        if state in ("right", "wrong"):
            model = controls.choose("In", {one: models.label(one) for one in models.names}, key="of_model")
    return browsing.FactFilter(
        text.strip(), None if probe_set == controls.ALL else probe_set, relation, state, model, kind
    )


def show_results(study: Study, models: Models, wanted: browsing.FactFilter) -> int | None:
    """One page of what was found; returns the fact that the rest of the page is about."""
    facts = ask(study, browsing.browse_facts, wanted, size=SIZE)
    if facts.empty:
        nothing_here("No fact fits this search.", "Try fewer letters, another relation, or show all.")
        return chosen_fact(None)
    found, top = int(facts["found"].iloc[0]), int(facts["fact"].iloc[0])
    place = st.container()
    number = controls.pages(-(-found // SIZE), key="page", of=wanted)
    facts = ask(study, browsing.browse_facts, wanted, page=number, size=SIZE)
    ranks = ask(study, browsing.last_ranks, tuple(int(fact) for fact in facts["fact"]), kind=wanted.kind)
    wide = ranks.pivot(index="fact", columns="model", values="rank")
    columns = {"prompt": Column("Prompt"), "object": Column("Right answer"), "label": Column("Relation")}
    for model in models.names:
        if model in wide:
            facts[f"rank in {model}"] = facts["fact"].map(wide[model])
            columns[f"rank in {model}"] = Column(f"Rank, {models.label(model)}", "count", GLOSSARY["last rank"])
    if not facts["eligible"].all():
        columns["reason"] = Column("Not asked because", help=GLOSSARY["eligible"])
    first = SIZE * (number - 1) + 1
    with place:
        st.text(
            f"{found:,} {'fact' if found == 1 else 'facts'}; {first:,} to {first + len(facts) - 1:,} are shown. "
            "Select a row to see the fact below."
        )
        code = programs.search(study, wanted, number, SIZE)
        picked = show_table(facts, columns, name="facts", alt="Facts that were found", selectable=True, code=code)
    return chosen_fact(top if picked is None else int(facts["fact"].iloc[picked]), picked is not None)


def chosen_fact(fact: int | None, selected: bool = False) -> int | None:
    """The fact of the address, or the one that was selected just now, or this one."""
    if selected:
        st.session_state["fact"] = fact
    # What is longer than a fact's number can be is cut to one that no fact has.
    address.restore("fact", lambda texts: int(texts[0][:18]) if texts[0].isdecimal() else None, fact, lambda _: True)
    chosen: int | None = st.session_state["fact"]
    if chosen is not None:
        address.keep("fact", str(chosen))
    return chosen


def show_fact(study: Study, models: Models, number: int, kind: str) -> None:
    """A fact: its prompt, how each layer of each model ranks the answer, and what it says instead."""
    found = ask(study, browsing.one_fact, number)
    if found.empty:
        nothing_here("This study has no such fact.", "The link may be of another study; choose it on the left.")
        return
    fact = found.iloc[0]
    st.text(fact.prompt)
    st.text(f"Right answer: {fact.object}. Relation: {fact.label} ({probe_set_name(fact.probe_set)}).")
    show_links(fact, kind)
    if not fact.eligible:
        nothing_here("No model was asked this fact.", f"{fact.reason[:1].upper()}{fact.reason[1:]}.")
        return
    table = ask(study, queries.fact_ranks, number, kind=kind)
    if table.empty:
        nothing_here("No model was asked this fact with these decoders.", "Choose other decoders above.")
        return
    show_ranks(study, table, models, fact, kind)
    show_answers(table, models)
    show_mentions(ask(study, browsing.fact_coverage, number))


def show_links(fact: pd.Series, kind: str) -> None:
    """Where to go from here."""
    links = (
        (
            "cloze",
            "Ask it live in Cloze",
            ":material/edit_note:",
            {"fact": str(fact.fact)},
        ),
        ("relations", "Its relation", ":material/grid_on:", {"probe_set": fact.probe_set, "relation": fact.relation}),
        (
            "layers",
            "Its relation by layer",
            ":material/layers:",
            {"probe_set": fact.probe_set, "relation": fact.relation},
        ),
    )
    with st.container(horizontal=True, gap="medium"):
        for page, label, icon, changes in links:
            file, parameters = address.link(page, decoder=kind, **changes)
            st.page_link(file, label=label, icon=icon, query_params=parameters)


def show_ranks(study: Study, table: pd.DataFrame, models: Models, fact: pd.Series, kind: str) -> None:
    """The rank of the answer by layer."""
    last = table[table["layer"] == table["model"].map(models.layers)]
    said = "; ".join(f"{row.rank:,} in {models.label(row.model)}" for row in last.itertuples())
    words = {
        "title": f"Rank of “{fact.object}” by layer",
        "note": f"{fact.prompt} 1 is best; out of the whole vocabulary; {kind} decoders; n = 1 fact",
    }
    asked = [name for name in models.names if (table["model"] == name).any()]
    show_figure(
        rank_by_layer(table, labels=models.labels, colours=models.colours, markers=models.markers, **words),
        name="fact-ranks",
        alt=f"Rank of the right answer by layer. At the last layer: {said}.",
        reading=READING_RANK,
        code=programs.fact(study, fact, kind, asked, words),
    )


def show_answers(table: pd.DataFrame, models: Models) -> None:
    """The first predictions of every layer, model by model, of those whose first words the study keeps."""
    st.header("What each layer answers")
    kept = table.groupby("model")["tokens"].agg(lambda tokens: tokens.str.len().any())
    asked = [model for model in models.names if model in kept.index]
    shown = [model for model in asked if kept[model]]
    silent = [models.label(model) for model in asked if not kept[model]]
    if silent:
        st.caption(f"The study keeps no first words of {', '.join(silent)} with these decoders.")
    for start in range(0, len(shown), 2):
        for column, model in zip(st.columns(2), shown[start : start + 2], strict=False):
            rows = table[table["model"] == model]
            with column:
                show_figure(
                    answers_grid(
                        rows,
                        label=models.label(model),
                        colour=models.colours[model],
                        note="First words of each layer, the right answer outlined; n = 1 fact",
                    ),
                    name=f"answers-{model}",
                    alt=f"{models.label(model)}: the first words of each layer and the rank of the right answer.",
                    reading=READING_GRID,
                )
    with st.expander("Table"):
        lists = table.assign(label=table["model"].map(models.labels), words=table["tokens"].map(" · ".join))
        columns = {
            "label": Column("Model"),
            "layer": Column("Layer", "count"),
            "rank": Column("Rank", "count", GLOSSARY["rank"]),
            "filtered_rank": Column("Filtered rank", "count", GLOSSARY["filtered"]),
            "ties": Column("Ties", "count", GLOSSARY["ties"]),
            "probability": Column("Probability", "share"),
            "words": Column("First words"),
        }
        show_table(lists, columns, name="fact", alt="Rank and predictions of every model and layer")


def show_mentions(mentions: pd.DataFrame) -> None:
    """Whether training texts name the fact."""
    if mentions.empty:
        return
    st.header("In training text")
    found = mentions[mentions["mentions"] > 0]
    for row in found.itertuples():
        st.text(f"{row.corpus}: {row.mentions:,} {'passage names' if row.mentions == 1 else 'passages name'} both.")
    without = ", ".join(mentions.loc[mentions["mentions"] == 0, "corpus"])
    if without:
        st.text(f"No passage names subject and answer together in {without}.")


guard()
st.title("Facts")
st.markdown(
    "Every single fact of the study. Search for one, select it, and see at which layer each model finds the answer and "
    "what it says before."
)
study = current_study()
models = models_of(study)
wanted = find(study, models)
number = show_results(study, models, wanted)
if number is not None:
    st.header("One fact")
    show_fact(study, models, number, wanted.kind)
