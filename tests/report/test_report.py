"""A study's report: complete, self-contained, and with the numbers of independent counts."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bertnesia.report import Report, as_json, build_report, write_csv, write_html
from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import open_study
from tests.store import slow
from tests.store.synthetic_study import Synthetic, make_study, publish_synthetic


@pytest.fixture(scope="module")
def synthetic() -> Synthetic:
    return make_study()


@pytest.fixture(scope="module")
def database(synthetic: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "synthetic.duckdb"
    publish_synthetic(path, synthetic)
    return path


@pytest.fixture(scope="module")
def report(database: Path) -> Report:
    return build_report(open_study(database))


def table(report: Report, name: str) -> pd.DataFrame:
    (found,) = [exhibit.table for exhibit in report.exhibits if exhibit.name == name]
    return found


def plain(synthetic: Synthetic) -> pd.DataFrame:
    ranks = synthetic.ranks
    return ranks[(ranks["seed"] == 0) & (ranks["variant"] == "plain")]


def test_layers_are_those_of_an_independent_count(report: Report, synthetic: Synthetic, database: Path) -> None:
    asked = queries.asked(open_study(database))
    mine = asked[(asked["probe_set"] == "trex") & (asked["kind"] == "trained")]
    labels = queries.models(open_study(database)).set_index("model")["label"]
    question = Question("trex", tuple(mine["model"]))
    expected = slow.layer_measures(plain(synthetic), synthetic.facts, question, "macro")
    rows = table(report, "trex-layers-p1").set_index(["model", "layer"])
    assert len(rows) == len(expected)
    for (model, layer), measures in expected.items():
        assert rows.loc[(labels[model], layer), "value"] == pytest.approx(measures["precision"])
        assert rows.loc[(labels[model], layer), "facts"] == measures["facts"]


def test_forgetting_is_that_of_an_independent_count(report: Report, synthetic: Synthetic) -> None:
    outcomes = slow.outcomes(plain(synthetic), synthetic.facts, Comparison("trex", "mini", "qa-squad", layer=6))
    rows = table(report, "trex-forgetting-qa-squad").set_index("relation")
    assert set(rows.index) == set(outcomes)
    for relation, groups in outcomes.items():
        for outcome in ("retained", "forgotten", "learned"):
            assert rows.loc[relation, outcome] == len(groups[outcome]), (relation, outcome)


def test_every_probe_set_and_question_of_the_paper_is_there(report: Report) -> None:
    names = {exhibit.name for exhibit in report.exhibits}
    for probe_set in ("trex", "google_re", "squad"):
        for what in ("layers-p1", "models-per-relation", "objectives-last", "findings", "robustness", "best-layers"):
            assert f"{probe_set}-{what}" in names
    assert {"known", "models", "decoders", "published", "runs"} <= names
    assert len(names) == len(report.exhibits)
    assert all(exhibit.alt for exhibit in report.exhibits if exhibit.figure)


def test_the_page_needs_nothing_else_and_shows_every_table(report: Report, tmp_path: Path) -> None:
    write_html(report, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    without_library = re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.DOTALL)
    assert not re.search(r"(?:src|href)=[\"'](?!#)", without_library)
    for exhibit in report.exhibits:
        assert f'id="{exhibit.name}"' in page
        assert (f'id="figure-{exhibit.name}"' in page) == (exhibit.figure is not None)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_data_is_text_on_the_page(report: Report, tmp_path: Path) -> None:
    write_html(report, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "official language &lt;b&gt;of&lt;/b&gt; &amp; more" in page
    assert "official language <b>" not in page


def test_files_hold_the_same_numbers(report: Report, tmp_path: Path) -> None:
    names = write_csv(report, tmp_path / "csv")
    assert sorted(names) == sorted(path.name for path in (tmp_path / "csv").iterdir())
    as_values = json.loads(as_json(report))
    assert set(as_values["tables"]) == {exhibit.name for exhibit in report.exhibits}
    for exhibit in report.exhibits:
        read = pd.read_csv(tmp_path / "csv" / f"{exhibit.name}.csv")
        assert len(read) == len(exhibit.table) == len(as_values["tables"][exhibit.name])
    expected = table(report, "trex-layers-p1")["value"].tolist()
    assert pd.read_csv(tmp_path / "csv" / "trex-layers-p1.csv")["value"].tolist() == pytest.approx(expected)
    assert [row["value"] for row in as_values["tables"]["trex-layers-p1"]] == pytest.approx(expected)


def test_the_command_writes_what_is_asked_for(database: Path, tmp_path: Path) -> None:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bertnesia.cli", "report", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)

    done = run(database, "-o", tmp_path / "a.html", "--csv", tmp_path / "tables")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.html").stat().st_size > 1_000_000
    assert (tmp_path / "tables" / "known.csv").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    refused = run(database, "--csv", tmp_path / "mine")
    assert refused.returncode == 2
    assert "is not an empty folder" in " ".join(refused.stderr.split())
    assert (tmp_path / "mine" / "thesis.txt").exists()
