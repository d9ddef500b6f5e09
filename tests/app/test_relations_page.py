"""The Relations page shows the numbers of an independent count."""

import json

import pytest

from bertnesia.store.queries import Question
from tests.app.conftest import APP, OpenPage, figures, set_segment
from tests.store import slow
from tests.store.synthetic_study import LAYERS, Synthetic

BOTH = ("mini", "qa-squad")


def cells(figure: dict) -> dict[tuple[str, int], tuple[str, int, int]]:
    """What stands in each cell: relation and layer to number, right, facts."""
    return {
        (relation, layer): (text, right, facts)
        for trace in figure["data"]
        for (relation, layer, right, facts), text in zip(trace["customdata"], trace["text"], strict=True)
    }


def expected(synthetic: Synthetic, relation: str, k: int = 1, kind: str = "trained") -> dict[tuple[str, int], dict]:
    return slow.layer_measures(
        synthetic.ranks, synthetic.facts, Question("trex", BOTH, kind, k, relations=(relation,)), "micro"
    )


def test_a_cell_for_every_relation_and_layer(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("relations")
    maps = figures(app)[:2]
    for model, figure in zip(BOTH, maps, strict=True):
        shown = cells(figure)
        assert len(shown) == 4 * LAYERS
        for relation in ("P19", "P36", "P37", "P101"):
            for (name, layer), row in expected(synthetic, relation).items():
                if name == model:
                    text, right, facts = shown[relation, layer]
                    assert text == f"{100 * row['precision']:.0f}"
                    assert right / facts == pytest.approx(row["precision"])


def test_change_against_the_base_is_the_difference(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("relations", show="change against base", measure="P@10", decoder="stock")
    (figure, _) = figures(app)
    rows = expected(synthetic, "P19", 10, "stock")
    for layer in range(1, LAYERS + 1):
        change = rows["qa-squad", layer]["precision"] - rows["mini", layer]["precision"]
        text = f"{100 * change:+.0f}".replace("-", "−")
        assert cells(figure)["P19", layer][0] == ("0" if text in ("+0", "−0") else text)


def test_the_facts_of_a_cell(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("relations", relation="P36", of_model="qa-squad", layer="3")
    table = next(frame.value for frame in app.dataframe if "base_rank" in frame.value)
    ranks = synthetic.ranks
    ranks = ranks[(ranks["kind"] == "trained") & (ranks["layer"] == 3) & (ranks["model"] == "qa-squad")]
    facts = synthetic.facts[(synthetic.facts["relation"] == "P36") & synthetic.facts["eligible"]]
    ranks = ranks[ranks["fact"].isin(facts["fact"])]
    assert table["rank"].tolist() == sorted(ranks["rank"])
    right = int((ranks["rank"] == 1).sum())
    assert any(f"{right} of {len(ranks)} facts" in text.value for text in app.text)
    (outlined,) = figures(app)[1]["layout"]["shapes"]
    assert (outlined["x0"] + outlined["x1"]) / 2 == pytest.approx(3)


def test_marks_stand_at_the_last_layer(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("relations")
    marks = {trace["name"]: trace for trace in figures(app)[-1]["data"] if trace["mode"] == "markers"}
    rows = expected(synthetic, "P19")
    for label, model in (("MINI", "mini"), ("QA-SQUAD", "qa-squad")):
        place = next(n for n, name in enumerate(marks[label]["y"]) if name.startswith("place of birth"))
        assert list(marks[label]["x"])[place] == pytest.approx(rows[model, LAYERS]["precision"])


def test_controls_change_what_is_shown(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("relations")
    set_segment(app, "measure", "P@100")
    app.multiselect(key="models").set_value(["qa-squad"]).run()
    (first, _) = figures(app)
    assert cells(first)["P19", 6][0] == f"{100 * expected(synthetic, 'P19', 100)['qa-squad', 6]['precision']:.0f}"
    app.multiselect(key="models").set_value([]).run()
    assert any("No model is chosen" in one.value for one in app.markdown)


def test_a_base_alone_has_no_change(open_page: OpenPage) -> None:
    app = open_page("relations", show="change against base", models=["mini"])
    assert any("nothing to be compared with" in one.value for one in app.markdown)


@pytest.mark.parametrize(("decoder", "kept"), [("trained", True), ("stock", False)])
def test_first_words_have_a_column_where_they_were_kept(open_page: OpenPage, decoder: str, kept: bool) -> None:
    app = open_page("relations", study=APP.parent / "precomputed/mini.duckdb", decoder=decoder)
    (facts,) = (table.value for table in app.dataframe if "prompt" in table.value)
    assert ("says" in facts) == kept


@pytest.mark.parametrize("page", ["overview", "layers", "relations"])
def test_with_the_bases_decoders_the_base_stands_beside_its_siblings(open_page: OpenPage, page: str) -> None:
    app = open_page(page, study=APP.parent / "precomputed/mini.duckdb", decoder="base")
    assert any('"mini"' in json.dumps(figure) for figure in figures(app))
