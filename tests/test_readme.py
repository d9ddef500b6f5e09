"""The figures in README are those of the study that ships."""

import re
from pathlib import Path

import pandas as pd

from bertnesia import findings
from bertnesia.store import queries
from bertnesia.store.queries import Question
from bertnesia.store.study import open_study

ROOT = Path(__file__).resolve().parents[1]
STUDY = open_study(ROOT / "precomputed/mini.duckdb")
TUNED = ("qa-squad", "sham-qa", "mlm-squad", "mlm-cont", "rank-squad", "ner-wnut")
"""Siblings and controls in the order of the table."""


def readme() -> str:
    return " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_the_findings_on_layers_are_those_of_the_shipped_study() -> None:
    base = findings.totals(STUDY, Question("atlas", ("mini",)), "micro").iloc[0]
    above = findings.above_prior(STUDY, Question("atlas", ("mini",)), "micro").set_index("layer").loc[6]
    said = re.search(
        r"all asked ([\d,]+) facts .* has ([\d.]+) % of the facts right at layer 6\. .* score ([\d.]+) points less\. "
        r".* commonest answer would have ([\d.]+) % right"
        r".* ([\d.]+) % are right at \*some\* layer, but six decoders .* reach ([\d.]+) % together\.",
        readme(),
    )
    assert said
    assert int(said[1].replace(",", "")) == base["facts"]
    assert base["seeds"] == 6
    guessed = queries.prior(STUDY, Question("atlas", ("mini",)), "micro")["precision"].item()
    shares = (base["last"], above["above"], guessed, base["total"], base["seeds_union"])
    assert [float(said[i]) for i in range(2, 7)] == [round(100 * share, 1) for share in shares]


def test_the_findings_on_forgetting_are_those_of_the_shipped_study() -> None:
    last = queries.forgetting_by_model(STUDY, Question("atlas", TUNED)).query("at == 'last'").set_index("model")
    churn = queries.churn(STUDY, Question("atlas", ("mini",))).query("is_last == True").iloc[0]
    (known,) = set(last["right_in_base"])
    labels = STUDY.models().set_index("model")["label"]
    expected = [
        (labels[model], *figures(row), f"{row['lost']:,}", of_another_run(str(model)))
        for model, row in last.loc[list(TUNED)].iterrows()
    ]
    for question in (Question("atlas", TUNED), Question("atlas", TUNED, "base"), Question("atlas", TUNED, k=10)):
        found = queries.forgetting_by_model(STUDY, question).query("at == 'last'").set_index("model")["forgotten"]
        assert found["qa-squad"] < found["sham-qa"], "the control forgets more"
    text = readme()
    assert f"Of the {known} facts that the last layer of `mini` has right" in text
    assert [row for row in rows(text) if row[0]] == expected
    assert [row[1:] for row in rows(text) if not row[0]] == [(*figures(churn), "", "")]


def figures(row: pd.Series) -> tuple[str, str]:
    return f"{100 * row['forgotten'] / row['right_in_base']:.1f} %", f"{row['forgotten']:,}"


def of_another_run(model: str) -> str:
    """The share that the model forgets when it is trained from another seed; empty where it was not."""
    again = f"{model}-seed-1"
    if again not in set(STUDY.models()["model"]):
        return ""
    return figures(queries.forgetting_by_model(STUDY, Question("atlas", (again,))).query("at == 'last'").iloc[0])[0]


def rows(text: str) -> list[tuple[str, ...]]:
    """The table's rows: the sibling (none for churn), the share forgotten, how many, how many are gone, another run."""
    found = re.findall(
        r"\| [^|`]*?(?:\(([A-Z-]+)\)|two decoders of `mini` itself) "
        r"\| ([\d.]+ %) \| (\d+) \| (\d*) ?\| ([\d.]* ?%?) ?\|",
        text,
    )
    return [tuple(row) for row in found]


def test_pages_and_pictures_that_it_names_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        target = link[0] or link[1]
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), target
    pages = {path.stem.capitalize() for path in (ROOT / "pages").glob("*.py")}
    assert pages == set(re.findall(r"^\| ([A-Z]\w+) \|", text, flags=re.MULTILINE))
