"""The top of the Forgetting page: what it cost, and six questions answered in a line each."""

import numpy as np
import pandas as pd
import streamlit as st

from bertnesia import findings
from bertnesia.analysis import forgetting
from bertnesia.analysis.measures import difference_interval, percent, signed_percent
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui.cards import Card, show_cards
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.study import ask

NOT_MEASURED = "not measured in this study"
_ENOUGH = 5
"""Facts that a base must have right for a relation's rate to be named."""


def show_total(total: pd.Series) -> None:
    """Four numbers: before, after, and what lies between."""
    facts = int(total.facts)
    known = total.right_in_base > 0
    forgotten = (
        f"{percent(total.forgetting_low).removesuffix(' %')} to {percent(total.forgetting_high)}"
        if known
        else "no interval"
    )
    change = f"{signed_percent(total.net_low).removesuffix(' %')} to {signed_percent(total.net_high)}"
    right_in_base, right_in_model = total.right_in_base / facts, total.right_in_model / facts
    tiles = (
        ("Right in the base", percent(right_in_base), None, f"{total.right_in_base:,} of {facts:,} facts"),
        ("Right after fine-tuning", percent(right_in_model), None, f"{total.right_in_model:,} of {facts:,}"),
        (
            "Forgetting rate",
            percent(total.forgetting_rate),
            "forgetting rate",
            f"{forgotten}; n = {total.right_in_base:,}",
        ),
        ("Net change", signed_percent(total.net_change), "net change", f"{change}; n = {facts:,}"),
    )
    grid = st.grid(4, min_column_width=150, border=True)
    for label, value, term, below in tiles:
        with grid.cell(), st.container(gap="xxsmall"):
            st.metric(label, value, help=GLOSSARY[term] if term else None)
            st.caption(below)


def show_answers(study: Study, comparison: queries.Comparison, counts: pd.DataFrame) -> None:
    """Six questions about the comparison, each answered from this study's data or told to be open."""
    show_cards(
        (
            _chance(study, comparison, counts),
            _relations(counts),
            _layer(study, comparison),
            _step(study, comparison),
            _depth(study, comparison),
            _text(study, comparison),
        )
    )


def right(k: int) -> str:
    """When a fact is right, in a few words that are not broken."""
    return "rank\u00a01" if k == 1 else f"rank\u00a0≤\u00a0{k}"


def _chance(study: Study, comparison: queries.Comparison, counts: pd.DataFrame) -> Card:
    total = forgetting.rates(forgetting.total(counts)).iloc[0]
    question = "More than chance?"
    apart = total.net_low > 0 or total.net_high < 0
    net = "the net change differs from 0" if apart else "the net change may be 0"
    measured = _beside_churn(study, comparison, total)
    controls, beyond = _controls(study, comparison)
    if measured is None:
        detail = f"How far two decoders of one model disagree (churn) is {NOT_MEASURED}; {net}.{controls}"
        return Card(question, "Open" if apart else "Not shown", detail, GLOSSARY["churn"])
    rate, churn, where = measured
    detail = f"{where}: forgotten {percent(rate)}, churn {percent(churn)}; {net}.{controls}{_seeds(study, comparison)}"
    answer = f"{100 * (rate - churn):.1f} points beyond churn{beyond}" if rate > churn else "No more than churn"
    return Card(question, answer, detail, GLOSSARY["churn"])


def _controls(study: Study, comparison: queries.Comparison) -> tuple[str, str]:
    """What training alone makes a model forget, and whether it is as much as the model forgets; empty if unknown."""
    at = "total" if comparison.layer is None else "last"
    table = ask(study, findings.by_control, comparison)
    table = forgetting.rates(table[table["at"] == at]).dropna(subset="forgetting_rate")
    if table.empty:
        return "", ""
    named = [f"{percent(row.forgetting_rate)} ({row.label})" for row in table.itertuples()]
    where = "any layer" if at == "total" else "the last layer"
    said = f" Trained as long without a new task to learn, the base forgets at {where}: {'; '.join(named)}."
    mine = forgetting.rates(ask(study, queries.forgetting_by_model, comparison.of_models(comparison.model)))
    own = table[table["variant_of"] == comparison.model]
    reached = own["forgetting_rate"].max() >= mine.loc[mine["at"] == at, "forgetting_rate"].max()
    return said, ", not beyond its control" if reached else ""


def _seeds(study: Study, comparison: queries.Comparison) -> str:
    """How far other fine-tuning runs of the same kind go, where there are any."""
    at = "total" if comparison.layer is None else "last"
    table = ask(study, findings.by_seed, comparison)
    rates = forgetting.rates(table[table["at"] == at])["forgetting_rate"].dropna() if len(table) else pd.Series()
    if len(rates) < 2:
        return ""
    where = "any layer" if at == "total" else "the last layer"
    low, high = percent(rates.min()).removesuffix(" %"), percent(rates.max())
    return f" {len(rates)} fine-tuning runs with different seeds forget {low} to {high} at {where}."


def _beside_churn(study: Study, comparison: queries.Comparison, total: pd.Series) -> tuple[float, float, str] | None:
    """Forgetting rate and churn at the comparison's layer, or, where a second seed has that one only, at the last."""
    table = ask(study, queries.churn, comparison.of_models(comparison.base))
    here = forgetting.churn_rate(table, "total" if comparison.layer is None else comparison.layer)
    if not np.isnan(here) and total.right_in_base:
        where = "At any layer" if comparison.layer is None else f"At layer {comparison.layer}"
        return float(total.forgetting_rate), here, where
    last = forgetting.churn_rate(table, "last")
    pairs = forgetting.rates(ask(study, queries.forgetting_by_model, comparison.of_models(comparison.model)))
    rates = pairs.loc[pairs["at"] == "last", "forgetting_rate"].dropna()
    return None if np.isnan(last) or rates.empty else (float(rates.iloc[0]), last, "At the last layer")


