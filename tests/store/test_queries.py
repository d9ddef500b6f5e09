"""Queries against slow plain-Python versions, on made-up and on random studies."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertnesia.errors import BertnesiaError
from bertnesia.store import queries
from bertnesia.store.publish import publish
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import Study, open_study
from tests.store import slow
from tests.store.synthetic_study import Synthetic, arrow, models_table, study_table

BOTH = ("mini", "qa-squad")


def small_study(folder: Path, facts: list[tuple[str, str, str]], ranks: list[tuple[str, int, int, int]]) -> Study:
    """A study of facts (relation, subject, object), numbered from 0, and ranks (model, layer, fact, rank)."""
    relations = sorted({relation for relation, _, _ in facts})
    rows = [
        {"fact": number, "probe_set": "p", "relation": relation, "subject": subject, "object": name, "prompt": "[MASK]",
         "eligible": True, "reason": ""}
        for number, (relation, subject, name) in enumerate(facts)
    ]  # fmt: skip
    table = pd.DataFrame(ranks, columns=["model", "layer", "fact", "rank"]).assign(
        kind="trained", seed=np.uint8(0), variant="plain", ties=0, log_probability=0.0
    )
    table["filtered_rank"] = np.maximum(1, table["rank"] - 1)
    table["layer"] = table["layer"].astype("uint8")
    publish(
        folder / "small.duckdb",
        {
            "study": study_table(),
            "models": models_table(),
            "relations": pa.Table.from_pylist(
                [
                    {"probe_set": "p", "relation": relation, "label": relation, "description": "", "template": None,
                     "type": "", "source": ""}
                    for relation in relations
                ]
            ),
            "facts": pa.Table.from_pylist(rows),
            "ranks": arrow(table),
        },
    )  # fmt: skip
    return open_study(folder / "small.duckdb")


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Relation r has four facts, s has one; qa-squad was not asked the last fact of r."""
    facts = [("r", "a", "Rome"), ("r", "b", "rome"), ("r", "c", "Oslo"), ("r", "d", "Bonn"), ("s", "e", "Lima")]
    mini = {0: (9, 1), 1: (1, 2), 2: (4, 20), 3: (1, 1), 4: (1, 1)}
    qa = {0: (9, 3), 1: (1, 1), 2: (12, 200), 4: (2, 2)}
    ranks = [("mini", layer + 1, fact, pair[layer]) for fact, pair in mini.items() for layer in (0, 1)]
    ranks += [("qa-squad", layer + 1, fact, pair[layer]) for fact, pair in qa.items() for layer in (0, 1)]
    return small_study(tmp_path_factory.mktemp("worked"), facts, ranks)


def test_measures_worked_out_by_hand(worked: Study) -> None:
    table = queries.layer_measures(worked, Question("p", BOTH), "macro").set_index(["model", "layer"])
    # Of r's three shared facts mini has fact 1 right at layer 1 and fact 0 at layer 2; s is right at both.
    assert table["precision"].tolist() == pytest.approx([(1 / 3 + 1) / 2, (1 / 3 + 1) / 2, 1 / 6, 1 / 6])
    assert table["facts"].tolist() == [4] * 4
    assert table["relations"].tolist() == [2] * 4
    assert table.loc[("mini", 1), "mrr"] == pytest.approx(((1 / 9 + 1 + 1 / 4) / 3 + 1) / 2)
    micro = queries.layer_measures(worked, Question("p", BOTH), "micro").set_index(["model", "layer"])
    assert micro["precision"].tolist() == [0.5, 0.5, 0.25, 0.25]
    # Beta(3, 3) has variance 1/28.
    assert micro.loc[("mini", 1), "precision_error"] == pytest.approx((1 / 28) ** 0.5)
    # r: one of three, Beta(2, 3), variance 1/25; s: one of one, Beta(2, 1), variance 1/18.
    assert table.loc[("mini", 1), "precision_error"] == pytest.approx((1 / 25 + 1 / 18) ** 0.5 / 2)
    alone = queries.layer_measures(worked, Question("p", ("mini",)), "micro")
    assert alone["facts"].tolist() == [5, 5]
    assert alone["correct"].tolist() == [3, 3]
    only = queries.layer_measures(worked, Question("p", BOTH, relations=("r",)))
    assert only["facts"].tolist() == [3] * 4
    assert queries.layer_measures(worked, Question("p", ("mini", "nobody"))).empty


