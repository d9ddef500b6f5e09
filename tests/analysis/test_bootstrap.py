"""The clustered bootstrap: its means by hand, its spread against theory and against resampling one by one."""

import numpy as np
import pandas as pd
import pytest

from bertnesia.analysis.bootstrap import Clusters, interval, mean, percentile_interval, read_clusters, resample

TABLE = pd.DataFrame(
    {
        "relation": ["s", "r", "r"],
        "answer": [3, 1, 2],
        "facts": [5, 3, 1],
        "places": [[0], [0, 1], [1]],
        "sums": [[5.0], [3.0, 1.0], [1.0]],
    }
)


def test_means_by_hand() -> None:
    clusters = read_clusters(TABLE, 2)
    assert clusters.relation.tolist() == [0, 0, 1]
    assert mean(clusters, "micro") == pytest.approx([8 / 9, 2 / 9])
    assert mean(clusters, "macro") == pytest.approx([(3 / 4 + 1) / 2, (2 / 4 + 0) / 2])
    assert mean(clusters.columns([1]), "macro") == pytest.approx([0.25])


def test_resamples_are_of_whole_clusters_within_relations() -> None:
    # r is drawn as (1, 1), (1, 2), (2, 1) or (2, 2): its first column is 1, 3/4, 3/4 or 0; s has one cluster and stays.
    drawn = resample(read_clusters(TABLE, 2), "macro", draws=4000)
    values, counts = np.unique(drawn[:, 0].round(6), return_counts=True)
    assert values.tolist() == pytest.approx([0.5, 0.875, 1.0])
    assert counts / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)
    assert np.array_equal(drawn, resample(read_clusters(TABLE, 2), "macro", draws=4000))
    assert not np.array_equal(drawn, resample(read_clusters(TABLE, 2), "macro", draws=4000, seed=1))


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_the_spread_is_that_of_a_loop(average: str) -> None:
    random = np.random.default_rng(5)
    relation = np.repeat([0, 1, 2], [20, 8, 30])
    facts = random.integers(1, 6, len(relation)).astype(float)
    clusters = Clusters(relation, facts, random.binomial(facts.astype(int), 0.3)[:, None].astype(float))
    fast = resample(clusters, average, draws=3000)  # type: ignore[arg-type]
    slow = []
    for _ in range(1500):
        picks = [random.choice(np.flatnonzero(relation == r), (relation == r).sum()) for r in range(3)]
        parts = [(clusters.sums[pick, 0].sum(), facts[pick].sum()) for pick in picks]
        sums, sizes = np.array(parts).T
        slow.append(sums.sum() / sizes.sum() if average == "micro" else np.mean(sums / sizes))
    assert fast.mean() == pytest.approx(np.mean(slow), abs=0.005)
    assert fast.std() == pytest.approx(np.std(slow), rel=0.1)


def test_clusters_widen_the_interval() -> None:
    """Twenty objects of fifty facts each, all of an object right or wrong together: twenty facts' worth of evidence."""
    right = np.repeat([50.0, 0.0], 10)[:, None]
    drawn = resample(Clusters(np.zeros(20, dtype=np.int64), np.full(20, 50.0), right), "micro")
    low, high = percentile_interval(drawn)
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * (0.25 / 20) ** 0.5, rel=0.15)


def test_intervals_cover_the_truth() -> None:
    random = np.random.default_rng(2)
    inside = 0
    for _ in range(200):
        chances = random.beta(2, 3, 60)
        right = random.binomial(4, chances).astype(float)
        clusters = Clusters(np.zeros(60, dtype=np.int64), np.full(60, 4.0), right[:, None])
        low, high = percentile_interval(resample(clusters, "micro", draws=300))
        inside += low[0] <= 0.4 <= high[0]
    assert 0.9 <= inside / 200 <= 0.99


def test_where_nothing_varies_the_interval_is_wilsons() -> None:
    clusters = Clusters(np.array([0, 0, 1]), np.array([9.0, 1.0, 10.0]), np.array([[0.0, 9.0], [0.0, 0.0], [0.0, 5.0]]))
    low, high = interval(clusters, "micro")
    assert (low[0], high[0]) == pytest.approx((0, 0.1611), abs=1e-4)  # none of twenty
    assert (low[1], high[1]) == pytest.approx((5 / 12, 23 / 28))  # the second or the first cluster drawn twice


def test_what_cannot_be_resampled_is_missing() -> None:
    one = Clusters(np.array([0, 1]), np.array([3.0, 4.0]), np.array([[1.0], [2.0]]))
    assert np.isnan(percentile_interval(resample(one, "macro"))).all()
    none = read_clusters(TABLE[:0], 2)
    assert resample(none, "macro").shape == (1000, 2)
    assert np.isnan(mean(none, "micro")).tolist() == [True, True]
    assert mean(one, "macro") == pytest.approx([(1 / 3 + 1 / 2) / 2])
