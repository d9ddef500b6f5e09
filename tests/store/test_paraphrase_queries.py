"""Paraphrases of a stored study: by hand, and against pandas over its ranks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bertnesia.analysis.paraphrases import at_any_layer, by_relation, overall
from bertnesia.store import queries
from bertnesia.store.publish import publish
from bertnesia.store.queries import Question
from bertnesia.store.study import Study, open_study
from tests.store.rich_study import models_table
from tests.store.synthetic_study import arrow, study_table

COMPARED = ["templates", "facts", "mean", "best", "best_template", "agreement", "consistent_accuracy"]
Rows = list[tuple[str, str, int, int, int]]
"""Model, variant, layer, fact, rank."""


def publish_ranks(path: Path, rows: Rows, relation_of: dict[int, str]) -> Study:
    """A study of these ranks; each has one tie, and a filtered rank that is better by one."""
    ranks = pd.DataFrame(rows, columns=["model", "variant", "layer", "fact", "rank"]).assign(
        kind="trained", seed=np.uint8(0), ties=1, log_probability=-1.0
    )
    ranks["filtered_rank"] = np.maximum(1, ranks["rank"] - 1)
    facts = pd.DataFrame({"fact": list(relation_of), "relation": list(relation_of.values())}).assign(
        probe_set="p", subject="x", object="y", prompt="[MASK]", eligible=True, reason=""
    )
    relations = pd.DataFrame({"relation": sorted(set(relation_of.values()))}).assign(
        probe_set="p", label="", description="", template="", type="", source=""
    )
    tables = {"relations": relations, "facts": facts, "ranks": ranks.astype({"layer": "uint8"})}
    publish(
        path,
        {"study": study_table(), "models": models_table(), **{name: arrow(table) for name, table in tables.items()}},
    )
    return open_study(path)


def in_pandas(rows: Rows, relation_of: dict[int, str], models: tuple[str, ...], k: int) -> pd.DataFrame:
    """The same measures by `by_relation`, of the facts that each template of each model asks."""
    ranks = pd.DataFrame(rows, columns=["model", "variant", "layer", "fact", "rank"])
    ranks = ranks[ranks["model"].isin(models)]
    ranks["relation"] = ranks["fact"].map(relation_of)
    ways = ranks.assign(way=ranks["model"] + ranks["variant"])
    of_relation = ways.groupby("relation")["way"].transform("nunique")
    everywhere = ranks[ways.groupby("fact")["way"].transform("nunique") == of_relation]
    asked_of_all = everywhere.groupby("relation")["model"].transform("nunique") == len(models)
    shared = everywhere[asked_of_all]
    return pd.concat([by_relation(shared, k), by_relation(at_any_layer(shared), k)], ignore_index=True)


def test_by_hand(tmp_path: Path) -> None:
    relation_of = {1: "born", 2: "born", 3: "born", 4: "died"}
    # Ranks at layers 1 and 2. Fact 1 is right in all words at layer 2, fact 2 in one; one template alone asks fact 3.
    ranks = {
        (1, "plain"): (9, 1), (1, "paraphrase_1"): (1, 1), (1, "paraphrase_2"): (9, 1),
        (2, "plain"): (9, 9), (2, "paraphrase_1"): (9, 9), (2, "paraphrase_2"): (9, 1),
        (3, "plain"): (1, 1), (4, "plain"): (1, 2),
    }  # fmt: skip
    rows = [
        ("mini", variant, layer, fact, rank)
        for (fact, variant), at_layers in ranks.items()
        for layer, rank in enumerate(at_layers, start=1)
    ]
    study = publish_ranks(tmp_path / "a.duckdb", rows, relation_of)
    table = queries.paraphrases(study, Question("p", ("mini",)))
    born = table[table["relation"] == "born"].set_index(table.loc[table["relation"] == "born", "layer"].fillna(0))
    assert born.loc[2, COMPARED].tolist() == pytest.approx(
        [3, 2, (1 / 2 + 1 / 2 + 1) / 3, 1.0, "paraphrase_2", (1 + 1 / 3) / 2, 1 / 2]
    )
    assert born.loc[1, COMPARED].tolist() == pytest.approx(
        [3, 2, (1 / 2) / 3, 1 / 2, "paraphrase_1", (1 / 3 + 1) / 2, 0.0]
    )
    assert born.loc[0, "consistent_accuracy"] == 1 / 2
    assert born["left_out"].tolist() == [1, 1, 1]
    died = table[table["relation"] == "died"]
    assert died["mean"].tolist() == [1.0, 0.0, 1.0]
    assert died[["consistency", "all_alike", "agreement", "consistent_accuracy"]].isna().all(axis=None)
    micro = overall(table, "micro").set_index("layer")
    assert micro.loc[2, "mean"] == pytest.approx((2 * 2 / 3 + 1 * 0) / 3)
    assert micro["facts"].tolist() == [3, 3, 3], "the row without a layer is kept"
    filtered = queries.paraphrases(study, Question("p", ("mini",), filtered=True))
    assert filtered.loc[filtered["relation"] == "died", "mean"].tolist() == [1.0, 1.0, 1.0]
    middle = queries.paraphrases(study, Question("p", ("mini",), middle=True))
    assert set(middle["mean"]) == {0.0}
    assert set(middle.loc[middle["relation"] == "born", "agreement"]) == {1.0}


def test_nothing_asked(tmp_path: Path) -> None:
    study = publish_ranks(tmp_path / "a.duckdb", [("mini", "plain", 1, 1, 1)], {1: "born"})
    assert queries.paraphrases(study, Question("p", ("qa",))).empty
    assert queries.paraphrases(study, Question("p", ("mini", "qa"))).empty
    assert queries.paraphrases(study, Question("p", ())).empty
    assert queries.paraphrases(study, Question("another", ("mini",))).empty
    assert queries.paraphrases(study, Question("p", ("mini",), relations=("died",))).empty
    assert queries.paraphrases(study, Question("p", ("mini",)))["best_template"].tolist() == ["plain", "plain"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    models=st.sampled_from([("mini",), ("qa", "mini")]),
    k=st.sampled_from([1, 3, 10]),
    templates=st.integers(1, 4),
)
def test_random_studies_are_those_of_pandas(
    tmp_path: Path, seed: int, models: tuple[str, ...], k: int, templates: int
) -> None:
    random = np.random.default_rng(seed)
    relation_of = {fact: f"r{random.integers(0, 3)}" for fact in range(1, 25)}
    variants = ["plain", *(f"paraphrase_{number}" for number in range(1, templates))]
    rows = [
        (model, variant, layer, fact, int(random.integers(1, 6)))
        for model in ("mini", "qa")
        for variant in variants
        for fact in relation_of
        if random.random() < 0.9
        for layer in (1, 2, 3)
    ]
    expected = in_pandas(rows, relation_of, models, k)
    assume(len(expected))
    study = publish_ranks(tmp_path / "random.duckdb", rows, relation_of)
    found = queries.paraphrases(study, Question("p", models, k=k))
    keys = ["model", "relation", "layer"]
    both = [
        table.assign(layer=table["layer"].fillna(0).astype(int)).sort_values(keys).reset_index(drop=True)
        for table in (found, expected)
    ]
    pd.testing.assert_frame_equal(both[0][keys + COMPARED], both[1][keys + COMPARED], check_dtype=False)
