"""The parts of the Overview page."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from bertnesia import findings
from bertnesia.analysis import forgetting
from bertnesia.analysis.measures import percent
from bertnesia.analysis.totals import as_many_seeds
from bertnesia.figures.overview import CONTROLS, known_bars
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui import address, controls
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
    "does. Together they are the total: right at any layer. Trying many layers finds more by luck alone, so grey marks "
    "show, where they were measured, what as many decoders of the last layer give, and what the layers of an untrained "
    "encoder do: only what lies beyond them counts."
)


FINDINGS = {
    "intermediate_share": "Known to earlier layers only",
    "best_in_intermediate_layer": "Relations best before the last layer",
    "doubles_in_last_layer": "Relations that double in the last layer",
    "above_prior": "Above the prompt without its subject",
    "churn": "Churn",
    "forgetting_rate": "Forgetting rate",
    "net_change": "Net change",
    "lost": "Lost, of what was forgotten",
}
HOLDS = {
    "earlier_layers_add": "Earlier layers add",
    "best_in_intermediate_layer": "Some relation is best before the last layer",
    "doubles_in_last_layer": "Some relation doubles in the last layer",
    "above_prior": "More is known than without the subject",
    "net_loss": "Fine-tuning loses on balance",
    "beyond_churn": "It forgets more than churn",
    "forgets_most": "It forgets most of all",
}


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
        above_prior(totals, prior, label, view.k),
    ]
    tuned = tuple(name for name in view.models if models.bases.get(name) == base)
    if tuned:
        pairs = ask(study, queries.forgetting_by_model, view.question(models=tuned))
        pairs = pairs[pairs["at"] == "total"]
        cards.append(forgotten(pairs, models.labels, label))
        worst = str(pairs.iloc[int((pairs["forgotten"] / pairs["facts"]).to_numpy().argmax())]["model"])
        comparison = queries.Comparison(view.probe_set, base, worst, view.kind, view.k)
        cards.append(hardest_hit(ask(study, queries.forgetting, comparison), models.label(worst)))
    show_cards(cards)
    st.caption(f"Computed from this study: {controls.probe_set_name(view.probe_set)}, {view.kind} decoders.")


def show_known(study: Study, models: Models, view: View) -> None:
    """Last layer against total, for every probe set and model."""
    st.header("How much each model knows")
    tables = []
    for probe_set in controls.probe_sets_of(study):
        asked = tuple(controls.asked_models(study, probe_set, view.kind))
        if asked:
            totals = as_many_seeds(ask(study, findings.totals, view.question(probe_set, asked), "micro"))
            tables.append(totals.assign(probe_set=controls.probe_set_name(probe_set)))
    table = pd.concat(tables, ignore_index=True)
    best = table.iloc[int(table["total"].to_numpy().argmax())]
    facts = int(table.drop_duplicates("probe_set")["facts"].sum())
    show_figure(
        known_bars(
            table,
            labels=models.labels,
            colours=models.colours,
            title="Right at the last layer, and at any layer",
            measure=f"Share of facts with rank ≤ {view.k}" if view.k > 1 else "Share of facts with rank 1",
            note=f"{facts:,} facts, the same for all models of a probe set; averaged over facts; {view.kind} decoders",
        ),
        name="known",
        alt=f"Stacked bars over {facts:,} facts. Most: {models.label(best.model)} on {best.probe_set}, "
        f"{percent(best['last'])} at the last layer and {percent(best.total)} at any.",
        reading=READING_KNOWN,
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


def show_models(study: Study, models: Models, view: View) -> None:
    """One row per model, sortable, with intervals, and the change against its base."""
    st.header("Models compared")
    totals = as_many_seeds(ask(study, findings.totals, view.question(), "micro"))
    tuned = tuple(name for name in view.models if models.bases.get(name) in view.models)
    if tuned:
        pairs = ask(study, queries.forgetting_by_model, view.question(models=tuned))
        changes = forgetting.rates(pairs[pairs["at"] == "total"]).set_index("model")
        for name in ("net_change", "net_low", "net_high", "forgetting_rate"):
            totals[name] = totals["model"].map(changes[name])
    totals["label"] = totals["model"].map(models.labels)
    st.markdown("Click a heading to sort. Every share stands with its 95 % interval.")
    columns = {
        "label": Column("Model"),
        "facts": Column("Facts", "count"),
        "last": Column(f"Last layer, P@{view.k}", "share", GLOSSARY["P@k"]),
        "last interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "total": Column(f"Any layer, 𝒫@{view.k}", "share", GLOSSARY["total"]),
        "total interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "intermediate_share": Column("Intermediate", "share", GLOSSARY["intermediate share"]),
        "intermediate_share interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "net_change": Column("Change", "change", GLOSSARY["net change"]),
        "net interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "forgetting_rate": Column("Forgotten", "share", GLOSSARY["forgetting rate"]),
    }
    if not tuned:
        columns = {name: column for name, column in columns.items() if not name.startswith(("net", "forgetting"))}
    show_table(totals, columns, name="models", alt="Last layer, total and change of every model")


def show_headlines(study: Study, models: Models, view: View) -> None:
    """The findings that the paper reports, in this study; and, on request, in other settings."""
    st.header("Beside the paper")
    st.markdown(
        "The paper's findings, computed for every model here. Its own numbers are of BERT-base and other facts: "
        "what to look for is whether the same things hold. Averages are over relations."
    )
    table = ask(study, findings.headlines, view.question())
    shown = table.assign(
        finding=table["finding"].map(FINDINGS).fillna(table["finding"]),
        reading=table["reading"].map({"paper": "the paper's", "ours": "held out"}),
        at=table["at"].map({"last": "last layer", "total": "any layer"}),
        label=table["model"].map(models.labels),
        value_low=table["low"],
        value_high=table["high"],
    )
    columns = {
        "finding": Column("Finding"),
        "label": Column("Model"),
        "reading": Column("Reading", help=GLOSSARY["reading"]),
        "at": Column("At"),
        "value": Column("This study", "share"),
        "value interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "published": Column("The paper", "share"),
        "published interval": Column("its range", "interval"),
        "count": Column("Count", "count"),
        "of": Column("of", "count"),
        "source": Column("Source"),
    }
    show_table(shown, columns, name="headlines", alt="Findings of this study beside those of the paper")
    if controls.switch("Ask again in other settings", key="settings", explanation="settings"):
        show_robustness(study, models, view)


def show_robustness(study: Study, models: Models, view: View) -> None:
    """Whether each finding holds with other decoders, seeds, ranks, averages and prompts."""
    table = ask(study, findings.robustness, view.probe_set, view.kind)
    marks = {True: "yes", False: "no"}
    table = table.assign(mark=[marks.get(value, "–") if pd.notna(value) else "–" for value in table["holds"]])
    settings = list(dict.fromkeys(table["setting"]))
    wide = table.pivot_table(index=["finding", "model"], columns="setting", values="mark", aggfunc="first", sort=False)
    wide = wide.reset_index().assign(
        label=lambda rows: rows["model"].map(models.labels), name=lambda rows: rows["finding"].map(HOLDS)
    )
    columns = {
        "name": Column("Finding"), "label": Column("Model"), **{one: Column(one) for one in settings}
    }  # fmt: skip
    show_table(wide, columns, name="robustness", alt="Whether each finding holds in each setting")


def show_published(study: Study) -> None:
    """What the papers report, each number with its source."""
    table = ask(study, queries.published)
    if table.empty:
        return
    columns = {
        "figure": Column("Figure"),
        "model": Column("Model"),
        "probe_set": Column("Probe set"),
        "value": Column("Value", "share"),
        "value interval": Column("Range", "interval"),
        "right_facts": Column("Right", "count"),
        "facts": Column("of", "count"),
        "note": Column("Note"),
        "source": Column("Source"),
    }
    shown = table.assign(
        figure=table["figure"].str.replace("_", " "),
        probe_set=table["probe_set"].map(controls.probe_set_name),
        value_low=table["low"],
        value_high=table["high"],
    )
    with st.expander("All figures quoted from papers"):
        show_table(shown, columns, name="published", alt="Figures quoted from papers, with their source")
