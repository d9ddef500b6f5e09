"""The Facts page finds facts and follows one."""

import pandas as pd
import pytest

from tests.app.conftest import OpenPage, figures, set_segment
from tests.store.synthetic_study import LAYERS, Synthetic


def ranks_of(synthetic: Synthetic, fact: int, model: str, kind: str = "trained") -> list[int]:
    ranks = synthetic.ranks
    rows = ranks[(ranks["fact"] == fact) & (ranks["model"] == model) & (ranks["kind"] == kind)]
    return rows.sort_values("layer")["rank"].tolist()


def some_fact(synthetic: Synthetic, relation: str = "P19") -> pd.Series:
    facts = synthetic.facts
    return facts[(facts["relation"] == relation) & facts["eligible"]].iloc[3]


def test_a_search_finds_what_holds_the_text(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("facts")
    assert any(f"{len(synthetic.facts)} facts; 1 to 25" in text.value for text in app.text)
    app.text_input(key="search").set_value("subject 1 of").run()
    table = app.dataframe[0].value
    expected = synthetic.facts[synthetic.facts["subject"].str.lower().str.contains("subject 1 of")]
    assert sorted(table["prompt"]) == sorted(expected["prompt"])
    assert app.query_params["search"] == "subject 1 of"
    for fact, prompt in expected.drop_duplicates("prompt", keep=False)[["fact", "prompt"]].itertuples(index=False):
        (shown,) = table.loc[table["prompt"] == prompt, "rank in mini"]
        assert [shown] == ranks_of(synthetic, fact, "mini")[-1:]
    app.text_input(key="search").set_value("%_<b>").run()
    assert any("No fact fits" in one.value for one in app.markdown)


def test_filters(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("facts", in_set="trex", relation="P37", state="right", of_model="qa-squad", decoder="stock")
    facts = synthetic.facts[(synthetic.facts["relation"] == "P37") & synthetic.facts["eligible"]]
    right = [fact for fact in facts["fact"] if ranks_of(synthetic, fact, "qa-squad", "stock")[-1] == 1]
    assert any(f"{len(right)} fact" in text.value for text in app.text)
    assert sorted(app.dataframe[0].value["prompt"]) == sorted(facts.set_index("fact").loc[right, "prompt"])
    set_segment(app, "state", "not asked")
    app.run()
    asked = synthetic.facts[(synthetic.facts["relation"] == "P37") & ~synthetic.facts["eligible"]]
    assert sorted(app.dataframe[0].value["prompt"]) == sorted(asked["prompt"])


def test_an_address_shows_one_fact_through_all_layers(open_page: OpenPage, synthetic: Synthetic) -> None:
    fact = some_fact(synthetic)
    app = open_page("facts", fact=str(fact["fact"]), decoder="stock")
    assert any(text.value == fact["prompt"] for text in app.text)
    lines, *grids = figures(app)
    for trace, model in zip(lines["data"], ("mini", "qa-squad"), strict=True):
        assert list(trace["y"]) == ranks_of(synthetic, fact["fact"], model, "stock")
    said = synthetic.predictions
    for grid, model in zip(grids, ("mini", "qa-squad"), strict=True):
        words = grid["data"][1]
        shown = {(y, x): text for y, x, text in zip(words["y"], words["x"], words["text"], strict=True)}
        rows = said[(said["fact"] == fact["fact"]) & (said["model"] == model) & (said["kind"] == "stock")]
        for row in rows.itertuples():
            assert [shown[str(row.layer), str(place)] for place in range(1, 6)] == list(row.tokens)
    table = app.dataframe[1].value
    assert len(table) == 2 * LAYERS


def test_links_lead_to_the_live_cloze_and_to_the_relation(open_page: OpenPage, synthetic: Synthetic) -> None:
    fact = some_fact(synthetic)
    app = open_page("facts", fact=str(fact["fact"]))
    links = {link.proto.label: link.proto for link in app.get("page_link")}
    cloze = links["Ask it live in Cloze"]
    assert cloze.page == "cloze"
    assert f"fact={fact['fact']}" in cloze.query_string
    assert "relation=P19" in links["Its relation"].query_string
    assert all("study=synthetic" in link.query_string for link in links.values())


def test_a_fact_that_was_not_asked_says_why(open_page: OpenPage, synthetic: Synthetic) -> None:
    fact = synthetic.facts[~synthetic.facts["eligible"]].iloc[0]
    app = open_page("facts", fact=str(fact["fact"]))
    assert any("No model was asked this fact" in one.value for one in app.markdown)
    assert any("object is not one token" in text.value for text in app.text)


@pytest.mark.parametrize("fact", ["1", "9" * 20, "9" * 40])
def test_a_fact_of_another_study_is_told(open_page: OpenPage, fact: str) -> None:
    app = open_page("facts", fact=fact)
    said = [one.value for one in app.markdown]
    assert any("no such fact" in one or "not here" in one for one in said)