def _relations(counts: pd.DataFrame) -> Card:
    question = "Of which relation is least left?"
    rows = counts[counts["right_in_base"] >= _ENOUGH]
    rows = rows.assign(rate=rows["forgotten"] / rows["right_in_base"]).sort_values(
        ["rate", "forgotten"], ascending=False, kind="stable"
    )
    rows = rows[rows["forgotten"] > 0]
    if rows.empty:
        return Card(question, "None stands out", f"No relation of which the base knows {_ENOUGH} facts lost any.")
    worst = rows.iloc[0]
    others = "; ".join(
        f"{row.label}: {row.forgotten:,} of {row.right_in_base:,}" for row in rows.iloc[1:3].itertuples()
    )
    detail = f"{worst.forgotten:,} of {worst.right_in_base:,} known facts forgotten. {others}"
    return Card(question, str(worst.label), detail, GLOSSARY["relation"])


def _layer(study: Study, comparison: queries.Comparison) -> Card:
    question = "Which layer knows less?"
    table = ask(study, queries.forgetting_by_layer, comparison.of_models(comparison.model))
    if table.empty:
        return Card(question, "Open", NOT_MEASURED)
    table = table.assign(net=(table["right_in_model"] - table["right_in_base"]) / table["facts"])
    worst = table.iloc[int(table["net"].to_numpy().argmin())]
    if worst.net >= 0:
        return Card(question, "None", "Every layer has at least as many facts right as before.")
    touched = table[table["net"] <= worst.net / 4]
    detail = (
        f"{signed_percent(worst.net)} of the facts there. Layers that lose at least a quarter of that: "
        f"{', '.join(str(int(layer)) for layer in touched['layer'])}."
    )
    return Card(question, f"Layer {int(worst.layer)}", detail, GLOSSARY["layer"])


def _step(study: Study, comparison: queries.Comparison) -> Card:
    question = "At which step?"
    table = ask(study, queries.steps, comparison)
    last = table[table["layer"] == table["layer"].max()].sort_values("step") if len(table) else table
    if len(last) < 3 or not last["forgotten"].iloc[-1]:
        return Card(question, "Open", f"Knowledge by fine-tuning step is {NOT_MEASURED}.")
    half = last[last["forgotten"] >= last["forgotten"].iloc[-1] / 2].iloc[0]
    detail = (
        f"Half of what the last layer forgets in the end ({last['forgotten'].iloc[-1]:,} of the {int(half.facts):,} "
        f"facts asked on the way) is gone by then; {int(half.steps):,} steps in all.{_first_layer(study, comparison)}"
    )
    return Card(question, f"By step {int(half.step):,}", detail)


def _first_layer(study: Study, comparison: queries.Comparison) -> str:
    """Which layer falls before the others, and how sure that is."""
    table = ask(study, findings.falls_first, comparison)
    if table.empty or not table["first"].max() > 0:
        return ""
    first = table.iloc[int(table["first"].to_numpy().argmax())]
    if first["first"] < 0.5:
        return " No layer clearly falls first."
    return f" Layer {int(first.layer)} falls first, in {percent(first['first'])} of resamples of the facts."


def _depth(study: Study, comparison: queries.Comparison) -> Card:
    question = "Lost or buried?"
    table = ask(study, queries.lost_and_buried, comparison)
    forgotten, lost, buried = (int(table[name].sum()) for name in ("forgotten", "lost", "buried"))
    if not forgotten:
        return Card(question, "Neither", "The last layer forgot no fact.", GLOSSARY["lost"])
    share = lost / forgotten
    answer = f"{percent(share)} lost" if share >= 0.5 else f"{percent(1 - share)} buried"
    detail = (
        f"Of {forgotten:,} facts that the last layer forgot, no layer has {lost:,} any more; "
        f"an earlier one still has {buried:,}."
    )
    return Card(question, answer, detail, GLOSSARY["lost"])


def corpora_of(study: Study, probe_set: str) -> list[str]:
    """Texts that were searched for these facts, the one that mentions most first."""
    table = ask(study, queries.corpora)
    mine = table[table["probe_set"] == probe_set].sort_values("mentioned", ascending=False, kind="stable")
    return [str(corpus) for corpus in mine["corpus"]]


def _text(study: Study, comparison: queries.Comparison) -> Card:
    question = "Was it in a training text?"
    for corpus in corpora_of(study, comparison.probe_set):
        table = ask(study, queries.coverage_outcomes, comparison, corpus)
        known = table[table["right_in_base"] > 0][["mentioned", "forgotten", "right_in_base"]]
        counts = {bool(mentioned): (int(lost), int(of)) for mentioned, lost, of in known.to_numpy()}
        if len(counts) == 2:
            mentioned, others = (percent(forgotten / known) for forgotten, known in (counts[True], counts[False]))
            detail = f"{mentioned} of the facts it mentions are forgotten, {others} of the others."
            low, high = difference_interval(*counts[True], *counts[False])
            answer = "Forgotten less if mentioned" if high < 0 else "Forgotten more if mentioned"
            if low <= 0 <= high:
                answer = "Mentioned or not, about the same"
            return Card(question, answer, f"{corpus}: {detail}", GLOSSARY["coverage"])
    return Card(question, "Open", f"Which facts a training text mentions is {NOT_MEASURED}.", GLOSSARY["coverage"])
