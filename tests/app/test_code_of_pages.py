"""The code that pages offer, executed: it draws the page's figures and gives its numbers."""

import json
import math
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from bertnesia.cli.common import main
from bertnesia.shipped import shipped_folder
from bertnesia.store.study import open_study
from tests.app.conftest import OpenPage, figures
from tests.app.rich_study import publish_rich
from tests.store.synthetic_study import Synthetic

Space = dict[str, Any]


@pytest.fixture(scope="module")
def rich(synthetic: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("code") / "rich.duckdb"
    publish_rich(path, synthetic)
    return path


def offered(app: AppTest, language: str) -> list[str]:
    """The code on the page that is in a language."""
    return [block.value for block in app.code if block.language == language]


def executed(app: AppTest) -> list[Space]:
    """What each program of the page leaves behind."""
    spaces = []
    for text in offered(app, "python"):
        space: Space = {}
        exec(text, space)
        spaces.append(space)
    return spaces


def drawn(spec: dict[str, Any]) -> str:
    """A figure as far as it shows data or words, without what was selected on the page.

    Sums are added up in an order that may differ: their last digits do not count.
    """
    axes = {axis: spec["layout"][axis].get("title") for axis in ("xaxis", "yaxis")}
    text = json.dumps([spec["data"], spec["layout"]["title"], axes], sort_keys=True)
    text = re.sub(r"(rgba\([\d, ]+), [\d.]+\)", r"\1)", text)
    return re.sub(r"-?\d+\.\d+(e-?\d+)?", lambda number: f"{float(number[0]):.9f}", text)


def check_figures(app: AppTest, spaces: list[Space], count: int) -> None:
    """Programs that draw draw figures of the page, `count` of them, each another."""
    on_page = {drawn(spec) for spec in figures(app)}
    made = [drawn(json.loads(space["figure"].to_json())) for space in spaces if "figure" in space]
    assert len(set(made)) == len(made) == count
    assert set(made) <= on_page


def shown(app: AppTest, *columns: str) -> pd.DataFrame:
    """The page's table that has these columns."""
    return next(frame.value for frame in app.dataframe if set(columns) <= set(frame.value))


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Programs write their figures where they are run."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "controls",
    [
        {},
        {"measure": "P@10", "decoder": "stock", "filtered": "true", "average": "facts"},
        {"measure": "MRR", "relation": "P36", "models": ["qa-squad"]},
        {"measure": "P@100", "probe_set": "google_re"},
    ],
)
def test_layers(open_page: OpenPage, rich: Path, controls: dict[str, Any]) -> None:
    app = open_page("layers", study=rich, address=controls)
    layers, appearance, *early = executed(app)
    assert len(early) == (controls.get("decoder") != "stock")
    check_figures(app, [layers, appearance, *early], 2 + len(early))
    table = shown(app, "label", "layer", "value", "relations")
    assert table["value"].tolist() == pytest.approx((100 * layers["table"]["value"]).tolist())
    assert table["facts"].tolist() == layers["table"]["facts"].tolist()
    assert Path("layers.html").stat().st_size > 100_000


@pytest.mark.parametrize(
    "controls", [{}, {"right": "rank ≤ 10", "decoder": "stock"}, {"right": "rank ≤ 100", "probe_set": "squad"}]
)
def test_overview(open_page: OpenPage, rich: Path, controls: dict[str, Any]) -> None:
    app = open_page("overview", study=rich, address=controls)
    known, models, headlines = executed(app)
    check_figures(app, [known], 1)
    page = shown(app, "last", "total", "last interval")
    for column in ("last", "total", "intermediate_share"):
        assert page[column].tolist() == pytest.approx((100 * models["table"][column]).tolist(), nan_ok=True)
    changes = shown(app, "net_change", "churn")
    for column in ("forgetting_rate", "net_change"):
        assert changes[column].tolist() == pytest.approx((100 * models["changes"][column]).tolist())
    page = shown(app, "finding", "published")
    assert page["value"].tolist() == pytest.approx((100 * headlines["table"]["value"]).tolist(), nan_ok=True)


@pytest.mark.parametrize(
    "controls",
    [
        {},
        {"measure": "MRR", "show": "change against base", "models": ["qa-squad"]},
        {"measure": "P@10", "filtered": "true", "decoder": "stock", "of_model": "qa-squad", "layer": "3"},
    ],
)
def test_relations(open_page: OpenPage, rich: Path, controls: dict[str, Any]) -> None:
    app = open_page("relations", study=rich, address=controls)
    *maps, cell, side_by_side = executed(app)
    check_figures(app, [*maps, side_by_side], len(maps) + 1)
    page = shown(app, "model_label", "layer", "value")
    assert page["value"].tolist() == pytest.approx((100 * maps[0]["table"]["value"]).tolist())
    assert len(page) == sum(len(one["rows"]) for one in maps)
    page = shown(app, "prompt", "says", "rank")
    assert page["rank"].tolist() == cell["table"]["rank"].tolist()
    assert page["prompt"].tolist() == cell["table"]["prompt"].tolist()


@pytest.mark.parametrize("controls", [{}, {"search": 'a"', "state": "wrong"}, {"in_set": "trex", "state": "right"}])
def test_facts(open_page: OpenPage, rich: Path, controls: dict[str, Any]) -> None:
    app = open_page("facts", study=rich, address=controls)
    spaces = executed(app)
    if "search" in controls:
        assert spaces == []  # nothing found, nothing to reproduce
        return
    search, fact = spaces
    check_figures(app, [fact], 1)
    page = shown(app, "prompt", "object", "rank in mini")
    assert page["prompt"].tolist() == search["table"]["prompt"].tolist()
    assert page["rank in mini"].tolist() == pytest.approx(search["table"]["mini"].tolist(), nan_ok=True)
    page = shown(app, "rank", "filtered_rank", "words")
    assert page["rank"].tolist() == fact["table"]["rank"].tolist()


