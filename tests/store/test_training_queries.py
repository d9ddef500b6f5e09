"""Along a fine-tuning run and with less data."""

import pytest

from bertnesia.store import queries
from bertnesia.store.queries import OUTCOMES, Comparison
from bertnesia.store.study import Study
from tests.store.plain import Plain, at
from tests.store.rich_study import LAYERS, PROBE


@pytest.mark.parametrize("kind", ["trained", "base"])
def test_steps_go_from_the_base_to_the_model(rich: Study, plain: Plain, kind: str) -> None:
    comparison = Comparison(PROBE, "mini", "qa", kind, k=10)
    table = queries.steps(rich, comparison)
    assert table[["model", "step", "progress"]].drop_duplicates().to_numpy().tolist() == [
        ["mini", 0, 0.0], ["qa-10", 10, 0.1], ["qa-50", 50, 0.5], ["qa", 100, 1.0]
    ]  # fmt: skip
    models = queries.step_models(rich, comparison)
    assert models == ("mini", "qa-10", "qa-50", "qa")
    whole = comparison.of_models(*models)
    shared = plain.shared(whole)
    assert len(table) == 4 * LAYERS
    for row in table.to_dict("records"):
        sides = [
            at({fact: plain.run(name, whole)[fact] for fact in shared}, row["layer"]) for name in ("mini", row["model"])
        ]
        expected = plain.outcomes(sides[0], sides[1], 10)
        assert {name: row[name] for name in OUTCOMES} == {name: expected[name] for name in OUTCOMES}
        assert row["left_out"] == 28 - len(shared)


def test_shares_of_the_data(rich: Study, plain: Plain) -> None:
    table = queries.shares(rich, Comparison(PROBE, "mini", "qa", k=10))
    assert table[["model", "share", "matched"]].drop_duplicates().to_numpy().tolist() == [
        ["qa-part", 0.1, "epochs"], ["qa-less", 0.1, "steps"], ["qa", 1.0, ""]
    ]  # fmt: skip
    assert len(table) == 3 * LAYERS
    question = Comparison(PROBE, "mini", "qa", k=10).of_models("mini", "qa", "qa-part", "qa-less")
    shared = plain.shared(question)
    row = table[(table["model"] == "qa-part") & (table["layer"] == 2)].iloc[0]
    sides = [at({fact: plain.run(name, question)[fact] for fact in shared}, 2) for name in ("mini", "qa-part")]
    expected = plain.outcomes(sides[0], sides[1], 10)
    assert row[list(OUTCOMES)].to_dict() == {name: expected[name] for name in OUTCOMES}


def test_a_run_that_was_not_probed_on_its_way(rich: Study) -> None:
    for comparison in (Comparison(PROBE, "mini", "mlm"), Comparison(PROBE, "mini", "qa", "stock")):
        assert queries.steps(rich, comparison).empty
        assert queries.step_models(rich, comparison) == ()
        assert queries.shares(rich, comparison).empty
        assert {"step", "progress", "layer", *OUTCOMES} <= set(queries.steps(rich, comparison))
