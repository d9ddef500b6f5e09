"""A study's report: complete, self-contained, and with the numbers of independent counts."""

import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from bertnesia.report import Report, as_json, build_report, write_csv, write_html
from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import open_study
from tests.store import slow
from tests.store.rich_study import Rich, make_rich, publish_rich
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


class Tables(HTMLParser):
    """The cells of every table of a page, by the name of its exhibit."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self.name, self.in_cell = "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "h3":
            self.name = str(dict(attrs)["id"])
        elif tag == "tr":
            self.found.setdefault(self.name, []).append([])
        elif tag in {"td", "th"}:
            self.in_cell = True
            self.found[self.name][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.found[self.name][-1][-1] += data


def same(shown: str, value: object) -> bool:
    """Whether a cell of the page shows a value of the files, as far as its digits go."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return shown in {"–", ""}
    if isinstance(value, bool):
        return shown == ("yes" if value else "no")
    if isinstance(value, str):
        return shown == value
    if shown.endswith(" %"):
        return float(shown[:-2]) == pytest.approx(100 * float(value), abs=0.0501)  # type: ignore[arg-type]
    return float(shown.replace(",", "")) == pytest.approx(float(value), rel=0.006)  # type: ignore[arg-type]


def test_the_page_shows_the_numbers_of_the_files(report: Report, tmp_path: Path) -> None:
    write_html(report, tmp_path / "report.html")
    shown = Tables((tmp_path / "report.html").read_text(encoding="utf-8")).found
    write_csv(report, tmp_path / "csv")
    values = json.loads(as_json(report))["tables"]
    assert set(shown) == set(values)
    numbers = 0
    for name, rows in values.items():
        heading, *cells = shown[name]
        written = pd.read_csv(tmp_path / "csv" / f"{name}.csv", keep_default_na=False, dtype=str)
        assert heading == [column.replace("_", " ") for column in written.columns]
        assert len(cells) == min(len(rows), 200)
        for number, of_page in enumerate(cells):
            in_csv = written.iloc[number]
            for place, (column, value) in enumerate(rows[number].items()):
                assert same(of_page[place], value), (name, column, of_page[place], value)
                assert same_text(in_csv[column], value), (name, column, in_csv[column], value)
                numbers += isinstance(value, int | float) and not isinstance(value, bool)
    assert numbers > 1000


def same_text(text: str, value: object) -> bool:
    """Whether a CSV cell holds a value of the JSON."""
    if value is None or isinstance(value, bool | str):
        return text == {None: "", True: "True", False: "False"}.get(value, value)  # type: ignore[arg-type]
    return float(text) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_other_words_stand_in_the_report_where_they_were_asked(report: Report, tmp_path: Path) -> None:
    assert not any(exhibit.name.endswith("other-words") for exhibit in report.exhibits)
    whole = make_rich()
    ranks = whole.ranks[whole.ranks["model"].isin(["mini", "qa", "cut"])]  # cut was not asked its last layer
    rich = Rich(whole.facts, ranks, whole.coverage)
    publish_rich(tmp_path / "rich.duckdb", rich)
    rows = table(build_report(open_study(tmp_path / "rich.duckdb")), "p-other-words")
    ranks = rich.ranks.merge(rich.facts, on="fact")
    asked = ranks[(ranks["probe_set"] == "p") & (ranks["kind"] == "trained") & (ranks["seed"] == 0)]
    asked = asked[asked["model"].isin(["mini", "qa"]) & asked["variant"].isin(["plain", "paraphrase_1"])]
    both = asked[asked.groupby("fact")["variant"].transform("nunique") == 2]
    right = both[(both["model"] == "qa") & (both["layer"] == 4)].assign(right=lambda rows: rows["rank"] == 1)
    row = rows[(rows["model"] == "QA") & (rows["layer"] == 4)].iloc[0]
    facts = right.pivot(index=["relation", "fact"], columns="variant", values="right")
    assert (row["facts"], row["left_out"]) == (len(facts), 28 - len(facts))
    assert row["mean"] == pytest.approx(facts.mean(axis=1).groupby("relation").mean().mean())
    assert row["agreement"] == pytest.approx(
        (facts["plain"] == facts["paraphrase_1"]).groupby("relation").mean().mean()
    )
    assert list(rows["layer"]) == [1, 2, 3, 4, "any"] * 2


def test_models_without_a_fact_in_common_are_told_apart_without_numbers(tmp_path: Path) -> None:
    rich = make_rich()
    odd = rich.ranks["fact"] % 2 == 1
    ranks = rich.ranks[odd == rich.ranks["model"].str.startswith("qa")]
    publish_rich(tmp_path / "rich.duckdb", Rich(rich.facts, ranks, rich.coverage))
    report = build_report(open_study(tmp_path / "rich.duckdb"))
    assert {exhibit.name for exhibit in report.exhibits} == {"models", "decoders", "relations", "runs", "published"}
    assert "No fact was asked of all models" in " ".join(section.text for section in report.sections)
    write_html(report, tmp_path / "report.html")
    assert "nothing can be compared" in (tmp_path / "report.html").read_text(encoding="utf-8")


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
    assert "holds thesis.txt, which is no table of this report" in " ".join(refused.stderr.split())
    assert (tmp_path / "mine" / "thesis.txt").exists()
    (tmp_path / "tables" / "of-mine.csv").write_text("precious")
    assert run(database, "--csv", tmp_path / "tables").returncode == 2
    assert (tmp_path / "tables" / "of-mine.csv").exists()
    (tmp_path / "tables" / "of-mine.csv").unlink()
    again = run(database, "--csv", tmp_path / "tables", "--json")
    assert again.returncode == 0, again.stderr
    assert set(json.loads(again.stdout)["tables"]) == {path.stem for path in (tmp_path / "tables").iterdir()}
