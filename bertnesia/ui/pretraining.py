"""The base on its way: what each layer knew at points of its pre-training."""

from dataclasses import replace

import streamlit as st

from bertnesia.analysis.measures import Measure, percent
from bertnesia.figures.models import training_curve
from bertnesia.plain import as_markdown
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui import programs
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.models import Models
from bertnesia.ui.study import ask

READING = (
    "Each line is one layer, the stronger the later; each point the model as it was then, read with decoders trained "
    "for it. A profile over layers that is there from the first steps on was inherited from where training began."
)


def show_pretraining(
    study: Study, models: Models, question: queries.Question, average: queries.Average, measure: Measure, name: str
) -> None:
    """A section for studies that kept their base on its way; nothing for others."""
    question = replace(question, models=(study.base,))
    table = ask(study, queries.pretraining_steps, question, average)
    if table.empty:
        return
    label = models.label(study.base)
    table["value"] = table[measure]
    final = table[table["step"] == table["step"].max()]["value"]
    words = {
        "title": f"{label}: {name} as it was trained",
        "measure": name,
        "note": f"{int(table['facts'].max()):,} facts; {question.kind} decoders",
    }
    st.header("On its way")
    st.markdown(f"What each layer of **{as_markdown(label)}** knew at points of its pre-training.")
    show_figure(
        training_curve(table, colour=models.colours[study.base], share=True, **words),
        name="pretraining",
        alt=f"{name} by step of pre-training and layer; {percent(final.iloc[-1])} at the last layer in the end.",
        reading=READING,
        code=programs.pretraining(study, question, average, measure, words),
    )
    with st.expander("Table"):
        columns = {
            "step": Column("Step", "count"),
            "layer": Column("Layer", "count"),
            "value": Column(name, "share", GLOSSARY["P@k"]),
            "facts": Column("Facts", "count"),
        }
        show_table(table, columns, name="pretraining", alt=f"{name} by step of pre-training and layer")