def test_prior_worked_out_by_hand(worked: Study) -> None:
    # Shared facts of r: Rome twice (whatever its case) and Oslo; s has one object.
    macro = queries.prior(worked, Question("p", BOTH), "macro").iloc[0]
    assert macro["precision"] == pytest.approx((2 / 3 + 1) / 2)
    assert macro["mrr"] == pytest.approx(((1 + 1 + 1 / 2) / 3 + 1) / 2)
    assert queries.prior(worked, Question("p", BOTH), "micro").iloc[0]["precision"] == pytest.approx(3 / 4)
    none = queries.prior(worked, Question("p", ("nobody",))).iloc[0]
    assert none["facts"] == 0
    assert pd.isna(none["precision"])


def test_forgetting_worked_out_by_hand(worked: Study) -> None:
    last = queries.forgetting(worked, Comparison("p", "mini", "qa-squad", layer=2)).set_index("relation")
    assert last.loc["r"].drop("label").to_dict() == {
        "facts": 3, "right_in_base": 1, "right_in_model": 1, "retained": 0, "forgotten": 1, "learned": 1,
        "left_out": 1,
    }  # fmt: skip
    anywhere = queries.forgetting(worked, Comparison("p", "mini", "qa-squad")).set_index("relation")
    assert anywhere.loc["r", ["retained", "forgotten", "learned"]].tolist() == [1, 1, 0]
    assert anywhere.loc["s", ["retained", "forgotten", "learned"]].tolist() == [0, 1, 0]
    lost = queries.changed_facts(worked, Comparison("p", "mini", "qa-squad", layer=2))
    assert lost[["subject", "base_rank", "model_rank"]].to_numpy().tolist() == [["a", 1, 3], ["e", 1, 2]]
    gained = queries.changed_facts(worked, Comparison("p", "mini", "qa-squad", layer=2), "learned", "r")
    assert gained["subject"].tolist() == ["b"]


@pytest.mark.parametrize("average", ["micro", "macro"])
@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("k", [1, 7, 10, 100])
def test_measures_equal_a_slow_count(
    study: Study, synthetic: Synthetic, average: queries.Average, filtered: bool, k: int
) -> None:
    question = Question("trex", BOTH, "stock", k, filtered, ("P19", "P37") if k == 10 else ())
    check_measures(study, synthetic.ranks, synthetic.facts, question, average)


def check_measures(
    study: Study, ranks: pd.DataFrame, facts: pd.DataFrame, question: Question, average: queries.Average
) -> None:
    found = queries.layer_measures(study, question, average)
    expected = slow.layer_measures(ranks, facts, question, average)
    assert {(row.model, row.layer) for row in found.itertuples()} == set(expected)
    for row in found.itertuples():
        for name, value in expected[row.model, row.layer].items():
            assert getattr(row, name) == pytest.approx(value), name
    if expected:
        prior = queries.prior(study, question, average).iloc[0]
        assert (prior["precision"], prior["mrr"]) == pytest.approx(slow.prior(ranks, facts, question, average))


@pytest.mark.parametrize("layer", [None, 1, 6])
@pytest.mark.parametrize(("k", "filtered"), [(1, False), (10, True)])
def test_forgetting_equals_a_slow_count(
    study: Study, synthetic: Synthetic, layer: int | None, k: int, filtered: bool
) -> None:
    comparison = Comparison("trex", "mini", "qa-squad", "trained", k, layer, filtered)
    check_forgetting(study, synthetic.ranks, synthetic.facts, comparison)


def check_forgetting(study: Study, ranks: pd.DataFrame, facts: pd.DataFrame, comparison: Comparison) -> None:
    found = queries.forgetting(study, comparison).set_index("relation")
    expected = slow.outcomes(ranks, facts, comparison)
    assert set(found.index) == set(expected)
    for relation, groups in expected.items():
        sizes = {name: len(groups[name]) for name in ("retained", "forgotten", "learned", "neither")}
        row = found.loc[relation]
        assert row[["retained", "forgotten", "learned"]].tolist() == list(sizes.values())[:3]
        assert row["facts"] == sum(sizes.values())
        assert row["right_in_base"] == sizes["retained"] + sizes["forgotten"]
        assert row["right_in_model"] == sizes["retained"] + sizes["learned"]
    outcomes: tuple[queries.Outcome, ...] = ("retained", "forgotten", "learned")
    for outcome in outcomes:
        listed = queries.changed_facts(study, comparison, outcome)
        assert sorted(listed["fact"]) == sorted(fact for groups in expected.values() for fact in groups[outcome])