OTHER = {"at": "6", "right": "rank ≤ 10", "filtered": "true", "outcome": "learned"}


@pytest.mark.parametrize(
    ("view", "controls"),
    [
        ("relations", {}), ("relations", OTHER), ("layers", OTHER), ("rank changes", {}), ("lost or buried", OTHER),
        ("all objectives", {}), ("all objectives", OTHER), ("steps", OTHER), ("amount of data", {}),
        ("training text", {}),
    ],
)  # fmt: skip
def test_forgetting(open_page: OpenPage, rich: Path, view: str, controls: dict[str, Any]) -> None:
    app = open_page("forgetting", study=rich, address={**controls, "view": view})
    look, facts = executed(app)
    check_figures(app, [look], 1)
    page = shown(app, "prompt", "base_rank")
    assert page["prompt"].tolist() == facts["table"]["prompt"].tolist()
    columns = {"forgotten", "forgetting_rate"} & set(look["table"])
    if columns:
        page = shown(app, *columns)
        assert sorted(page["forgotten"]) == sorted(look["table"]["forgotten"])


COMMANDS = [
    ("layers", {}, "trex-layers-p1", ["value"]),
    ("layers", {"measure": "P@10"}, "trex-layers-p10", ["value"]),
    ("overview", {}, "known", ["last", "total"]),
    ("forgetting", {"at": "6"}, "trex-forgetting-qa-squad", ["forgotten", "facts"]),
    ("forgetting", {"view": "lost or buried"}, "trex-depth-qa-squad", ["lost", "buried"]),
    ("forgetting", {"view": "all objectives"}, "trex-objectives-total", ["forgotten", "forgetting_rate"]),
    ("relations", {}, "trex-models-per-relation", ["value"]),
    ("relations", {"models": ["mini", "qa-squad"]}, "trex-models-per-relation", ["value"]),
]


@pytest.fixture(scope="module")
def report(rich: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command of the Layers page writes: all pages name the same."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["bertnesia", "report", str(rich), "--csv", "tables"])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    return folder


@pytest.mark.parametrize(("page", "controls", "file", "columns"), COMMANDS)
def test_commands(
    open_page: OpenPage, rich: Path, report: Path, page: str, controls: dict[str, Any], file: str, columns: list[str]
) -> None:
    app = open_page(page, study=rich, address=controls)
    commands = {tuple(shlex.split(text)) for text in offered(app, "bash")}
    assert commands == {("bertnesia", "report", str(rich), "--csv", "tables")}
    said = {name for text in app.text for name in re.findall(r"tables/([\w.-]+)\.csv", text.value)}
    assert file in said
    written = pd.read_csv(report / "tables" / f"{file}.csv")
    found = shown(app, *columns, *{"overview": ["probe_set"], "relations": ["value interval"]}.get(page, []))
    for column in columns:
        there = sorted(one for one in written[column] if not math.isnan(one))
        shares = column in ("value", "last", "total", "forgetting_rate")
        here = sorted(one for one in found[column] / (100 if shares else 1) if not math.isnan(one))
        assert here == pytest.approx(there)


@pytest.mark.parametrize(
    ("page", "controls"),
    [("layers", {"filtered": "true"}), ("forgetting", {"at": "3"}), ("overview", {"right": "rank ≤ 10"})],
)
def test_where_no_command_fits_none_is_offered(
    open_page: OpenPage, rich: Path, page: str, controls: dict[str, Any]
) -> None:
    app = open_page(page, study=rich, address=controls)
    assert offered(app, "bash") == []
    assert any("No command gives this choice" in text.value for text in app.text)


@pytest.fixture
def shipped() -> Path:
    """The study that ships with its models."""
    return shipped_folder() / "precomputed" / "mini.duckdb"


def run(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a command prints as JSON."""
    monkeypatch.setattr(sys, "argv", [*shlex.split(command), "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return json.loads(capsys.readouterr().out)


def test_the_command_of_layers_asks_the_models_anew(
    open_page: OpenPage, shipped: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("layers", study=shipped, measure="MRR", models=["mini"])
    (command,) = offered(app, "bash")
    assert command.startswith("bertnesia probe ")
    rows = run(command, capsys, monkeypatch)
    page = shown(app, "layer", "value", "relations").set_index("layer")["value"]
    assert {row["layer"]: 100 * row["MRR"] for row in rows} == pytest.approx(page.to_dict(), abs=0.01)


def test_the_command_of_a_fact_asks_it_live(
    open_page: OpenPage, shipped: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("facts", study=shipped, search="capital city of Norway")
    (command,) = offered(app, "bash")
    results = run(command, capsys, monkeypatch)
    table = shown(app, "label", "layer", "rank", "words")
    stored = {(row.label, int(row.layer)): row.rank for row in table.itertuples()}
    labels = open_study(shipped).models().set_index("model")["label"]
    live = {
        (labels[result["model"]], layer["layer"]): layer["answer"] for result in results for layer in result["layers"]
    }
    assert stored.keys() == live.keys()
    for key, rank in stored.items():
        assert live[key]["rank"] == pytest.approx(rank, abs=0 if rank <= 100 else 1)
