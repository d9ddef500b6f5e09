"""Every measure on five facts, four layers and three models: small enough to check by eye."""

import numpy as np
import pandas as pd
import pytest

from bertnesia import findings
from bertnesia.analysis import significance
from bertnesia.store import queries
from bertnesia.store.publish import publish
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import Study, open_study
from tests.store.rich_study import models_table
from tests.store.synthetic_study import arrow, study_table

# Facts 1 to 5 (1, 3, 5 are of one half); 1 to 3 of relation r, 4 and 5 of s. Ranks at layers 1, 2, 3, 4.
FACTS = [(1, "r", "Rome"), (2, "r", "Rome"), (3, "r", "Oslo"), (4, "s", "Bern"), (5, "s", "Lima"), (6, "s", "Kyiv")]
RANKS = {
    ("mini", "trained", 0, "plain"): [(9, 1, 1, 1), (1, 5, 1, 3), (4, 4, 20, 200), (1, 1, 1, 1), (7, 7, 7, 1)],
    ("qa", "trained", 0, "plain"): [(9, 9, 9, 2), (5, 5, 3, 1), (4, 4, 20, 90), (3, 1, 9, 9), (9, 9, 9, 150)],
    ("mini", "trained", 1, "plain"): [(9, 1, 1, 1), (1, 5, 1, 1), (4, 4, 9, 9), (1, 1, 1, 2), (7, 7, 7, 1)],
    ("mini", "trained", 0, "subject_masked"): [(9, 9, 1, 1), (9,) * 4, (9, 9, 9, 1), (9,) * 4, (9,) * 4],
    ("mini", "control", 0, "plain"): [(8,) * 4, (8,) * 4, (8,) * 4, (8,) * 4, (8, 8, 1, 8)],
}  # fmt: skip


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Study:
    facts = pd.DataFrame(FACTS, columns=["fact", "relation", "object"]).assign(
        probe_set="p", subject="x", prompt="[MASK]", eligible=True, reason=""
    )
    rows = [
        (*run, layer, fact, rank, max(1, rank - 1), 1)
        for run, ranks in RANKS.items()
        for fact, row in enumerate(ranks, start=1)
        for layer, rank in enumerate(row, start=1)
    ]
    names = ["model", "kind", "seed", "variant", "layer", "fact", "rank", "filtered_rank", "ties"]
    ranks = pd.DataFrame(rows, columns=names).astype({"seed": "uint8", "layer": "uint8"}).assign(log_probability=-1.0)
    relations = pd.DataFrame({"relation": ["r", "s"]}).assign(
        probe_set="p", label="", description="", template="", type="", source=""
    )
    path = tmp_path_factory.mktemp("five") / "five.duckdb"
    publish(
        path,
        {
            "study": study_table(),
            "models": models_table(),
            "relations": arrow(relations),
            "facts": arrow(facts),
            "ranks": arrow(ranks),
        },
    )
    return open_study(path)


QUESTION = Question("p", ("mini",))
LAST = Comparison("p", "mini", "qa", layer=4)


def test_layers(five: Study) -> None:
    table = queries.layer_measures(five, QUESTION, "micro")
    assert table["correct"].tolist() == [2, 2, 3, 3]
    assert table["left_out"].tolist() == [1] * 4
    macro = queries.layer_measures(five, QUESTION, "macro")
    assert macro["precision"].tolist() == pytest.approx(
        [(1 / 3 + 1 / 2) / 2, (1 / 3 + 1 / 2) / 2, (2 / 3 + 1 / 2) / 2, (1 / 3 + 1) / 2]
    )
    every = queries.layer_measures(five, Question("p", ("mini",), all_facts=True), "micro")
    assert every["precision"].tolist() == pytest.approx([2 / 6, 2 / 6, 3 / 6, 3 / 6])
    assert every["mrr"].iloc[3] == pytest.approx((1 + 1 / 3 + 1 / 200 + 1 + 1) / 6)
    # With one tie each, a rank of 1 becomes 1.5; filtered, ranks of 2 count as 1.
    assert queries.layer_measures(five, Question("p", ("mini",), middle=True))["correct"].tolist() == [0] * 4
    assert queries.layer_measures(five, Question("p", ("qa",), filtered=True))["correct"].tolist() == [0, 1, 0, 2]


def test_totals_and_what_stands_beside_them(five: Study) -> None:
    row = findings.totals(five, QUESTION, "micro").iloc[0]
    # Some layer has facts 1, 2, 4 and 5; the last has 1, 4 and 5.
    assert (row["total_correct"], row["last_correct"], row["facts"]) == (4, 3, 5)
    assert row["intermediate_share"] == pytest.approx((4 - 3) / 4)
    assert (row["best_layer"], row["best"]) == (3, pytest.approx(3 / 5))
    # Facts 2 and 4 choose: of r layers 1 and 3 have one, and the earlier counts; of s all have one, the last counts.
    # On facts 1, 3 and 5 layer 1 of r has none, and layer 4 of s has fact 5.
    assert (row["chosen"], row["chosen_facts"]) == (pytest.approx(1 / 3), 3)
    # The second seed's last layer has facts 1, 2 and 5: with the first, 1, 2, 4 and 5.
    assert (row["seeds"], row["seeds_union"]) == (2, pytest.approx(4 / 5))
    assert (row["masked_union"], row["control_union"]) == (pytest.approx(2 / 5), pytest.approx(1 / 5))
    macro = findings.totals(five, QUESTION, "macro").iloc[0]
    assert (macro["total"], macro["last"]) == pytest.approx(((2 / 3 + 1) / 2, (1 / 3 + 1) / 2))
    assert macro["intermediate_share"] == pytest.approx(1 - (1 / 3 + 1) / (2 / 3 + 1))
    assert (macro["best_layer"], macro["best"]) == (4, pytest.approx((1 / 3 + 1) / 2))
    by_relation = findings.relation_totals(five, QUESTION).set_index("relation")
    assert by_relation["intermediate_share"].tolist() == pytest.approx([0.5, 0.0])
    assert by_relation["best_layer"].tolist() == [3, 4]
    none = findings.totals(five, Question("p", ("qa",)), "micro").iloc[0]
    assert np.isnan([none["seeds_union"], none["masked_union"], none["control_union"]]).all()