fact_rows = st.tuples(
    st.sampled_from("rst"), st.sampled_from("abcd"), st.sampled_from(["Rome", "Oslo", "rome", "Bonn"])
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    facts=st.lists(fact_rows, min_size=1, max_size=12, unique_by=lambda fact: (fact[0], fact[1], fact[2].lower())),
    data=st.data(),
)
def test_random_studies(facts: list[tuple[str, str, str]], data: st.DataObject) -> None:
    asked = {model: data.draw(st.sets(st.sampled_from(range(len(facts)))), label=model) for model in BOTH}
    rank = st.sampled_from([1, 2, 5, 10, 11, 100, 101, 1000])
    ranks = [
        (model, layer, fact, data.draw(rank)) for model in BOTH for fact in sorted(asked[model]) for layer in (1, 2, 3)
    ]
    with tempfile.TemporaryDirectory() as folder:
        study = small_study(Path(folder), facts, ranks)
        table = pd.DataFrame(ranks, columns=["model", "layer", "fact", "rank"]).assign(kind="trained")
        table["filtered_rank"] = (table["rank"].astype(int) - 1).clip(lower=1)
        rows = pd.DataFrame(facts, columns=["relation", "subject", "object"]).assign(probe_set="p")
        rows["fact"] = range(len(rows))
        question = Question("p", BOTH, k=data.draw(st.sampled_from([1, 10, 50])), filtered=data.draw(st.booleans()))
        average: queries.Average = data.draw(st.sampled_from(["micro", "macro"]))
        check_measures(study, table, rows, question, average)
        layer = data.draw(st.sampled_from([None, 1, 3]))
        check_forgetting(study, table, rows, Comparison("p", *BOTH, k=question.k, layer=layer))


def test_relation_measures_add_up_to_the_layers(study: Study) -> None:
    question = Question("trex", BOTH, k=10)
    parts = queries.relation_measures(study, question)
    whole = queries.layer_measures(study, question, "macro")
    means = parts.groupby(["model", "layer"])[["precision", "mrr"]].mean().reset_index()
    merged = whole.merge(means, on=["model", "layer"], suffixes=("", "_mean"))
    assert len(merged) == 12
    assert merged["precision"].tolist() == pytest.approx(merged["precision_mean"].tolist())
    assert merged["mrr"].tolist() == pytest.approx(merged["mrr_mean"].tolist())
    assert set(parts["label"]) >= {"place of birth", "official language <b>of</b> & more"}


def test_catalogue(study: Study, synthetic: Synthetic) -> None:
    assert queries.models(study)["model"].tolist() == ["mini", "qa-squad"]
    assert queries.probe_sets(study)["facts"].tolist() == [50, 40, 109]
    relations = queries.relations(study, "trex").set_index("relation")
    assert relations["facts"].to_dict() == {"P19": 40, "P36": 25, "P37": 35, "P101": 9}
    eligible = synthetic.facts[synthetic.facts["eligible"]].groupby("relation")["fact"].count()
    assert relations["eligible"].to_dict() == eligible[relations.index].to_dict()
    assert len(queries.relations(study)) == 7
    assert len(queries.decoders(study)) == 24
    asked = queries.asked(study)
    assert asked["kind"].tolist()[0] == "trained"
    assert asked.query("probe_set == 'trex'")["facts"].tolist() == [100] * 4


def test_facts_left_out_are_counted_by_reason(study: Study, synthetic: Synthetic) -> None:
    facts = synthetic.facts[~synthetic.facts["eligible"]]
    expected = facts.groupby(["probe_set", "reason"]).size().reset_index(name="facts")
    found = queries.left_out(study)
    assert found.to_dict("records") == expected.to_dict("records")
    asked = queries.probe_sets(study).set_index("probe_set")
    assert (found.set_index("probe_set")["facts"] == asked["facts"] - asked["eligible"]).all()


def test_k_counts_from_one() -> None:
    with pytest.raises(BertnesiaError, match="k is 0"):
        Question("trex", BOTH, k=0)
    with pytest.raises(BertnesiaError, match="k is -1"):
        Comparison("trex", *BOTH, k=-1)


def test_examples_are_known_to_the_base_and_least_to_another_model(study: Study, synthetic: Synthetic) -> None:
    ranks = synthetic.ranks[(synthetic.ranks["kind"] == "trained") & (synthetic.ranks["layer"] == 6)]
    table = ranks.pivot_table(index="fact", columns="model", values="rank").dropna()
    known = table[table["mini"] == 1].join(synthetic.facts.set_index("fact"))
    worst = known.groupby(["probe_set", "relation"])["qa-squad"].max()
    found = queries.examples(study, limit=100)
    assert len(found) == len(worst) > 1
    ranked = known.set_index(["prompt", "object"])["qa-squad"]
    assert [ranked[row.prompt, row.object] for row in found.itertuples()] == sorted(worst, reverse=True)
    assert len(queries.examples(study, limit=1)) == 1
