"""The figures in docs/mini-study.md are those of the study and the models that ship."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bertnesia import findings
from bertnesia.analysis.measures import percent
from bertnesia.store.queries import Average, Comparison, Question
from bertnesia.store.study import open_study

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/mini-study.md").read_text("utf-8")
STUDY = open_study(ROOT / "precomputed/mini.duckdb")
MODELS = {
    "QA-SQUAD": "qa-squad",
    "SHAM-QA": "sham-qa",
    "MLM-SQUAD": "mlm-squad",
    "MLM-CONT": "mlm-cont",
    "RANK-SQUAD": "rank-squad",
    "NER-WNUT": "ner-wnut",
}
CONTROLS = {"sham-qa", "mlm-cont"}
READINGS: tuple[tuple[dict[str, Any], Average], ...] = (
    ({}, "micro"),
    ({}, "macro"),
    ({"kind": "base"}, "micro"),
    ({"k": 10}, "micro"),
    ({"k": 100}, "micro"),
)
"""The columns of the table of what is forgotten."""


def row(name: str, section: str) -> list[str]:
    """The cells behind a name in the table of a section."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    (found,) = re.findall(rf"^\| {re.escape(name)} \|(.*)\|$", text, flags=re.MULTILINE)
    return [cell.strip() for cell in found.split("|")]


def forgetting(model: str) -> pd.DataFrame:
    """The model's forgetting rate at the last layer in every reading, with its interval."""
    rows = []
    for options, average in READINGS:
        asked = (STUDY.base,) if model in CONTROLS else (STUDY.base, model)
        table = findings.headlines(STUDY, Question("atlas", asked, **options), average)
        finding = "control" if model in CONTROLS else "forgetting_rate"
        rows.append(table[(table["finding"] == finding) & (table["at"] == "last") & (table["model"] == model)])
    return pd.concat(rows, ignore_index=True)


def churn_of_base(k: int, average: Average) -> float:
    """What a second decoder seed of the base seems to forget at the last layer."""
    table = findings.headlines(STUDY, Question("atlas", (STUDY.base,), k=k), average)
    (rate,) = table.loc[(table["finding"] == "churn") & (table["at"] == "last"), "value"]
    return float(rate)


@pytest.mark.parametrize("label", MODELS)
def test_what_each_forgets(label: str) -> None:
    assert row(label, "What they forget") == [percent(rate) for rate in forgetting(MODELS[label])["value"]]


def test_what_is_said_of_the_table() -> None:
    tables = {model: forgetting(model) for model in MODELS.values()}
    siblings = [name for name in tables if name not in CONTROLS]
    rates = pd.DataFrame({name: table["value"] for name, table in tables.items()})
    churn = [churn_of_base(k, average) for k, average in ((1, "micro"), (1, "macro"), (10, "micro"), (100, "micro"))]
    told = [percent(rate) for rate in churn]
    assert row("churn of the base", "What they forget") == [*told[:2], "", *told[2:]]
    for name in siblings:
        assert (tables[name]["low"] > [*churn[:2], churn[0], *churn[2:]]).all()
    assert set(rates[siblings].idxmax(axis=1)) == {"qa-squad"}
    assert (rates["qa-squad"] < rates["sham-qa"]).all()
    assert (tables["mlm-squad"]["low"] > rates["mlm-cont"])[:3].all(), "rank 1"
    assert tables["mlm-squad"]["low"][3] < rates["mlm-cont"][3] < tables["mlm-squad"]["high"][3], "within 10 ranks"
    assert rates[siblings].idxmin(axis=1).tolist() == ["rank-squad", *["mlm-squad"] * 4]
    assert rates["rank-squad"][2] == pytest.approx(2 * rates["rank-squad"][0], rel=0.05)


def test_the_second_seed() -> None:
    found = []
    for k in (1, 10):
        table = findings.by_seed(STUDY, Comparison("atlas", STUDY.base, "qa-squad", k=k))
        table = table[(table["at"] == "last") & (table["fine_tuning_seed"] == 1)]
        found.append(percent(float((table["forgotten"] / table["right_in_base"]).iloc[0])))
    scores = json.loads(STUDY.models().set_index("model").loc["qa-squad-seed-1", "scores"])
    told = f"(F1 {percent(scores['f1'])}) and forgot {found[0]} over facts, {found[1]} within 10 ranks."
    assert told in " ".join(PAGE.split())


@pytest.mark.parametrize("label", MODELS)
def test_what_each_learned_and_from_how_much(label: str) -> None:
    path = ROOT / "precomputed/models" / MODELS[label] / "bertnesia.json"
    if not path.exists():
        pytest.skip("a control's weights do not ship")
    told = json.loads(path.read_text("utf-8"))
    first, last = told["history"][0], told["history"][-1]
    section = PAGE.partition("\n## The siblings\n")[2]
    score = {"qa": "f1", "mlm": "accuracy", "ranking": "mrr@10", "ner": "f1"}[told["objective"]]
    assert re.search(rf"\| {percent(first[score])} \| {percent(last[score])} \|", section)
    assert f"| {told['training_tokens']:,} |" in section
    assert f"{told['training_examples']:,} " in section
