"""The Forgetting page shows the numbers of an independent count."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bertnesia.store.queries import Comparison
from tests.app.conftest import OpenPage, figures, set_segment
from tests.app.test_layers_page import values
from tests.store import slow
from tests.store.synthetic_study import Synthetic, publish_synthetic


def check_page(app: AppTest, synthetic: Synthetic, comparison: Comparison) -> None:
    outcomes = slow.outcomes(synthetic.ranks, synthetic.facts, comparison)
    sizes = {
        relation: {name: len(groups[name]) for name in ("retained", "forgotten", "learned", "neither")}
        for relation, groups in outcomes.items()
    }
    sums = {name: sum(size[name] for size in sizes.values()) for name in ("retained", "forgotten", "learned")}
    facts = sum(sum(size.values()) for size in sizes.values())
    base = sums["retained"] + sums["forgotten"]
    net = f"{100 * (sums['learned'] - sums['forgotten']) / facts:+.1f} %".replace("-", "−")
    assert [metric.value for metric in app.metric] == [
        f"{100 * base / facts:.1f} %",
        f"{100 * (sums['retained'] + sums['learned']) / facts:.1f} %",
        f"{100 * sums['forgotten'] / base:.1f} %",
        net,
    ]
    (figure,) = figures(app)
    shares = [size["forgotten"] / sum(size.values()) for size in sizes.values()]
    (bars,) = [trace for trace in figure["data"] if trace["name"] == "forgotten"]
    assert values(bars["x"]) == pytest.approx(sorted(shares, reverse=True))
    table = app.dataframe[0].value
    assert table["forgotten"].sum() == sums["forgotten"]
    assert len(table) == len(sizes)


def test_the_first_view_is_over_all_layers(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("forgetting")
    assert [title.value for title in app.title] == ["Forgetting"]
    check_page(app, synthetic, Comparison("trex", "mini", "qa-squad"))


def test_every_control_counts(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("forgetting")
    app.selectbox(key="at").set_value("4")
    app.toggle(key="filtered").set_value(True)
    set_segment(app, "right", "rank ≤ 10")
    set_segment(app, "decoder", "stock")
    app.run()
    comparison = Comparison("trex", "mini", "qa-squad", "stock", 10, 4, filtered=True)
    check_page(app, synthetic, comparison)


def test_an_address_sets_the_controls(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("forgetting", at="6", probe_set="google_re", outcome="learned")
    comparison = Comparison("google_re", "mini", "qa-squad", layer=6)
    check_page(app, synthetic, comparison)
    outcomes = slow.outcomes(synthetic.ranks, synthetic.facts, comparison)
    assert len(app.dataframe[1].value) == sum(len(groups["learned"]) for groups in outcomes.values())


@pytest.mark.parametrize("outcome", ["forgotten", "learned", "retained"])
def test_the_list_holds_the_facts_of_one_outcome_and_relation(
    open_page: OpenPage, synthetic: Synthetic, outcome: str
) -> None:
    app = open_page("forgetting")
    set_segment(app, "outcome", outcome)
    app.selectbox(key="relation").set_value("P19").run()
    facts = slow.outcomes(synthetic.ranks, synthetic.facts, Comparison("trex", "mini", "qa-squad"))["P19"][outcome]
    prompts = synthetic.facts.set_index("fact").loc[facts, "prompt"]
    assert sorted(app.dataframe[1].value["prompt"]) == sorted(prompts)


def test_an_outcome_without_facts_says_so(open_page: OpenPage, synthetic: Synthetic) -> None:
    outcomes = slow.outcomes(synthetic.ranks, synthetic.facts, Comparison("trex", "mini", "qa-squad"))
    assert outcomes["P101"]["learned"] == []
    app = open_page("forgetting", relation="P101", outcome="learned")
    assert len(app.dataframe) == 1
    assert any("No fact was learned" in one.value for one in app.markdown)


def test_a_base_that_knows_nothing_has_no_rate(open_page: OpenPage, synthetic: Synthetic, tmp_path: Path) -> None:
    ranks = synthetic.ranks.assign(rank=2, filtered_rank=2)
    publish_synthetic(tmp_path / "nothing.duckdb", replace(synthetic, ranks=ranks))
    app = open_page("forgetting", study=tmp_path / "nothing.duckdb")
    assert [tile.value for tile in app.metric][:3] == ["0.0 %", "0.0 %", "–"]
    assert "no interval; n = 0" in [caption.value for caption in app.caption]


def test_relations_are_tested_in_pairs_with_correction(open_page: OpenPage, synthetic: Synthetic) -> None:
    table = open_page("forgetting").dataframe[0].value
    raw = []
    for row in table.itertuples():
        n, low = row.forgotten + row.learned, min(row.forgotten, row.learned)
        tail = sum(math.comb(n, k) for k in range(low + 1)) / 2**n
        assert row.p == pytest.approx(min(1.0, 2 * tail))
        raw.append(row.p)
    order = sorted(range(len(raw)), key=raw.__getitem__)
    corrected, worst = [0.0] * len(raw), 0.0
    for place, index in enumerate(order):
        worst = max(worst, min(1.0, (len(raw) - place) * raw[index]))
        corrected[index] = worst
    assert table["p_holm"].tolist() == pytest.approx(corrected)
