"""The parts of the Overview page."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from bertnesia import findings
from bertnesia.analysis.measures import percent
from bertnesia.analysis.totals import as_many_seeds
from bertnesia.figures.overview import CONTROLS, known_bars
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.titles import probe_set_name
from bertnesia.ui import address, controls, programs
from bertnesia.ui.cards import show_cards
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.models import Models
from bertnesia.ui.overview_findings import (
    above_prior,
    best_before_the_last,
    doubled_by_the_last,
    forgotten,
    hardest_hit,
    intermediate,
)
from bertnesia.ui.study import ask

READING_KNOWN = (
    "The full part of a bar is what the **last layer** has right; the hatched part is what only some **earlier layer** "
    "does. Together they are the total: right at any layer. Trying many layers finds more by luck alone, so marks "
    "show, where they were measured, what as many decoders of the last layer give, and what the layers of an untrained "
    "encoder do: only what lies beyond them counts."
)


@dataclass(frozen=True, slots=True)
class View:
    """What the page's controls ask for."""

    probe_set: str
    kind: str
    k: int
    models: tuple[str, ...]

    def question(self, probe_set: str | None = None, models: tuple[str, ...] | None = None) -> queries.Question:
        """The question, of this or another probe set."""
        return queries.Question(probe_set or self.probe_set, models or self.models, self.kind, self.k)


def show_findings(study: Study, models: Models, view: View) -> None:
    """Six questions about the study, answered from its own numbers."""
    st.header("What stands out")
    base = models.base if models.base in view.models else view.models[0]
    label = models.label(base)
    alone = view.question(models=(base,))
    totals = as_many_seeds(ask(study, findings.totals, alone, "micro"))
    relations = ask(study, queries.relation_measures, alone)
    prior = float(ask(study, queries.prior, alone, "micro")["precision"].iloc[0])
    cards = [
        intermediate(totals, label),
        best_before_the_last(relations, label),
        doubled_by_the_last(relations, label),
        above_prior(totals, prior, label, view.k, _without_subject(study, alone)),
    ]
    tuned = tuple(name for name in view.models if models.bases.get(name) == base)
    if tuned:
        counts = ask(study, findings.beside_controls, view.question(models=tuned))
        counts = counts[counts["at"] == "total"]
        pairs, null = counts[~counts["control"]], counts[counts["control"]]
        cards.append(forgotten(pairs, models.labels, label, ask(study, queries.churn, alone), null))
        worst = str(pairs.iloc[int((pairs["forgotten"] / pairs["facts"]).to_numpy().argmax())]["model"])
        comparison = queries.Comparison(view.probe_set, base, worst, view.kind, view.k)
        cards.append(hardest_hit(ask(study, queries.forgetting, comparison), models.label(worst)))
    show_cards(cards)
    st.caption(f"Computed from this study: {probe_set_name(view.probe_set)}, {view.kind} decoders.")


def _without_subject(study: Study, question: queries.Question) -> dict[str, float]:
    """Share right at the last layer of one model where prompts do not name the subject, as far as it was measured."""
    found = {}
    for variant, how in (("subject_masked", "the subject masked"), ("subject_swapped", "another subject")):
        table = ask(study, findings.above_prior, question, "micro", variant).dropna(subset="layer")
        if len(table):
            found[how] = float(table.sort_values("layer")["prior"].iloc[-1])
    return found


def show_known(study: Study, models: Models, view: View) -> None:
    """Last layer against total, for every probe set and model."""
    st.header("How much each model knows")
    questions = {}
    for probe_set in controls.probe_sets_of(study):
        asked = tuple(controls.asked_models(study, probe_set, view.kind))
        if asked:
            questions[probe_set_name(probe_set)] = view.question(probe_set, asked)
    tables = [
        as_many_seeds(ask(study, findings.totals, question, "micro")).assign(probe_set=name)
        for name, question in questions.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    best = table.iloc[int(table["total"].to_numpy().argmax())]
    facts = int(table.drop_duplicates("probe_set")["facts"].sum())
    words = {
        "title": "Right at the last layer, and at any layer",
        "measure": f"Share of facts with rank ≤ {view.k}" if view.k > 1 else "Share of facts with rank 1",
        "note": f"{facts:,} facts, the same for all models of a probe set; averaged over facts; {view.kind} decoders",
    }
    show_figure(
        known_bars(table, labels=models.labels, colours=models.colours, **words),
        name="known",
        alt=f"Stacked bars over {facts:,} facts. Most: {models.label(best.model)} on {best.probe_set}, "
        f"{percent(best['last'])} at the last layer and {percent(best.total)} at any.",
        reading=READING_KNOWN,
        code=programs.known(study, questions, words),
    )
    with st.expander("Table"):
        columns = {
            "probe_set": Column("Probe set"),
            "label": Column("Model"),
            "facts": Column("Facts", "count"),
            "left_out": Column("Left out", "count", GLOSSARY["left out"]),
            "last": Column("Last layer", "share", GLOSSARY["P@k"]),
            "total": Column("Any layer", "share", GLOSSARY["total"]),
            "best_layer": Column("Best layer", "count", GLOSSARY["best layer"]),
            "best": Column("there", "share", GLOSSARY["best layer"]),
            "chosen": Column("Chosen layer", "share", GLOSSARY["chosen layer"]),
            **{name: Column(f"{text[:1].upper()}{text[1:]}", "share") for name, (_, text) in CONTROLS.items()},
        }
        shown = table.assign(label=table["model"].map(models.labels))
        show_table(shown, columns, name="known", alt="Last layer and total of every model and probe set")


def show_ways_on(view: View) -> None:
    """Where each of the questions is answered in full."""
    ways: tuple[tuple[str, str, str, dict[str, tuple[str, ...]]], ...] = (
        ("layers", "Layer by layer", ":material/layers:", {"models": view.models}),
        ("relations", "Relation by relation", ":material/grid_on:", {"models": view.models[:2]}),
        ("forgetting", "What was forgotten", ":material/trending_down:", {}),
        ("facts", "Fact by fact", ":material/search:", {}),
    )
    with st.container(horizontal=True, gap="medium"):
        for page, label, icon, changes in ways:
            chosen = {"in_set" if page == "facts" else "probe_set": view.probe_set}
            file, parameters = address.link(page, decoder=view.kind, **chosen, **changes)
            st.page_link(file, label=label, icon=icon, query_params=parameters)
