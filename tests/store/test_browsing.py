"""Queries of the pages Relations, Facts and Models, against pandas."""

import pandas as pd
import pytest

from bertnesia.store import browsing, queries
from bertnesia.store.browsing import Cell, FactFilter
from bertnesia.store.study import Study
from tests.store.synthetic_study import LAYERS, Synthetic


def plain(synthetic: Synthetic, kind: str = "trained") -> pd.DataFrame:
    ranks = synthetic.ranks
    return ranks[(ranks["kind"] == kind) & (ranks["seed"] == 0) & (ranks["variant"] == "plain")]


def last(synthetic: Synthetic, model: str, kind: str = "trained") -> pd.Series:
    rows = plain(synthetic, kind)
    return rows[(rows["model"] == model) & (rows["layer"] == LAYERS)].set_index("fact")["rank"]


def test_pages_hold_every_fact_once_and_those_asked_first(study: Study, synthetic: Synthetic) -> None:
    pages = [browsing.browse_facts(study, FactFilter(), page=page, size=60) for page in range(1, 6)]
    facts = pd.concat(pages)
    assert sorted(facts["fact"]) == sorted(synthetic.facts["fact"])
    assert set(facts["found"]) == {len(synthetic.facts)}
    assert facts["eligible"].tolist() == sorted(facts["eligible"], reverse=True)
    assert [len(page) for page in pages] == [60, 60, 60, 19, 0]


@pytest.mark.parametrize(
    ("text", "column"), [("SUBJECT 3 of p36", "subject"), ("quito", "object"), ("Lies Near", "prompt")]
)
def test_text_is_found_anywhere_whatever_its_case(study: Study, synthetic: Synthetic, text: str, column: str) -> None:
    found = browsing.browse_facts(study, FactFilter(text), size=500)
    expected = synthetic.facts[
        synthetic.facts[["subject", "object", "prompt"]]
        .apply(lambda texts: texts.str.lower().str.contains(text.lower()))
        .any(axis=1)
    ]
    assert sorted(found["fact"]) == sorted(expected["fact"])
    assert found[column].str.lower().str.contains(text.lower()).any()


def test_text_is_no_pattern(study: Study) -> None:
    assert browsing.browse_facts(study, FactFilter("%")).empty
    assert browsing.browse_facts(study, FactFilter("Subject_3")).empty
    assert browsing.browse_facts(study, FactFilter("' OR 1=1 --")).empty


@pytest.mark.parametrize("state", ["right", "wrong"])
def test_facts_by_what_a_model_has_right(study: Study, synthetic: Synthetic, state: browsing.State) -> None:
    found = browsing.browse_facts(study, FactFilter(state=state, model="qa-squad", kind="stock"), size=500)
    ranks = last(synthetic, "qa-squad", "stock")
    assert sorted(found["fact"]) == sorted(ranks.index[(ranks == 1) == (state == "right")])
    assert len(found)


def test_facts_that_were_not_asked(study: Study, synthetic: Synthetic) -> None:
    found = browsing.browse_facts(study, FactFilter(state="not asked", probe_set="trex", relation="P19"), size=500)
    facts = synthetic.facts
    expected = facts[~facts["eligible"] & (facts["relation"] == "P19")]
    assert sorted(found["fact"]) == sorted(expected["fact"])


def test_last_ranks(study: Study, synthetic: Synthetic) -> None:
    facts = tuple(int(fact) for fact in last(synthetic, "mini").index[:7])
    table = browsing.last_ranks(study, facts).set_index(["model", "fact"])["rank"]
    for model in ("mini", "qa-squad"):
        assert {fact: table[model, fact] for fact in facts} == last(synthetic, model).loc[list(facts)].to_dict()


def test_one_fact(study: Study, synthetic: Synthetic) -> None:
    expected = synthetic.facts.iloc[40]
    found = browsing.one_fact(study, int(expected["fact"])).iloc[0]
    for name in ("probe_set", "relation", "subject", "object", "prompt", "eligible"):
        assert found[name] == expected[name]
    assert browsing.one_fact(study, 1).empty


def test_answers_of_one_fact(study: Study, synthetic: Synthetic) -> None:
    fact = int(last(synthetic, "mini").index[5])
    table = queries.fact_ranks(study, fact)
    expected = plain(synthetic)
    expected = expected[expected["fact"] == fact].set_index(["model", "layer"])
    assert len(table) == 2 * LAYERS
    said = synthetic.predictions[synthetic.predictions["kind"] == "trained"].set_index(["model", "layer", "fact"])
    for row in table.itertuples():
        assert row.rank == expected.loc[(row.model, row.layer), "rank"]
        assert row.probability == pytest.approx(0.5**1 / row.rank, rel=0.01)
        assert list(row.tokens) == said.loc[(row.model, row.layer, fact), "tokens"]
    assert table["model"].tolist() == ["mini"] * LAYERS + ["qa-squad"] * LAYERS


@pytest.mark.parametrize("filtered", [False, True])
def test_facts_of_a_cell(study: Study, synthetic: Synthetic, filtered: bool) -> None:
    table = browsing.cell_facts(study, Cell("trex", "P37", "qa-squad", 4, filtered=filtered))
    ranks = plain(synthetic)
    ranks = ranks[ranks["layer"] == 4].set_index(["model", "fact"])["filtered_rank" if filtered else "rank"]
    facts = synthetic.facts[(synthetic.facts["relation"] == "P37") & synthetic.facts["eligible"]]
    assert sorted(table["fact"]) == sorted(facts["fact"])
    assert table["rank"].tolist() == sorted(table["rank"])
    for row in table.itertuples():
        assert (row.rank, row.base_rank) == (ranks["qa-squad", row.fact], ranks["mini", row.fact])
    assert browsing.cell_facts(study, Cell("trex", "P37", "mini", 4))["base_rank"].isna().all()


def test_a_study_without_training_has_no_curves(study: Study) -> None:
    assert set(browsing.training_curves(study).columns) == {"model", "run", "layer", "kind", "step", "score", "value"}
