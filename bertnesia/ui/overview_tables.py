"""The tables of the Overview page: models compared, findings beside the paper's, figures quoted from papers."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from bertnesia import findings
from bertnesia.analysis import forgetting
from bertnesia.analysis.totals import as_many_seeds
from bertnesia.plain import as_markdown
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.titles import probe_set_name
from bertnesia.ui import controls, programs
from bertnesia.ui.figures import Column, show_table
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.models import Models
from bertnesia.ui.overview import View
from bertnesia.ui.study import ask

FINDINGS = {
    "intermediate_share": "Known to earlier layers only",
    "best_in_intermediate_layer": "Relations best before the last",
    "doubles_in_last_layer": "Relations doubling in the last",
    "above_prior": "Above the masked subject",
    "churn": "Churn",
    "forgetting_rate": "Forgetting rate",
    "control": "Forgetting rate, control",
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
    "beyond_controls": "It forgets more than its control",
    "forgets_most": "It forgets most of all",
}


def show_models(study: Study, models: Models, view: View) -> None:
    """One row per model, sortable, with intervals; below it the fine-tuned ones against their base."""
    st.header("Models compared")
    totals = as_many_seeds(ask(study, findings.totals, view.question(), "micro"))
    tuned = tuple(name for name in view.models if models.bases.get(name) in view.models)
    totals["label"] = totals["model"].map(models.labels)
    st.markdown("Click a heading to sort. Every share stands with its 95 % interval.")
    columns = {
        "label": Column("Model"),
        "facts": Column("Facts", "count"),
        "last": Column("Last layer", "share", GLOSSARY["P@k"]),
        "last interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "total": Column("Any layer", "share", GLOSSARY["total"]),
        "total interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "intermediate_share": Column("Earlier only", "share", GLOSSARY["intermediate share"]),
        "intermediate_share interval": Column("95 %", "interval", GLOSSARY["interval"]),
    }
    code = programs.models_compared(study, view.question(), tuned)
    alt = f"P@{view.k} at the last and at any layer of every model"
    show_table(totals, columns, name="models", alt=alt, code=code)
    if tuned:
        show_changes(study, models, view.question(models=tuned), models.base)


def show_changes(study: Study, models: Models, question: queries.Question, base: str) -> None:
    """What each fine-tuned model forgot and learned, over all layers, and what chance would."""
    st.markdown(f"Against **{as_markdown(models.label(base))}**: what fine-tuning changed, right at any layer.")
    pairs = ask(study, findings.beside_controls, question)
    changes = forgetting.rates(pairs[pairs["at"] == "total"])
    churn = ask(study, queries.churn, replace(question, models=(base,)))
    changes = changes.assign(label=changes["model"].map(models.labels), churn=forgetting.churn_rate(churn, "total"))
    columns = {
        "label": Column("Model"),
        "right_in_base": Column("Right in base", "count"),
        "forgetting_rate": Column("Forgotten", "share", GLOSSARY["forgetting rate"]),
        "forgetting interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "churn": Column("Churn", "share", GLOSSARY["churn"]),
        "net_change": Column("Net change", "change", GLOSSARY["net change"]),
        "net interval": Column("95 %", "interval", GLOSSARY["interval"]),
    }
    show_table(changes, columns, name="changes", alt="What every fine-tuned model forgot, and its net change")


def show_headlines(study: Study, models: Models, view: View) -> None:
    """The findings that the paper reports, in this study; and, on request, in other settings."""
    st.header("Beside the paper")
    st.markdown(
        "The paper's findings, computed for every model here. Its own numbers are of BERT-base and other facts: "
        "what to look for is whether the same things hold. Averages are over relations."
    )
    table = ask(study, findings.headlines, view.question())
    how = {"paper": "the paper's", "ours": "held out", "last": "last layer", "total": "any layer"}
    shown = table.assign(
        finding=table["finding"].map(FINDINGS).fillna(table["finding"]),
        how=table["reading"].map(how).fillna(table["at"].map(how)),
        label=table["model"].map(models.labels),
        counted=_counted(table),
        value_low=table["low"],
        value_high=table["high"],
    )
    columns = {
        "finding": Column("Finding"),
        "label": Column("Model"),
        "how": Column("Reading", help=GLOSSARY["reading"]),
        "value": Column("Here", "share"),
        "value interval": Column("95 %", "interval", GLOSSARY["interval"]),
        "counted": Column("Count", "counted"),
        "published": Column("Paper", "share"),
        "published interval": Column("its range", "interval"),
    }
    code = programs.headlines(study, view.question())
    alt = "Findings of this study beside those of the paper"
    show_table(shown, columns, name="headlines", alt=alt, code=code)
    sources = "; ".join(dict.fromkeys(shown["source"].dropna()))
    if sources:
        st.caption(as_markdown(f"The paper: {sources}."))
    if controls.switch("Ask again in other settings", key="settings", explanation="settings"):
        show_robustness(study, models, view)


def _counted(table: pd.DataFrame) -> pd.Series:
    """A share's count and what it is of, in words."""
    pairs = zip(table["count"], table["of"], strict=True)
    texts = [f"{count:,} of {of:,}" if pd.notna(count) else None for count, of in pairs]
    return pd.Series(texts, index=table.index, dtype=object)


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
        probe_set=table["probe_set"].map(probe_set_name),
        value_low=table["low"],
        value_high=table["high"],
    )
    with st.expander("All figures quoted from papers"):
        show_table(shown, columns, name="published", alt="Figures quoted from papers, with their source")
