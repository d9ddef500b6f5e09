"""The Layers page shows the numbers of an independent count."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bertnesia.store.queries import Question
from tests.app.conftest import OpenPage, figures, set_segment
from tests.app.rich_study import EARLY, between, publish_rich, variants
from tests.store import slow
from tests.store.synthetic_study import Synthetic

BOTH = ("mini", "qa-squad")
LABELS = {"MINI": "mini", "QA-SQUAD": "qa-squad"}


def values(data: Any) -> list[float]:
    """Plotly's numbers, plain or packed."""
    if isinstance(data, dict):
        return list(np.frombuffer(base64.b64decode(data["bdata"]), dtype=data["dtype"]))
    return list(data)


def check_figure(app: AppTest, synthetic: Synthetic, question: Question, average: str, measure: str) -> None:
    expected = slow.layer_measures(synthetic.ranks, synthetic.facts, question, average)
    figure, _ = figures(app)
    lines = {trace["name"]: trace for trace in figure["data"] if trace["mode"] == "lines+markers"}
    assert {LABELS[name] for name in lines} == set(question.models)
    for name, line in lines.items():
        for layer, value in zip(values(line["x"]), values(line["y"]), strict=True):
            assert value == pytest.approx(expected[LABELS[name], int(layer)][measure])
    (prior,) = [trace for trace in figure["data"] if trace.get("line", {}).get("dash") == "dash"]
    precision, mrr = slow.prior(synthetic.ranks, synthetic.facts, question, average)
    assert values(prior["y"])[0] == pytest.approx(precision if measure == "precision" else mrr)


def test_the_first_view(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("layers")
    assert [title.value for title in app.title] == ["Layers"]
    question = Question("trex", BOTH)
    check_figure(app, synthetic, question, "macro", "precision")
    table = app.dataframe[0].value
    expected = slow.layer_measures(synthetic.ranks, synthetic.facts, question, "macro")
    assert len(table) == 12
    for row, interval in zip(table.itertuples(), table["value interval"], strict=True):
        assert row.value == pytest.approx(100 * expected[LABELS[row.label], row.layer]["precision"])
        low, high = (float(end) for end in interval.split(" to "))
        assert low - 0.05 <= row.value <= high + 0.05
        assert row.facts == 100
    assert "A made-up study" in [text.value for text in app.sidebar.text]


def test_every_control_counts(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("layers")
    set_segment(app, "measure", "P@10")
    set_segment(app, "average", "facts")
    set_segment(app, "decoder", "stock")
    app.toggle(key="filtered").set_value(True)
    app.multiselect(key="models").set_value(["qa-squad"])
    app.run()
    question = Question("trex", ("qa-squad",), "stock", 10, filtered=True)
    check_figure(app, synthetic, question, "micro", "precision")
    app.selectbox(key="relation").set_value("P37").run()
    one = Question("trex", ("qa-squad",), "stock", 10, filtered=True, relations=("P37",))
    check_figure(app, synthetic, one, "micro", "precision")
    app.selectbox(key="probe_set").set_value("google_re").run()
    elsewhere = Question("google_re", ("qa-squad",), "stock", 10, filtered=True)
    check_figure(app, synthetic, elsewhere, "micro", "precision")


def test_an_address_sets_the_controls(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("layers", measure="MRR", probe_set="squad", decoder="stock", models=["qa-squad"], filtered="true")
    question = Question("squad", ("qa-squad",), "stock", filtered=True)
    check_figure(app, synthetic, question, "macro", "mrr")


def test_the_relations_table_names_the_best_layer(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("layers")
    table = app.dataframe[2].value.set_index("label")
    assert set(table.index) == {"place of birth", "capital", "official language <b>of</b> & more", "field of work"}
    for label, relation in (("place of birth", "P19"), ("capital", "P36")):
        by_layer = slow.layer_measures(
            synthetic.ranks, synthetic.facts, Question("trex", BOTH, relations=(relation,)), "micro"
        )
        mini = {layer: row["precision"] for (model, layer), row in by_layer.items() if model == "mini"}
        assert table.loc[label, "mini last"] == pytest.approx(100 * mini[6])
        assert table.loc[label, "mini best"] == pytest.approx(100 * max(mini.values()))
        assert mini[table.loc[label, "mini at layer"]] == max(mini.values())


def test_facts_appear_at_the_first_layer_that_has_them(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("layers", measure="P@10", decoder="stock")
    table = app.dataframe[1].value
    ranks = synthetic.ranks.merge(synthetic.facts[["fact", "probe_set"]], on="fact")
    ranks = ranks[(ranks["kind"] == "stock") & (ranks["probe_set"] == "trex")]
    for label, model in LABELS.items():
        first: dict[int, int] = {}
        for _, rows in ranks[ranks["model"] == model].groupby("fact"):
            right = rows.loc[rows["rank"] <= 10, "layer"]
            layer = int(right.min()) if len(right) else 0
            first[layer] = first.get(layer, 0) + 1
        shown = table[table["label"] == label]
        assert {int(row.layer): row.first for row in shown.fillna({"layer": 0}).itertuples() if row.first} == first
        (bars,) = [trace for trace in figures(app)[1]["data"] if trace["name"] == label]
        share = dict(zip(values(bars["x"]), values(bars["y"]), strict=True))
        assert share[6] == pytest.approx(first.get(6, 0) / 100)


def test_without_a_model_there_is_advice(open_page: OpenPage) -> None:
    app = open_page("layers")
    app.multiselect(key="models").set_value([]).run()
    assert not app.exception
    assert figures(app) == []
    assert any("No model is chosen" in one.value for one in app.markdown)


def test_the_base_on_its_way(open_page: OpenPage, synthetic: Synthetic, tmp_path: Path) -> None:
    assert "On its way" not in [header.value for header in open_page("layers").header]
    publish_rich(tmp_path / "rich.duckdb", synthetic)
    app = open_page("layers", study=tmp_path / "rich.duckdb", address={"measure": "P@10"})
    assert "On its way" in [header.value for header in app.header]
    lines = {trace["name"]: trace for trace in figures(app)[-1]["data"]}
    eligible = synthetic.facts[synthetic.facts["eligible"] & (synthetic.facts["probe_set"] == "trex")]
    for place, (step, far) in enumerate(EARLY.items()):
        early = between(synthetic, "early", far, len(variants()) - len(EARLY) + place)
        early = early[early["fact"].isin(eligible["fact"])].merge(eligible[["fact", "relation"]], on="fact")
        for layer, rows in early.groupby("layer"):
            line = lines[f"layer {layer}"]
            at = values(line["x"]).index(step)
            assert values(line["y"])[at] == pytest.approx((rows["rank"] <= 10).groupby(rows["relation"]).mean().mean())
