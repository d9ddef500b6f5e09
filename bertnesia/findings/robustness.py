"""Which headline findings hold whatever the decoder, its seed, k, the average and the wording of the prompt."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bertnesia.findings.headlines import Row, of_controls, of_forgetting, of_layers
from bertnesia.findings.totals import totals
from bertnesia.store import queries
from bertnesia.store.queries import Average, Question, default_average
from bertnesia.store.study import Study

KINDS = ("stock", "full", "base", "random")
REFERENCE = "reference"
COLUMNS = ["finding", "model", "setting", "value", "low", "high", "holds", "note"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to ask the same findings."""

    name: str
    question: Question
    average: Average


def robustness(study: Study, probe_set: str, kind: str = "trained", relations: tuple[str, ...] = ()) -> pd.DataFrame:
    """Each headline finding in the reference setting (P@1, seed 0, plain prompts) and in others, each different in one.

    The findings and when each holds:

    - earlier_layers_add: the interval of the intermediate share lies above what the union over last-layer decoder seeds
      adds, or above 0 where there is one seed;
    - best_in_intermediate_layer, doubles_in_last_layer: at least one relation in the reading `ours`;
    - above_prior: the last layer's P@k exceeds that with the subject masked, interval above 0;
    - net_loss: the model's P@k at the last layer is below the base's, interval below 0;
    - beyond_churn: its forgetting rate there exceeds what a second decoder seed of the base makes, interval above it;
    - beyond_controls: it exceeds what the model's own controls forget, trained as long without its task, interval above
      the highest;
    - forgets_most: of the models, this one has the highest forgetting rate, where the reference has two or more.

    Returns:
        finding, model, setting, value, low, high, holds (missing: not measured) and note.
    """
    settings = list(_settings(study, probe_set, kind, relations))
    tables = [_evaluate(study, setting) for setting in settings]
    table = pd.concat(tables, ignore_index=True)
    table = pd.concat([table, _most_forgetful(table)], ignore_index=True)
    return _with_gaps(table, [setting.name for setting in settings])


def _settings(study: Study, probe_set: str, kind: str, relations: tuple[str, ...]) -> Iterator[Setting]:
    runs = queries.runs(study)
    mine = runs[(runs["probe_set"] == probe_set) & (runs["role"] == "model")]
    models = tuple(mine["model"].unique())
    average = default_average(probe_set)
    reference = Question(probe_set, models, kind, relations=relations)
    yield Setting(REFERENCE, reference, average)
    for other in dict.fromkeys([*KINDS, *mine["kind"]]):
        if other not in {kind, "control"}:
            yield Setting(f"{other} decoders", replace(reference, kind=other), average)
    # Seeds of the last layer alone are there for the union over seeds.
    whole = mine[mine["layers"] == mine.groupby("model")["layers"].transform("max")]
    for seed in sorted({1, *whole["seed"]} - {0}):
        yield Setting(f"decoder seed {seed}", replace(reference, seed=seed), average)
    for k in (10, 100):
        yield Setting(f"k = {k}", replace(reference, k=k), average)
    other_average: Average = "micro" if average == "macro" else "macro"
    yield Setting(f"{other_average} average", reference, other_average)
    for variant in sorted({"paraphrase_1", *mine["variant"]}):
        if variant.startswith("paraphrase"):
            yield Setting(variant.replace("_", " "), replace(reference, variant=variant), average)


def _evaluate(study: Study, setting: Setting) -> pd.DataFrame:
    """Rows of the findings that this setting measures."""
    question = _asked(study, setting.question)
    if study.base not in question.models:
        return pd.DataFrame(columns=COLUMNS)
    rows: list[Row] = []
    alone = replace(question, models=(study.base,))
    table = totals(study, alone, setting.average)
    of_base = list(of_layers(study, alone, setting.average, table))
    if question.kind != "base" and len(table):  # the base itself has no others than its trained ones
        rows += _of_base(of_base, table.iloc[0])
    tuned = list(of_forgetting(study, question, setting.average))
    rows += _of_siblings(tuned, _churn(of_base))
    rows += _beside_controls(tuned, _controls(study, question, setting.average))
    return pd.DataFrame(rows, columns=COLUMNS).assign(setting=setting.name)


def _asked(study: Study, question: Question) -> Question:
    """The question to those of its models that were asked it, with all their layers."""
    runs = queries.runs(study)
    same = runs[
        (runs["probe_set"] == question.probe_set)
        & (runs["seed"] == question.seed)
        & (runs["variant"] == question.variant)
    ]
    depth = study.models().set_index("model")["layers"]
    whole = {
        row["model"]
        for row in same.to_dict("records")
        if row["kind"] == queries.kind_of(study, row["model"], question.kind) and row["layers"] >= depth[row["model"]]
    }
    return replace(question, models=tuple(model for model in question.models if model in whole))


