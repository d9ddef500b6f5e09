"""Forgetting: what a fine-tuned model no longer knows, and what it learned."""

import pandas as pd
import streamlit as st

from bertnesia.analysis import forgetting
from bertnesia.analysis.measures import percent, signed_percent
from bertnesia.figures.forgetting import outcomes_by_relation
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui import controls
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.messages import nothing_here
from bertnesia.ui.models import Models, models_of
from bertnesia.ui.routing import guard
from bertnesia.ui.study import ask, current_study

ANY_LAYER = "any layer"


def choose(study: Study, models: Models) -> queries.Comparison:
    """The controls: which model, on which facts, at which layer."""
    left, middle, right = st.columns(3)
    with middle:
        probe_set = controls.choose_probe_set(study)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        k = controls.choose_k()
        kind = controls.choose_decoder(controls.kinds_of(study, probe_set))
        filtered = controls.choose_filtered()
    asked = controls.asked_models(study, probe_set, kind)
    offered = [name for name in asked if models.bases.get(name) in asked]
    if not offered:
        nothing_here("There is nothing to compare.", "No fine-tuned model and its base were asked these facts.")
        st.stop()
    with left:
        model = st.selectbox("Fine-tuned model", offered, format_func=models.label, key="model", bind="query-params")
    base = models.bases[model]
    with right:
        layers = [str(layer) for layer in range(1, min(models.layers[base], models.layers[model]) + 1)]
        layer = st.selectbox("Layer", [ANY_LAYER, *layers], key="layer", bind="query-params", help=GLOSSARY["layer"])
    return queries.Comparison(probe_set, base, model, kind, k, None if layer == ANY_LAYER else int(layer), filtered)


def show_total(total: pd.Series) -> None:
    """Four numbers: before, after, and what lies between."""
    facts = int(total.facts)
    known = total.right_in_base > 0
    forgotten = f"{percent(total.forgetting_low)} to {percent(total.forgetting_high)}" if known else "no interval"
    change = f"{signed_percent(total.net_low)} to {signed_percent(total.net_high)}"
    tiles = (
        (
            "Right in the base",
            percent(total.right_in_base / facts),
            None,
            f"{total.right_in_base:,} of {facts:,} facts",
        ),
        (
            "Right after fine-tuning",
            percent(total.right_in_model / facts),
            None,
            f"{total.right_in_model:,} of {facts:,}",
        ),
        (
            "Forgetting rate",
            percent(total.forgetting_rate),
            "forgetting rate",
            f"{forgotten}; n = {total.right_in_base:,}",
        ),
        ("Net change", signed_percent(total.net_change), "net change", f"{change}; n = {facts:,}"),
    )
    for column, (label, value, term, below) in zip(st.columns(4), tiles, strict=True):
        with column.container(border=True, gap="xxsmall"):
            st.metric(label, value, help=GLOSSARY[term] if term else None)
            st.caption(below)


def show_relations(counts: pd.DataFrame, comparison: queries.Comparison, models: Models) -> None:
    """The figure, and its numbers."""
    where = ANY_LAYER if comparison.layer is None else f"layer {comparison.layer}"
    probe_set = controls.probe_set_name(comparison.probe_set)
    facts = int(counts["facts"].sum())
    note = (
        f"{facts:,} facts of {probe_set}; right: rank\u00a0≤\u00a0{comparison.k} at {where}; {comparison.kind} decoders"
    )
    pair = f"{models.label(comparison.model)} against {models.label(comparison.base)}"
    figure = outcomes_by_relation(counts, title=f"{pair}, by relation", note=note)
    worst = counts.iloc[0]
    alt = f"{pair}: {note}. Most forgotten: {worst.label}, {worst.forgotten} of {worst.facts} facts."
    show_figure(figure, name="forgetting", alt=alt)
    with st.expander("Table"):
        columns = {
            "label": Column("Relation"),
            "facts": Column("Facts", "count"),
            "right_in_base": Column("Right in base", "count"),
            "right_in_model": Column("Right after", "count"),
            "retained": Column("Retained", "count", GLOSSARY["outcome"]),
            "forgotten": Column("Forgotten", "count", GLOSSARY["outcome"]),
            "learned": Column("Learned", "count", GLOSSARY["outcome"]),
            "forgetting_rate": Column("Forgetting rate", "share", GLOSSARY["forgetting rate"]),
            "forgetting_low": Column("from", "share", GLOSSARY["interval"]),
            "forgetting_high": Column("to", "share", GLOSSARY["interval"]),
            "net_change": Column("Net change", "change", GLOSSARY["net change"]),
            "net_low": Column("from", "change", GLOSSARY["interval"]),
            "net_high": Column("to", "change", GLOSSARY["interval"]),
        }
        show_table(counts, columns, name="forgetting-table", alt="Counts and rates per relation")


def show_facts(study: Study, comparison: queries.Comparison) -> None:
    """The facts behind the bars."""
    st.header("Facts")
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with row:
        outcome: queries.Outcome = controls.segments(
            "Outcome", ["forgotten", "learned", "retained"], key="outcome", explanation="outcome"
        )
        relation = controls.choose_relation(study, comparison.probe_set)
    facts = ask(study, queries.changed_facts, comparison, outcome, relation)
    if facts.empty:
        nothing_here(f"No fact was {outcome}.", "Choose another outcome, relation or layer.")
        return
    st.text(f"{len(facts):,} {'fact' if len(facts) == 1 else 'facts'}, the largest change of rank first.")
    columns = {
        "prompt": Column("Prompt"),
        "object": Column("Right answer"),
        "model_says": Column("Answer after"),
        "base_rank": Column("Rank in base", "count", GLOSSARY["rank"]),
        "model_rank": Column("Rank after", "count", GLOSSARY["rank"]),
        "label": Column("Relation"),
    }
    show_table(facts, columns, name=f"facts-{outcome}", alt=f"Facts that were {outcome}")


guard()
st.title("Forgetting")
st.markdown(
    "What fine-tuning did to the facts that the base model has right. Grey and red together are what the base knows, "
    "grey and green what is known after fine-tuning."
)
study = current_study()
models = models_of(study)
comparison = choose(study, models)
counts = ask(study, queries.forgetting, comparison)
if counts.empty:
    nothing_here("No fact fits this choice.", "None of these facts could be asked of both models.")
    st.stop()
show_total(forgetting.rates(forgetting.total(counts)).iloc[0])
st.caption(
    "Part of this is chance: decoders trained from another seed would also lose and gain some facts, and this study "
    "does not measure how many."
)
relations = forgetting.rates(forgetting.by_loss(counts))
show_relations(relations, comparison, models)
show_facts(study, comparison)
