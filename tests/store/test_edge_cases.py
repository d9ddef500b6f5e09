"""Nothing, one fact, everything right, nothing right, no fact in common: every function answers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bertnesia import findings
from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import Study, open_study
from tests.store.plain import Plain, at
from tests.store.rich_study import PROBE, Rich, make_rich, publish_rich
from tests.store.test_layer_queries import check_clusters, check_first_known, check_halves, check_layers, check_totals
from tests.store.test_pair_queries import check_changes, check_signed_ranks

QUESTION = Question(PROBE, ("mini", "qa"))
COMPARISON = Comparison(PROBE, "mini", "qa")


def publish(folder: Path, rich: Rich) -> Study:
    publish_rich(folder / "rich.duckdb", rich)
    return open_study(folder / "rich.duckdb")


def answers(
    study: Study, question: Question = QUESTION, comparison: Comparison = COMPARISON
) -> dict[str, pd.DataFrame]:
    """What every function says."""
    tuned = Question(question.probe_set, ("qa",), question.kind, question.k)
    found = {
        name: getattr(queries, name)(study, question)
        for name in ("compared", "layer_measures", "relation_measures", "half_measures", "prior", "relation_totals",
                     "first_known", "known_from", "clusters", "total_clusters", "model_layers", "churn")
    }  # fmt: skip
    found |= {
        name: getattr(queries, name)(study, tuned)
        for name in ("forgetting_by_layer", "forgetting_by_relation", "forgetting_by_model")
    }
    found |= {
        name: getattr(queries, name)(study, comparison)
        for name in ("forgetting", "outcomes_by_layer", "lost_and_buried", "rank_changes", "rank_changes_by_layer",
                     "signed_ranks", "changed_facts", "steps", "shares")
    }  # fmt: skip
    found["coverage_outcomes"] = queries.coverage_outcomes(study, comparison, "SQuAD")
    found |= {
        name: getattr(findings, name)(study, question)
        for name in ("totals", "best_layers", "layer_intervals", "above_prior", "above_prior_by_relation", "headlines")
    }
    found |= {
        "by_relation": findings.relation_totals(study, question),
        "micro": findings.totals(study, question, "micro"),
    }
    found |= {"falls_first": findings.falls_first(study, comparison), "by_seed": findings.by_seed(study, comparison)}
    found |= {"controls": queries.controls(study, tuned), "by_control": findings.by_control(study, comparison)}
    found["robustness"] = findings.robustness(study, question.probe_set)
    return found


@pytest.mark.parametrize("probe_set", ["p", "nothing"])
def test_without_facts(tmp_path: Path, probe_set: str) -> None:
    whole = make_rich()
    study = publish(tmp_path, Rich(whole.facts[:0], whole.ranks[:0], whole.coverage[:0]))
    found = answers(study, Question(probe_set, ("mini", "qa")), Comparison(probe_set, "mini", "qa"))
    told = {"compared", "prior", "rank_changes"}
    assert {name for name, table in found.items() if not table.empty} == told
    assert found["compared"].iloc[0].tolist() == [0, 0, 0, 0]
    assert found["prior"]["precision"].isna().all()
    assert found["rank_changes"]["facts"].tolist() == [0] * 7
    assert all(len(table.columns) > 1 for name, table in found.items()), "columns stay"


def test_one_fact(tmp_path: Path) -> None:
    rich = make_rich(3, {"r": 1})
    assert rich.facts.query("probe_set == @PROBE")["eligible"].all()
    study = publish(tmp_path, rich)
    found = answers(study)
    assert set(found["layer_measures"]["facts"]) == {1}
    assert found["layer_intervals"][["low", "high"]].isna().all().all(), "one object says nothing of others"
    row = found["totals"].iloc[0]
    assert row["total"] in {0.0, 1.0}
    assert np.isnan(row["intermediate_share"]) == (row["total"] == 0)
    assert found["forgetting"]["facts"].tolist() == [1]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("rank", [1, 900])
def test_all_right_and_none_right(tmp_path: Path, rank: int) -> None:
    rich = make_rich()
    ranks = rich.ranks.assign(rank=np.int32(rank), filtered_rank=np.int32(rank), ties=np.int32(0))
    study = publish(tmp_path, Rich(rich.facts, ranks, rich.coverage))
    found = answers(study)
    share = float(rank == 1)
    assert set(found["layer_measures"]["precision"]) == {share}
    totals = found["totals"]
    assert set(totals["total"]) == set(totals["last"]) == set(totals["best"]) == {share}
    assert totals["intermediate_share"].tolist() == (
        [0.0, 0.0] if rank == 1 else [pytest.approx(np.nan, nan_ok=True)] * 2
    )
    assert totals["best_layer"].isna().all() == (rank > 1)
    counts = found["forgetting"]
    assert counts[["forgotten", "learned"]].to_numpy().sum() == 0
    assert counts["retained"].sum() == (counts["facts"].sum() if rank == 1 else 0)
    best = found["best_layers"]
    assert not best["intermediate_paper"].any()
    assert not best["doubles_paper"].any()
    assert found["signed_ranks"]["changed"].sum() == 0
    falls = found["falls_first"]
    assert falls["step"].isna().all()
    assert falls["drop"].tolist() == [0.0] * 4
    micro = found["micro"].iloc[0]
    assert (micro["total_low"] < share < 1) or (share < micro["total_high"]) or share == 1
    assert micro["total_low"] <= share <= micro["total_high"]


def test_facts_of_one_model_only(tmp_path: Path) -> None:
    rich = make_rich()
    odd = rich.ranks["fact"] % 2 == 1
    ranks = rich.ranks[odd == rich.ranks["model"].str.startswith("qa")]
    study = publish(tmp_path, Rich(rich.facts, ranks, rich.coverage))
    found = answers(study)
    told = {name for name, table in found.items() if not table.empty}
    assert told == {"compared", "prior", "rank_changes", "model_layers", "robustness", "controls"}
    row = found["compared"].iloc[0]
    assert row["facts"] == 0
    assert row["left_out"] == 28 > row["eligible_in_some"] > 0
    alone = queries.layer_measures(study, Question(PROBE, ("qa",)))
    assert alone["facts"].iloc[0] > 0
    every = queries.layer_measures(study, Question(PROBE, ("mini", "qa"), all_facts=True))
    assert set(every["facts"]) == {28}


def test_a_model_without_its_last_layer(rich: Study) -> None:
    row = findings.totals(rich, Question(PROBE, ("cut",), k=10), "micro").iloc[0]
    assert np.isnan([row["last"], row["intermediate_share"], row["last_low"], row["intermediate_share_high"]]).all()
    assert row["total"] > 0
    macro = findings.totals(rich, Question(PROBE, ("cut",), k=10), "macro").iloc[0]
    assert np.isnan([macro["last"], macro["intermediate_share"], macro["last_low"]]).all()
    best = findings.best_layers(rich, Question(PROBE, ("cut",), k=10))
    assert best["last"].isna().all()
    assert best["intermediate_paper"].isna().all()
    at_last = queries.forgetting_by_model(rich, Question(PROBE, ("cut",), k=10))
    assert at_last["at"].tolist() == ["total"]
    gap = queries.first_known(rich, Question(PROBE, ("cut",), "stock", 10))
    assert 2 not in set(gap["layer"].dropna())
    assert 4 in set(queries.layer_measures(rich, Question(PROBE, ("cut",), "stock"))["layer"])


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.dictionaries(st.sampled_from("rst"), st.integers(1, 9), min_size=1),
    k=st.sampled_from([1, 3, 10, 100]),
    models=st.sampled_from([("mini",), ("mini", "mlm"), ("mini", "qa", "qa-50")]),
    options=st.fixed_dictionaries({name: st.booleans() for name in ("filtered", "middle", "all_facts")}),
)
def test_random_studies(
    tmp_path: Path, seed: int, sizes: dict[str, int], k: int, models: tuple[str, ...], options: dict[str, bool]
) -> None:
    rich = make_rich(seed, sizes)
    plain = Plain(rich.facts, rich.ranks)
    question = Question(PROBE, models, k=k, **options)  # type: ignore[arg-type]
    assume(plain.shared(question))  # without a fact in common there is no row
    study = publish(tmp_path, rich)
    check_layers(study, plain, question, "macro")
    check_totals(study, plain, question)
    check_first_known(study, plain, question)
    check_clusters(study, plain, question)
    if not options["all_facts"]:
        check_halves(study, plain, question)
    comparison = Comparison(PROBE, "mini", models[-1], k=k, filtered=options["filtered"], middle=options["middle"])
    before, after = (at(side, None) for side in plain.sides(comparison))
    check_changes(queries.rank_changes(study, comparison), before, after)
    check_signed_ranks(study, plain, comparison, before, after)
