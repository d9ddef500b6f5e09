"""The figures in README are those of the study that ships."""

import re
from pathlib import Path

from bertnesia import findings
from bertnesia.store import queries
from bertnesia.store.queries import Question
from bertnesia.store.study import open_study

ROOT = Path(__file__).resolve().parents[1]


def test_the_findings_are_those_of_the_shipped_study() -> None:
    study = open_study(ROOT / "precomputed/mini.duckdb")
    both = Question("atlas", ("mini", "qa-squad"))
    base = findings.totals(study, Question("atlas", ("mini",)), "micro").iloc[0]
    above = findings.above_prior(study, Question("atlas", ("mini",)), "micro").set_index("layer").loc[6]
    last = queries.forgetting_by_model(study, Question("atlas", ("qa-squad",))).set_index("at").loc["last"]
    churn = queries.churn(study, both).query("model == 'mini' and is_last == True").iloc[0]
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    said = re.search(
        r"both asked ([\d,]+) facts .* has ([\d.]+) % of the facts right at layer 6\. .* score ([\d.]+) points less\. "
        r".* ([\d.]+) % are right at \*some\* layer, but six decoders .* reach ([\d.]+) % together\. "
        r".* forgets ([\d.]+) %\*\* .* \((\d+) of (\d+) facts\), against ([\d.]+) % "
        r".* Of those (\d+) facts, (\d+) are gone",
        text,
    )
    assert said
    facts = int(said[1].replace(",", ""))
    assert facts == base["facts"] == last["facts"]
    assert base["seeds"] == 6
    shares = (
        base["last"],
        above["above"],
        base["total"],
        base["seeds_union"],
        last["forgotten"] / last["right_in_base"],
    )
    assert [float(said[i]) for i in range(2, 7)] == [round(100 * share, 1) for share in shares]
    assert (int(said[7]), int(said[8])) == (last["forgotten"], last["right_in_base"])
    assert float(said[9]) == round(100 * churn["forgotten"] / churn["right_in_base"], 1)
    assert (int(said[10]), int(said[11])) == (last["forgotten"], last["lost"])


def test_pages_and_pictures_that_it_names_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        target = link[0] or link[1]
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), target
    pages = {path.stem.capitalize() for path in (ROOT / "pages").glob("*.py")}
    assert pages == set(re.findall(r"^\| ([A-Z]\w+) \|", text, flags=re.MULTILINE))