def _of_base(found: list[Row], total: pd.Series) -> Iterator[Row]:
    union = total["seeds_union"]
    by_itself = (union - total["last"]) / union if union > 0 else float("nan")
    measured = not np.isnan(by_itself)
    bar = max(by_itself, 0.0) if measured else 0.0
    note = f"the union over {total['seeds']} seeds adds {by_itself:.1%}" if measured else "no union over seeds"
    for row in found:
        values = {name: row[name] for name in ("model", "value", "low", "high")}
        if row["finding"] == "intermediate_share" and not np.isnan(row["value"]):
            yield {**values, "finding": "earlier_layers_add", "holds": row["low"] > bar, "note": note}
        elif row["reading"] == "ours":
            note_of = f"{row['count']} of {row['of']} relations"
            yield {**values, "finding": row["finding"], "holds": row["count"] > 0, "note": note_of}
        elif row["finding"] == "above_prior":
            yield {**values, "finding": "above_prior", "holds": row["low"] > 0, "note": ""}


def _churn(found: list[Row]) -> float:
    """The base's own forgetting rate between two decoder seeds at the last layer, missing where there is one."""
    rates = [row["value"] for row in found if row["finding"] == "churn" and row["at"] == "last"]
    return float(rates[0]) if rates else float("nan")


def _controls(study: Study, question: Question, average: Average) -> dict[str, Row]:
    """Of the controls of each model, the one that forgets most at the last layer."""
    whose = queries.controls(study, question).set_index("model")["variant_of"]
    rows = [row for row in of_controls(study, question, average) if row["at"] == "last" and not np.isnan(row["value"])]
    return {whose[row["model"]]: row for row in sorted(rows, key=lambda row: row["value"])}


def _beside_controls(found: list[Row], controls: dict[str, Row]) -> Iterator[Row]:
    """Whether each model that has a control forgets more than it."""
    for row in found:
        if row["finding"] == "forgetting_rate" and row["at"] == "last" and row["model"] in controls:
            control = controls[row["model"]]
            values = {name: row[name] for name in ("model", "value", "low", "high")}
            note = f"{control['model']} {control['value']:.1%}"
            yield {**values, "finding": "beyond_controls", "holds": row["low"] > control["value"], "note": note}


def _of_siblings(found: list[Row], churn: float) -> Iterator[Row]:
    for row in found:
        if row["at"] != "last":
            continue
        values = {name: row[name] for name in ("model", "value", "low", "high")}
        if row["finding"] == "net_change":
            yield {**values, "finding": "net_loss", "holds": row["high"] < 0, "note": ""}
        elif row["finding"] == "forgetting_rate":
            measured = not np.isnan(churn) and not np.isnan(row["value"])
            note = f"churn {churn:.1%}" if measured else "no second decoder seed"
            holds = row["low"] > churn if measured else pd.NA
            yield {**values, "finding": "beyond_churn", "holds": holds, "note": note}


def _most_forgetful(table: pd.DataFrame) -> pd.DataFrame:
    """One row per setting for the model that forgets most in the reference: whether it does there, too."""
    rates = table[(table["finding"] == "beyond_churn") & table["value"].notna()]
    reference = rates[rates["setting"] == REFERENCE]
    if len(reference) < 2:
        return table[:0]
    model = _first(reference)
    rows: list[Row] = []
    for _, mine in rates.groupby("setting", sort=False):
        of_model = mine[mine["model"] == model]
        if len(mine) >= 2 and len(of_model):
            first = _first(mine)
            row = of_model.iloc[0].to_dict()
            note = f"of {len(mine)} models {first} forgets most"
            named = {str(name): value for name, value in row.items()}
            rows.append(named | {"finding": "forgets_most", "holds": first == model, "note": note})
    return pd.DataFrame(rows, columns=COLUMNS)


def _first(rates: pd.DataFrame) -> str:
    """The model with the highest rate, the earliest among equals."""
    return str(rates.sort_values("value", ascending=False, kind="stable")["model"].iloc[0])


def _with_gaps(table: pd.DataFrame, settings: list[str]) -> pd.DataFrame:
    """Every finding of every model in every setting: what was not measured has no value."""
    order = table[["finding", "model"]].drop_duplicates()
    grid = order.merge(pd.DataFrame({"setting": settings}), how="cross")
    filled = grid.merge(table, how="left", on=["finding", "model", "setting"])
    filled["note"] = filled["note"].fillna("not measured")
    return filled.astype({"holds": "boolean", "value": float, "low": float, "high": float})[COLUMNS]