def test_when_facts_are_first_known_and_stay_known(five: Study) -> None:
    facts = queries.known_from(five, QUESTION).sort_values("fact")
    assert facts["first"].tolist()[:2] + facts["first"].tolist()[3:] == [2, 1, 1, 4]
    assert facts["stays"].tolist()[0] == 2
    assert pd.isna(facts["first"].iloc[2])
    assert pd.isna(facts["stays"].iloc[1])  # known at layers 1 and 3, not at the last
    table = queries.first_known(five, QUESTION).set_index("layer")
    assert table.loc[[1, 2, 4], "first"].tolist() == [2, 1, 1]
    assert table.loc[[1, 2, 4], "stays"].tolist() == [1, 1, 1]
    assert table[table.index.isna()][["first", "stays"]].iloc[0].tolist() == [1, 2]


def test_priors(five: Study) -> None:
    # Rome is the answer to two of three facts of r; s has two objects once each, of which Bern comes first.
    assert queries.prior(five, QUESTION, "macro")["precision"].item() == pytest.approx((2 / 3 + 1 / 2) / 2)
    table = findings.above_prior(five, QUESTION, "micro").set_index("layer")
    # At the last layer the masked prompts have facts 1 and 3, the true ones 1, 4 and 5: two more and one less.
    row = table.loc[4]
    assert (row["precision"], row["prior"], row["above"]) == pytest.approx((3 / 5, 2 / 5, 1 / 5))
    half = 1.959964 * ((3 / 7 + 2 / 7 - (1 / 7) ** 2) / 7) ** 0.5
    assert (row["low"], row["high"]) == pytest.approx((1 / 7 - half, 1 / 7 + half), abs=1e-6)
    assert row["p"] == 1  # one against two: 2 · (1 + 3) / 8
    total = table[table.index.isna()].iloc[0]
    assert total["above"] == pytest.approx(4 / 5 - 2 / 5)
    assert findings.above_prior(five, QUESTION, against="subject_swapped").empty
    by_relation = findings.above_prior_by_relation(five, QUESTION).query("layer == 4").set_index("relation")
    assert by_relation["above"].tolist() == pytest.approx([1 / 3 - 2 / 3, 1.0])


def test_forgetting(five: Study) -> None:
    last = queries.forgetting_by_model(five, Question("p", ("qa",))).set_index("at")
    # mini has 1, 4 and 5 at the last layer, qa has 2. Of the three forgotten only 4 is right at another layer of qa.
    assert last.loc["last", ["retained", "forgotten", "learned", "lost", "buried"]].tolist() == [0, 3, 1, 2, 1]
    # Rank 10: 1 and 4 are within the first 10 somewhere, and so is 5 (9).
    assert last.loc["last", ["lost_10", "buried_10"]].tolist() == [0, 3]
    assert last.loc["total", ["retained", "forgotten", "learned"]].tolist() == [2, 2, 0]
    by_layer = queries.forgetting_by_layer(five, Question("p", ("qa",)))
    assert by_layer["forgotten"].tolist() == [2, 1, 3, 3]
    assert by_layer["learned"].tolist() == [0, 0, 0, 1]
    changes = queries.rank_changes(five, LAST)
    # 1: 1 to 2; 2: 3 to 1; 3: 200 to 90; 4: 1 to 9; 5: 1 to 150.
    assert changes["facts"].tolist() == [1, 0, 2, 0, 1, 0, 1]


def test_churn(five: Study) -> None:
    table = queries.churn(five, QUESTION)
    last = table[table["is_last"].fillna(False)].iloc[0]
    assert last[["retained", "forgotten", "learned"]].tolist() == [2, 1, 1]
    total = table[table["at"] == "total"].iloc[0]
    assert total[["retained", "forgotten", "learned"]].tolist() == [4, 0, 0]


def test_wilcoxon(five: Study) -> None:
    row = significance.wilcoxon(queries.signed_ranks(five, LAST)).iloc[0]
    # Quotients: 1: 2 worse; 2: 3 better; 3: 2.2 better; 4: 9 worse; 5: 150 worse. In order 1, 3, 2, 4, 5.
    assert (row["rank_sum_better"], row["rank_sum_worse"]) == (2 + 3, 1 + 4 + 5)
    assert row["rank_biserial"] == pytest.approx((5 - 10) / 15)
    assert row["z"] == pytest.approx((5 - 7.5) / (5 * 6 * 11 / 24) ** 0.5)
