"""The headline findings of a study, beside the figures that the paper reports."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from bertnesia.analysis.forgetting import forgetting_rate
from bertnesia.analysis.measures import wilson_interval
from bertnesia.analysis.priors import above
from bertnesia.findings.layers import above_prior, best_layers
from bertnesia.findings.totals import totals
from bertnesia.store import queries
from bertnesia.store.queries import Average, Question
from bertnesia.store.study import Study

Row = dict[str, Any]
MEASURED = ["finding", "reading", "model", "at", "value", "low", "high", "count", "of", "left_out"]
QUOTED = ["published", "published_low", "published_high", "source"]


def headlines(study: Study, question: Question, average: Average = "macro") -> pd.DataFrame:
    """The findings on the question's models; those on forgetting are of its models against the study's base.

    Returns:
        finding, reading (`paper`, `ours`, or empty where there is one), model, at (`last` layer, `total`, or empty),
        value, low, high (95 %), count, of (what the value is of, missing for means), left_out (facts), and published,
        published_low, published_high, source where the paper reports the like of its base. Findings that the study does
        not measure have no row:

        intermediate_share; best_in_intermediate_layer, doubles_in_last_layer (shares of relations: all in `paper`,
        those large enough in `ours`); above_prior (P@k at the last layer minus that with the subject masked); churn
        (forgetting rate of a second decoder seed of the same model); forgetting_rate, net_change; control (forgetting
        rate of a control of fine-tuning itself); lost (of the facts forgotten at the last layer).
    """
    table = totals(study, question, average)
    rows = [*of_layers(study, question, average, table), *of_forgetting(study, question, average)]
    rows += of_controls(study, question, average)
    found = pd.DataFrame(rows, columns=MEASURED)
    return found.merge(_published(study, question.probe_set), how="left", on=["finding", "model"])[MEASURED + QUOTED]


def of_layers(study: Study, question: Question, average: Average, table: pd.DataFrame) -> Iterator[Row]:
    """Findings on single models, from their table of `totals` and further queries: rows of `headlines`."""
    for row in table.to_dict("records"):
        ends = {"low": row["intermediate_share_low"], "high": row["intermediate_share_high"]}
        yield _row("intermediate_share", row["model"], row["intermediate_share"], **ends, left_out=row["left_out"])
    best = best_layers(study, question)
    for (model,), mine in best.groupby(["model"], sort=False):
        tested = mine[mine["tested"]]
        for reading, of in (("paper", mine[mine["last"].notna()]), ("ours", tested)):
            for finding, column in (
                ("best_in_intermediate_layer", "intermediate"),
                ("doubles_in_last_layer", "doubles"),
            ):
                if len(of):
                    yield _share(finding, str(model), int(of[f"{column}_{reading}"].sum()), len(of), reading=reading)
    depth = study.models().set_index("model")["layers"]
    for row in above_prior(study, question, average).to_dict("records"):
        if row["layer"] == depth[row["model"]]:
            yield _row("above_prior", row["model"], row["above"], low=row["low"], high=row["high"], at="last")
    yield from _of_churn(study, question, average)


def _of_churn(study: Study, question: Question, average: Average) -> Iterator[Row]:
    """What another decoder seed of the same model seems to forget, averaged as forgetting is."""
    counts = queries.churn_by_relation(study, question)
    counts = counts[counts["is_last"].eq(True) | (counts["at"] == "total")]
    for (model, place), mine in counts.groupby(["model", "at"], sort=False):
        rate, low, high = forgetting_rate(mine, average)
        if not np.isnan(rate):
            counted = {"count": int(mine["forgotten"].sum()), "of": int(mine["right_in_base"].sum())}
            at = "total" if place == "total" else "last"
            yield _row("churn", str(model), rate, low=low, high=high, at=at, **(counted if average == "micro" else {}))


def of_forgetting(study: Study, question: Question, average: Average) -> Iterator[Row]:
    """Findings on fine-tuned models against the base: rows of `headlines`."""
    tuned = queries.models(study).query("role == 'model' and base.notna()", engine="python")
    asked = question.models
    models = tuple(name for name in tuned["model"] if name in asked)
    if not models:
        return
    against = replace(question, models=models, all_facts=False)
    by_model = queries.forgetting_by_model(study, against)
    left_out = int(by_model["left_out"].max()) if len(by_model) else 0
    for at, model, mine in _outcomes(study, against):
        rate, low, high = forgetting_rate(mine, average)
        yield _row("forgetting_rate", model, rate, low=low, high=high, at=at, left_out=left_out)
        change = above(mine.assign(layer=0), average).iloc[0]
        ends = {"low": change["low"], "high": change["high"]}
        yield _row("net_change", model, change["above"], **ends, at=at, left_out=left_out)
    for row in by_model[by_model["at"] == "last"].to_dict("records"):
        if row["forgotten"]:
            yield _share("lost", row["model"], int(row["lost"]), row["forgotten"], at="last", left_out=left_out)


def of_controls(study: Study, question: Question, average: Average) -> Iterator[Row]:
    """What controls of fine-tuning itself forget: rows of `headlines`."""
    if models := tuple(queries.controls(study, question)["model"]):
        for at, model, mine in _outcomes(study, replace(question, models=models, all_facts=False)):
            rate, low, high = forgetting_rate(mine, average)
            yield _row("control", model, rate, low=low, high=high, at=at)


def _outcomes(study: Study, question: Question) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """`last` (each at its own last layer) or `total`, a model, and what became of each relation's facts there."""
    depths = set(study.models().set_index("model")["layers"][[study.base, *question.models]])
    last: int | Literal["last"] = int(depths.pop()) if len(depths) == 1 else "last"
    for at, layer in (("last", last), ("total", None)):
        counts = queries.forgetting_by_relation(study, question, layer)
        for (model,), mine in counts.groupby(["model"], sort=False):
            yield at, str(model), mine


def _published(study: Study, probe_set: str) -> pd.DataFrame:
    """The paper's figures of its base: that of the probe set, else that of all."""
    quoted = queries.published(study)
    mine = quoted[quoted["probe_set"].isin([probe_set, ""]) & quoted["model"].str.startswith("BERT-base")]
    mine = mine.sort_values("probe_set", ascending=False).drop_duplicates("figure").assign(model=study.base)
    names = {"figure": "finding", "value": "published", "low": "published_low", "high": "published_high"}
    return mine.rename(columns=names)[["finding", "model", *QUOTED]]


def _share(finding: str, model: str, count: int, of: int, **columns: Any) -> Row:
    low, high = wilson_interval(count, of)
    return _row(finding, model, count / of, low=float(low), high=float(high), count=count, of=of, **columns)


def _row(finding: str, model: str, value: float, **columns: Any) -> Row:
    empty = {"reading": "", "at": "", "count": pd.NA, "of": pd.NA, "left_out": pd.NA, "low": np.nan, "high": np.nan}
    return {**empty, "finding": finding, "model": model, "value": value, **columns}
