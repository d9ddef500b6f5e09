"""What stands out in a study, each in a sentence whose numbers come from its own data."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from bertnesia.analysis import forgetting
from bertnesia.analysis.measures import percent
from bertnesia.ui.cards import Card
from bertnesia.ui.glossary import GLOSSARY

_NAMED = 3
"""Relations that a sentence names."""


def intermediate(totals: pd.DataFrame, label: str) -> Card:
    """What layers before the last add in one model, and what as many decoders of the last layer would.

    Args:
        totals: one row: last, total, intermediate_share, facts, seeds_union.
        label: the model's name.
    """
    row = totals.iloc[0]
    question = "Does the last layer tell all?"
    if not row.total > 0:
        return Card(question, "Nothing is known", f"No layer of {label} has any of {row.facts:,} facts right.")
    detail = (
        f"{label} has {percent(row.total)} of {row.facts:,} facts right at some layer, {percent(row['last'])} at the "
        "last: so much of the whole would be missed."
    )
    if pd.notna(row.seeds_union) and row.seeds_union > row["last"]:
        detail += f" As many decoders of the last layer alone reach {percent(row.seeds_union)}."
    return Card(question, f"{percent(row.intermediate_share)} is in earlier layers only", detail, GLOSSARY["total"])


def best_before_the_last(relations: pd.DataFrame, label: str) -> Card:
    """Relations that one model knows best at a layer before its last.

    Args:
        relations: one model's relation, label, layer, precision.
        label: the model's name.
    """
    wide = relations.pivot_table(index="label", columns="layer", values="precision")
    last, best, layer = wide[wide.columns.max()], wide.max(axis=1), wide.idxmax(axis=1)
    early = (best - last)[best > last].sort_values(ascending=False)
    question = "Are some relations known best in the middle?"
    if not best.any():
        return Card(question, f"None of {len(wide)}", f"{label} has nothing right of any relation.")
    if early.empty:
        return Card(question, f"None of {len(wide)}", f"{label} knows every relation best at its last layer.")
    named = [
        f"{name} (layer {layer[name]}: {percent(best[name])}, last: {percent(last[name])})"
        for name in early.index[:_NAMED]
    ]
    detail = f"{label}: {'; '.join(named)}{' …' if len(early) > _NAMED else ''}"
    return Card(question, f"{len(early)} of {len(wide)} relations", detail, GLOSSARY["best layer"])


def doubled_by_the_last(relations: pd.DataFrame, label: str) -> Card:
    """Relations of which the last layer has at least twice as much right as any layer before it.

    Args:
        relations: one model's relation, label, layer, precision.
        label: the model's name.
    """
    wide = relations.pivot_table(index="label", columns="layer", values="precision")
    question = "What does the last layer add?"
    if wide.shape[1] < 2:
        return Card(question, "Open", f"{label} has a single layer.")
    before, last = wide[wide.columns[:-1]].max(axis=1), wide[wide.columns[-1]]
    doubled = (last - before)[(before > 0) & (last >= 2 * before)].sort_values(ascending=False)
    fresh = last[(before == 0) & (last > 0)].sort_values(ascending=False)
    named = [f"{name} ({percent(before[name])} to {percent(last[name])})" for name in doubled.index[:_NAMED]]
    detail = f"{label}: {'; '.join(named)}{' …' if len(doubled) > _NAMED else ''}"
    if doubled.empty:
        detail = f"No relation that {label} knows before doubles in its last layer."
    elif len(fresh) and len(doubled) <= _NAMED:
        detail += "."
    if len(fresh):
        named = list(fresh.index[:_NAMED])
        detail += f" Known to the last layer alone: {'; '.join(named)}{' …' if len(fresh) > _NAMED else '.'}"
    return Card(question, f"{len(doubled)} of {len(wide)} relations double or more", detail)


def above_prior(
    totals: pd.DataFrame, prior: float, label: str, k: int, without: Mapping[str, float] = MappingProxyType({})
) -> Card:
    """Whether one model has more right than needs no knowledge of single facts.

    Args:
        totals: one row: last, last_low, last_high, facts.
        prior: share of facts right by always answering with a relation's commonest objects.
        label: the model's name.
        k: up to which rank a fact counts as right.
        without: share right of prompts that do not name the subject, by how that was done.
    """
    row = totals.iloc[0]
    answer = "Yes" if row.last_low > prior else "No" if row.last_high < prior else "Not for certain"
    detail = (
        f"{label} has {percent(row['last'])} ({percent(row.last_low)} to {percent(row.last_high)}) right at its last "
        f"layer, P@{k}; always answering with a relation's commonest answers gives {percent(prior)}."
    )
    if without:
        said = ", ".join(f"with {how} {percent(share)}" for how, share in without.items())
        detail += f" The same prompts {said}."
    return Card("Is it more than guessing well?", answer, detail, GLOSSARY["prior"])


def forgotten(pairs: pd.DataFrame, labels: dict[str, str], base: str, churn: pd.DataFrame, null: pd.DataFrame) -> Card:
    """Which fine-tuned model forgets most, and which least, beside what two decoders of the base disagree on.

    Args:
        pairs: one row per fine-tuned model: model and the counts of `queries.forgetting_by_model` over all layers.
        labels: what to call each model.
        base: the base's name.
        churn: the rows of `queries.churn` on the base.
        null: as `pairs`, of the controls of fine-tuning; none where there are none.
    """
    rows = forgetting.rates(pairs).dropna(subset="forgetting_rate").sort_values("forgetting_rate", ascending=False)
    question = "What did fine-tuning cost?"
    if rows.empty:
        return Card(question, "Nothing to forget", f"{base} has none of the facts right.")
    worst, best = rows.iloc[0], rows.iloc[-1]
    detail = (
        f"{labels[worst.model]} forgot {percent(worst.forgetting_rate)} ({percent(worst.forgetting_low)} to "
        f"{percent(worst.forgetting_high)}) of {int(worst.right_in_base):,} facts that {base} has right at some layer, "
        f"and learned {int(worst.learned):,} others. {_churn(churn, base)}"
    )
    if len(rows) > 1:
        detail += f" Least: {labels[best.model]}, {percent(best.forgetting_rate)}."
    rates = forgetting.rates(null)["forgetting_rate"].dropna()
    if len(rates):
        low, high = percent(rates.min()).removesuffix(" %"), percent(rates.max())
        span = high if len(rates) == 1 else f"{low} to {high}"
        detail += f" Trained as long without a new task to learn, {base} forgets {span}."
    answer = f"{labels[worst.model]}: {percent(worst.forgetting_rate)} forgotten"
    return Card(question, answer, detail, GLOSSARY["churn"])


def _churn(churn: pd.DataFrame, base: str) -> str:
    """What two decoders of the base disagree on, over all layers or, where only that was measured, at the last."""
    for rate, where in (
        (forgetting.churn_rate(churn, "total"), ""),
        (forgetting.churn_rate(churn, "last"), " at the last layer"),
    ):
        if not np.isnan(rate):
            return f"Churn: another decoder of {base} itself would lose {percent(rate)}{where}."
    return "Churn was not measured."


def hardest_hit(relations: pd.DataFrame, label: str) -> Card:
    """The relation whose share of right facts fell most in one fine-tuned model.

    Args:
        relations: relation, label and the counts of `queries.forgetting`.
        label: the model's name.
    """
    question = "Which relation fell furthest?"
    rows = forgetting.rates(relations)
    worst = rows.iloc[int(rows["net_change"].to_numpy().argmin())]
    if worst.net_change >= 0:
        return Card(
            question, "None lost on balance", f"{label} has as much right of every relation as before, or more."
        )
    before, after = worst.right_in_base / worst.facts, worst.right_in_model / worst.facts
    detail = f"{label}: from {percent(before)} to {percent(after)} of {int(worst.facts):,} facts at some layer."
    return Card(question, str(worst.label), detail)
