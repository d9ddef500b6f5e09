"""What pages show where there is nothing, little, or something they cannot read."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bertnesia.store.publish import publish
from tests.app.conftest import OpenPage, figures
from tests.store.synthetic_study import Synthetic, arrow, decoders_table, models_table, publish_synthetic, study_table

PAGES = ("overview", "layers", "forgetting", "relations", "facts", "models")

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, synthetic: Synthetic) -> Make:
    """Publishes the made-up study with some tables in place of its own."""

    def made(**tables: pa.Table) -> Path:
        path = tmp_path / "other.duckdb"
        own = {
            "study": study_table(),
            "models": models_table(),
            "decoders": decoders_table(),
            "relations": arrow(synthetic.relations),
            "facts": arrow(synthetic.facts),
            "ranks": arrow(synthetic.ranks),
            "predictions": arrow(synthetic.predictions),
        }
        publish(path, {**own, **tables})
        return path

    return made


@pytest.mark.parametrize("page", ["overview", "facts"])
def test_without_any_study_there_is_advice(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.setattr("bertnesia.ui.study.available", lambda root: {})
    app = open_page(page)
    assert any("no study to show" in one.value for one in app.markdown)
    assert any("bertnesia run studies/mini.toml" in text.value for text in app.text)
    assert figures(app) == []


@pytest.mark.parametrize("page", ["overview", "facts"])
def test_a_newer_study_asks_for_an_update(open_page: OpenPage, make: Make, page: str) -> None:
    app = open_page(page, study=make(study=study_table(schema_version=99)))
    assert any("published by a newer bertnesia (schema 99" in text.value for text in app.text)
    assert figures(app) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_study_of_one_model(open_page: OpenPage, make: Make, synthetic: Synthetic, page: str) -> None:
    base = {
        "models": models_table().slice(0, 1),
        "decoders": decoders_table().filter(pc.field("model") == "mini"),
        "ranks": arrow(synthetic.ranks.query("model == 'mini'")),
        "predictions": arrow(synthetic.predictions.query("model == 'mini'")),
    }
    app = open_page(page, study=make(**base))
    if page == "forgetting":
        assert any("nothing to compare" in one.value for one in app.markdown)
    else:
        assert figures(app)
    if page == "overview":
        (table,) = [frame.value for frame in app.dataframe if "intermediate_share" in frame.value]
        assert table["label"].tolist() == ["MINI"]
        assert "net_change" not in table


@pytest.mark.parametrize("page", PAGES)
def test_a_relation_without_eligible_facts(open_page: OpenPage, make: Make, synthetic: Synthetic, page: str) -> None:
    facts = synthetic.facts.copy()
    none = facts["relation"] == "P36"
    facts.loc[none, ["eligible", "reason"]] = [False, "the object is not one token"]
    ranks = synthetic.ranks[~synthetic.ranks["fact"].isin(facts.loc[none, "fact"])]
    said = synthetic.predictions[~synthetic.predictions["fact"].isin(facts.loc[none, "fact"])]
    path = make(facts=arrow(facts), ranks=arrow(ranks), predictions=arrow(said))
    app = open_page(page, study=path, relation="P36")
    if page == "layers":
        assert any("No fact fits this choice" in one.value for one in app.markdown)
    if page == "relations":
        assert any("not here" in one.value for one in app.markdown), "the link asks for a row that no map has"
        assert "capital" not in str(figures(app))
    if page == "facts":
        app = open_page("facts", study=path, relation="P36", in_set="trex")
        assert any("No model was asked this fact" in one.value for one in app.markdown)


@pytest.mark.parametrize("page", PAGES)
def test_a_model_without_decoders(open_page: OpenPage, make: Make, page: str) -> None:
    app = open_page(page, study=make(decoders=decoders_table().filter(pc.field("model") == "mini")))
    assert figures(app)
    if page == "models":
        assert any("no decoders of their own" in one.value for one in app.markdown)
        assert any(text.value.startswith("QA-SQUAD") for text in app.text)


def test_a_model_that_was_not_asked(open_page: OpenPage, make: Make, synthetic: Synthetic) -> None:
    ranks = synthetic.ranks.query("model == 'mini' or kind == 'stock'")
    said = synthetic.predictions.query("model == 'mini' or kind == 'stock'")
    path = make(ranks=arrow(ranks), predictions=arrow(said))
    app = open_page("forgetting", study=path)
    assert app.segmented_control(key="decoder").options == ["stock"], "the one kind that both were asked with"
    assert app.selectbox(key="model").options == ["QA-SQUAD"]
    assert figures(app)
    app = open_page("layers", study=path)
    assert app.multiselect(key="models").options == ["MINI"]


@pytest.mark.parametrize("page", PAGES)
def test_ranks_that_are_all_wrong(open_page: OpenPage, make: Make, synthetic: Synthetic, page: str) -> None:
    wrong = synthetic.ranks.assign(rank=500, filtered_rank=500)
    app = open_page(page, study=make(ranks=arrow(wrong)))
    assert not app.exception
    assert figures(app)


def test_the_study_is_chosen_in_the_sidebar(
    open_page: OpenPage, tmp_path: Path, synthetic: Synthetic, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "second.duckdb"
    publish_synthetic(other, replace(synthetic, ranks=synthetic.ranks.assign(rank=1, filtered_rank=1)), "All right")
    studies = {"first": database, "second": other}
    monkeypatch.setattr("bertnesia.ui.study.available", lambda root: studies)
    app = open_page("layers")
    assert "A made-up study" in [text.value for text in app.sidebar.text]
    app.sidebar.selectbox(key="study").set_value("second").run()
    assert "All right" in [text.value for text in app.sidebar.text]
    assert set(app.dataframe[0].value["value"]) == {100.0}
    assert app.query_params["study"] == "second"


@pytest.mark.parametrize("without", [("qa-squad",), ("mini", "qa-squad")])
def test_models_whose_first_words_are_not_kept(
    open_page: OpenPage, make: Make, synthetic: Synthetic, without: tuple[str, ...]
) -> None:
    fact = synthetic.facts[synthetic.facts["eligible"]].iloc[0]
    path = make(predictions=arrow(synthetic.predictions[~synthetic.predictions["model"].isin(without)]))
    app = open_page("facts", study=path, fact=str(fact["fact"]))
    (said,) = [caption.value for caption in app.caption if "keeps no first words" in caption.value]
    assert all(name.upper() in said for name in without)
    assert ("MINI" in said) == ("mini" in without)
    assert len(figures(app)) == 1 + 2 - len(without), "ranks of all, first words of those that have them"
