from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from bertnesia.analysis.paraphrases import at_any_layer, by_relation, overall


def answers(*rows: tuple[str, int, str, int, str], **more: object) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["relation", "fact", "variant", "rank", "prediction"]).assign(**more)


BY_HAND = answers(
    ("born", 1, "plain", 1, "oslo"),
    ("born", 1, "paraphrase_1", 1, "oslo"),
    ("born", 1, "paraphrase_2", 4, "rome"),
    ("born", 2, "plain", 9, "rome"),
    ("born", 2, "paraphrase_1", 9, "rome"),
    ("born", 2, "paraphrase_2", 2, "rome"),
    ("born", 3, "plain", 1, "kiel"),
    ("died", 4, "plain", 1, "bonn"),
    ("died", 5, "plain", 3, "ulm"),
)


def test_one_relation_by_hand() -> None:
    """Fact 3 is asked by one template alone and does not count."""
    born = by_relation(BY_HAND).iloc[0].to_dict()
    assert born == {
        "relation": "born",
        "templates": 3,
        "facts": 2,
        "mean": pytest.approx((1 / 2 + 1 / 2 + 0) / 3),
        "best": 0.5,
        "best_template": "plain",
        "consistency": pytest.approx((1 / 3 + 1) / 2),
        "all_alike": 0.5,
        "agreement": pytest.approx((1 / 3 + 1) / 2),
        "consistent_accuracy": 0.0,
    }


def test_a_wider_k_counts_more_as_right_and_leaves_predictions_alone() -> None:
    born = by_relation(BY_HAND, k=4).iloc[0]
    assert (born["mean"], born["best"], born["best_template"]) == (pytest.approx(4 / 6), 1.0, "paraphrase_2")
    assert born["consistent_accuracy"] == 0.5
    assert born["agreement"] == pytest.approx((1 + 1 / 3) / 2)
    assert born["consistency"] == pytest.approx((1 / 3 + 1) / 2)


def test_one_template_has_no_pairs() -> None:
    died = by_relation(BY_HAND).iloc[1]
    assert (died["templates"], died["facts"], died["mean"], died["best"]) == (1, 2, 0.5, 0.5)
    assert died[["consistency", "all_alike", "agreement", "consistent_accuracy"]].isna().all()


def test_ranks_alone_give_all_but_what_speaks_of_predictions() -> None:
    with_words, without = by_relation(BY_HAND), by_relation(BY_HAND.drop(columns="prediction"))
    words = ["consistency", "all_alike"]
    assert without[words].isna().all(axis=None)
    pd.testing.assert_frame_equal(with_words.drop(columns=words), without.drop(columns=words))


def test_averages_over_relations_and_over_facts() -> None:
    relations = by_relation(BY_HAND)
    macro, micro = overall(relations).iloc[0], overall(relations, "micro").iloc[0]
    assert (macro["relations"], macro["facts"]) == (2, 4)
    assert macro["mean"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert macro["best"] == pytest.approx(0.5)
    assert macro["consistency"] == pytest.approx(2 / 3), "over the one relation that has several templates"
    assert micro["mean"] == pytest.approx((2 * 1 / 3 + 2 * 1 / 2) / 4)


def test_any_layer_takes_the_best_rank_of_each_template() -> None:
    layers = pd.concat(
        [
            answers(("born", 1, "plain", 5, "a"), ("born", 1, "paraphrase_1", 1, "b"), layer=1),
            answers(("born", 1, "plain", 1, "b"), ("born", 1, "paraphrase_1", 7, "a"), layer=2),
        ]
    )
    best = at_any_layer(layers)
    assert list(best["rank"]) == [1, 1]
    assert "layer" not in best.columns
    assert by_relation(best).loc[0, "consistent_accuracy"] == 1
    assert list(by_relation(layers)["consistent_accuracy"]) == [0, 0]


def test_random_answers_against_a_slow_version() -> None:
    random = np.random.default_rng(0)
    rows = [
        (f"r{fact % 3}", fact, f"t{template}", int(random.integers(1, 4)), "abc"[random.integers(3)])
        for fact in range(40)
        for template in range(2 + fact % 3)
        if random.random() < 0.95
    ]
    tables = [answers(*rows, model="m", layer=layer) for layer in (1, 2)]
    found = by_relation(pd.concat(tables), k=2)
    assert len(found) == 6
    for row in found[found["layer"] == 2].to_dict("records"):
        of_relation = [one for one in rows if one[0] == row["relation"]]
        templates = {one[2] for one in of_relation}
        facts = {}
        for _, fact, template, rank, word in of_relation:
            facts.setdefault(fact, {})[template] = (rank <= 2, word)
        whole = [list(one.values()) for one in facts.values() if set(one) == templates]
        assert row["facts"] == len(whole)
        pairs = [[(a, b) for a, b in combinations(one, 2)] for one in whole]
        assert row["consistency"] == pytest.approx(np.mean([np.mean([a[1] == b[1] for a, b in one]) for one in pairs]))
        assert row["agreement"] == pytest.approx(np.mean([np.mean([a[0] == b[0] for a, b in one]) for one in pairs]))
        assert row["all_alike"] == pytest.approx(np.mean([len({word for _, word in one}) == 1 for one in whole]))
        assert row["consistent_accuracy"] == pytest.approx(np.mean([all(right for right, _ in one) for one in whole]))
