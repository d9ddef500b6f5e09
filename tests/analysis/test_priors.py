"""Knowledge above the prior: by hand, and against facts one by one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bertnesia.analysis.priors import above

COLUMNS = ["layer", "relation", "facts", "right_in_base", "right_in_model", "forgotten", "learned"]


def counts(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def test_two_relations_by_hand() -> None:
    # With the subject 6 of 10 and 1 of 2; without it 3 of 10 (1 of them not with it) and 1 of 2.
    table = counts((4, "r", 10, 3, 6, 1, 4), (4, "s", 2, 1, 1, 0, 0))
    micro, macro = above(table, "micro").iloc[0], above(table, "macro").iloc[0]
    assert (micro["layer"], micro["facts"], micro["relations"]) == (4, 12, 2)
    assert micro[["precision", "prior", "above"]].tolist() == pytest.approx([7 / 12, 4 / 12, 3 / 12])
    assert macro[["precision", "prior", "above"]].tolist() == pytest.approx([0.55, 0.4, 0.15])
    assert micro["p"] == macro["p"] == pytest.approx(2 * (1 + 5) / 2**5)  # one against four
    # Bonett and Price: (5 - 2) / 14 ± 1.96 √((7/14 - (3/14)²) / 14).
    half = 1.959964 * ((7 / 14 - (3 / 14) ** 2) / 14) ** 0.5
    assert micro[["low", "high"]].tolist() == pytest.approx([3 / 14 - half, 3 / 14 + half], abs=1e-6)
    # Over relations: variances (7/12 - (3/12)²) / 12 and (2/4 - 0) / 4, around the mean difference.
    half = 1.959964 * ((7 / 12 - (3 / 12) ** 2) / 12 + (2 / 4) / 4) ** 0.5 / 2
    assert macro[["low", "high"]].tolist() == pytest.approx([0.15 - half, 0.15 + half], abs=1e-6)


def test_layers_in_order_and_the_total_last() -> None:
    table = counts((2, "r", 4, 1, 2, 0, 1), (1, "r", 4, 0, 0, 0, 0), (None, "r", 4, 1, 3, 0, 2))
    found = above(table, "micro")
    assert found["layer"].tolist()[:2] == [1, 2]
    assert found["layer"].isna().tolist() == [False, False, True]
    assert found["above"].tolist() == [0, 1 / 4, 2 / 4]


def test_everything_nothing_and_no_facts() -> None:
    table = above(counts((1, "r", 30, 0, 30, 0, 30), (2, "r", 30, 0, 0, 0, 0)), "macro")
    assert table["above"].tolist() == [1, 0]
    assert table["high"].iloc[0] == 1
    assert table["low"].iloc[0] > 0.85
    assert table["p"].tolist() == pytest.approx([2 / 2**30, 1])
    assert above(counts()[:0], "micro").empty


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_random_facts_one_by_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 60))
    facts = pd.DataFrame(
        {"relation": random.choice(list("rst"), n), "with": random.random(n) < 0.5, "without": random.random(n) < 0.3}
    )
    rows = [
        (1, relation, len(mine), mine["without"].sum(), mine["with"].sum(), (mine["without"] & ~mine["with"]).sum(),
         (mine["with"] & ~mine["without"]).sum())
        for relation, mine in facts.groupby("relation")
    ]  # fmt: skip
    micro, macro = (above(counts(*rows), average).iloc[0] for average in ("micro", "macro"))
    assert micro["above"] == pytest.approx(facts["with"].mean() - facts["without"].mean())
    by_relation = facts.groupby("relation")[["with", "without"]].mean().mean()
    assert macro["above"] == pytest.approx(by_relation["with"] - by_relation["without"])
    changed = facts[facts["with"] != facts["without"]]
    p = stats.binomtest(int(changed["with"].sum()), len(changed)).pvalue if len(changed) else 1.0
    assert micro["p"] == pytest.approx(p)
    for row in (micro, macro):
        assert -1 <= row["low"] <= row["above"] <= row["high"] <= 1
