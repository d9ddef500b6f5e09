"""Models against their base and against themselves, against a slow count."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from bertnesia.analysis import significance
from bertnesia.store import queries
from bertnesia.store.queries import OUTCOMES, Comparison, Question
from bertnesia.store.study import Study
from tests.store.plain import Plain, Ranks, at
from tests.store.rich_study import LAYERS, PROBE, Rich


def comparisons() -> Iterator[Comparison]:
    for layer in (None, 2, LAYERS):
        yield Comparison(PROBE, "mini", "qa", k=10, layer=layer)
        yield Comparison(PROBE, "mini", "mlm", layer=layer, filtered=True)
        yield Comparison(PROBE, "mini", "qa", layer=layer, k=2, middle=True, relations=("r", "s"))
    yield Comparison(PROBE, "mini", "qa", "base", k=10)
    yield Comparison(PROBE, "mini", "mini", base_seed=0, seed=1, k=10)
    yield Comparison(PROBE, "qa", "qa", base_variant="subject_masked", k=10, layer=LAYERS)
    yield Comparison(PROBE, "mini", "qa", base_kind="stock", k=10, layer=1)
    yield Comparison(PROBE, "mini", "cut", k=10, filtered=True, middle=True)
    yield Comparison(PROBE, "mini", "qa", k=10, layer=3, among=("mlm", "cut"))
    yield Comparison(PROBE, "mini", "mini", k=10, base_variant="subject_swapped", layer=LAYERS, among=("mini", "mlm"))


@pytest.mark.parametrize("comparison", comparisons(), ids=repr)
def test_outcomes_changes_and_signed_ranks(rich: Study, plain: Plain, comparison: Comparison) -> None:
    before, after = plain.sides(comparison)
    base, model = at(before, comparison.layer), at(after, comparison.layer)
    found = queries.forgetting(rich, comparison)
    scope = plain.by_relation(plain.scope(comparison))
    shared = plain.by_relation(sorted(base.keys() & model.keys()))
    assert set(found["relation"]) == set(shared)
    for row in found.to_dict("records"):
        mine = set(shared[row["relation"]])
        expected = plain.outcomes(_only(base, mine), _only(model, mine), comparison.k)
        assert {name: row[name] for name in OUTCOMES} == {name: expected[name] for name in OUTCOMES}
        assert row["left_out"] == len(scope[row["relation"]]) - len(mine)
    check_by_layer(rich, plain, comparison, before, after)
    check_changes(queries.rank_changes(rich, comparison), base, model)
    check_signed_ranks(rich, plain, comparison, base, model)
    compared = queries.compared(rich, comparison).iloc[0]
    assert compared["facts"] == len(at(before, None).keys() & at(after, None).keys())


def check_by_layer(study: Study, plain: Plain, comparison: Comparison, before: Ranks, after: Ranks) -> None:
    table = queries.outcomes_by_layer(study, comparison)
    changes = queries.rank_changes_by_layer(study, comparison)
    layers = [layer for layer in range(1, LAYERS + 1) if at(before, layer) and at(after, layer)]
    assert sorted(set(table["layer"])) == layers == sorted(set(changes["layer"]))
    for layer in layers:
        expected = plain.outcomes(at(before, layer), at(after, layer), comparison.k)
        summed = table[table["layer"] == layer][list(OUTCOMES)].sum()
        assert summed.to_dict() == {name: expected[name] for name in OUTCOMES}
        check_changes(changes[changes["layer"] == layer], at(before, layer), at(after, layer))


def check_changes(found: pd.DataFrame, base: dict[int, float], model: dict[int, float]) -> None:
    def bin_of(places: float) -> int:
        sign = 1 if places > 0 else -1
        return sign * sum(abs(places) >= edge for edge in (1, 10, 100))

    expected = Counter(bin_of(base[fact] - model[fact]) for fact in base.keys() & model.keys())
    assert found["change"].tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert dict(zip(found["change"], found["facts"], strict=True)) == {n: expected[n] for n in range(-3, 4)}
    assert set(found["of"]) == {sum(expected.values())}


def check_signed_ranks(
    study: Study, plain: Plain, comparison: Comparison, base: dict[int, float], model: dict[int, float]
) -> None:
    found = significance.wilcoxon(queries.signed_ranks(study, comparison)).set_index("relation")
    groups = {"": sorted(base.keys() & model.keys())}
    groups |= plain.by_relation(groups[""])
    assert set(found.index) == set(groups)
    for relation, facts in groups.items():
        row = found.loc[relation]
        assert row["facts"] == len(facts)
        # Rounded, for equal quotients must be equal logarithms; better means a smaller rank.
        change = np.round([np.log(base[fact]) - np.log(model[fact]) for fact in facts], 9)
        assert (row["better"], row["worse"]) == ((change > 0).sum(), (change < 0).sum())
        if (change != 0).any():
            theirs = wilcoxon(change, method="asymptotic", correction=False)
            assert min(row["rank_sum_better"], row["rank_sum_worse"]) == theirs.statistic
            assert row["p"] == pytest.approx(theirs.pvalue)
            assert np.sign(row["z"]) == np.sign(row["rank_sum_better"] - row["rank_sum_worse"])
        else:
            assert row["p"] == 1


@pytest.mark.parametrize("models", [("qa",), ("qa", "mlm")])
@pytest.mark.parametrize("k", [1, 7])
@pytest.mark.parametrize("kind", ["trained", "base"])
def test_models_against_the_base_side_by_side(
    rich: Study, plain: Plain, models: tuple[str, ...], k: int, kind: str
) -> None:
    if kind == "base":
        models = models[:1]
    question = Question(PROBE, models, kind, k)
    whole = Question(PROBE, ("mini", *models), kind, k)
    shared = set(plain.shared(whole))
    runs = {model: {fact: plain.run(model, whole)[fact] for fact in shared} for model in whole.models}
    by_layer = queries.forgetting_by_layer(rich, question)
    assert len(by_layer) == len(models) * LAYERS
    for row in by_layer.to_dict("records"):
        sides = at(runs["mini"], row["layer"]), at(runs[row["model"]], row["layer"])
        expected = plain.outcomes(*sides, k)
        assert {name: row[name] for name in OUTCOMES} == {name: expected[name] for name in OUTCOMES}
        assert row["left_out"] == 28 - len(shared)
    check_by_model(queries.forgetting_by_model(rich, question), plain, runs, k)
    asked: tuple[tuple[int | Literal["last"] | None, int | None], ...] = ((None, None), (3, 3), ("last", LAYERS))
    for named, layer in asked:
        table = queries.forgetting_by_relation(rich, question, named)
        for row in table.to_dict("records"):
            mine = set(plain.by_relation(shared)[row["relation"]])
            sides = _only(at(runs["mini"], layer), mine), _only(at(runs[row["model"]], layer), mine)
            expected = plain.outcomes(*sides, k)
            assert {name: row[name] for name in OUTCOMES} == {name: expected[name] for name in OUTCOMES}
        assert table["facts"].sum() == len(models) * len(shared)


def check_by_model(found: pd.DataFrame, plain: Plain, runs: dict[str, Ranks], k: int) -> None:
    assert len(found) == 2 * (len(runs) - 1)
    for row in found.to_dict("records"):
        layer = LAYERS if row["at"] == "last" else None
        base, model = at(runs["mini"], layer), at(runs[row["model"]], layer)
        expected = plain.outcomes(base, model, k)
        assert {name: row[name] for name in OUTCOMES} == {name: expected[name] for name in OUTCOMES}
        if layer is None:
            assert pd.isna(row["lost"])
            continue
        best = at(runs[row["model"]], None)
        forgotten = [fact for fact in base if base[fact] <= k < model[fact]]
        assert row["buried"] == sum(best[fact] <= k for fact in forgotten)
        assert row["lost"] == len(forgotten) - row["buried"]
        assert row["buried_10"] == sum(best[fact] <= 10 for fact in forgotten)
        assert row["lost_10"] == len(forgotten) - row["buried_10"]


def test_lost_and_buried_by_relation_add_up(rich: Study) -> None:
    table = queries.lost_and_buried(rich, Comparison(PROBE, "mini", "mlm"))
    whole = queries.forgetting_by_model(rich, Question(PROBE, ("mlm",))).set_index("at").loc["last"]
    assert table["forgotten"].sum() == whole["forgotten"] > 0
    for name in ("lost", "buried", "lost_10", "buried_10"):
        assert table[name].sum() == whole[name]
    assert (table["lost"] + table["buried"]).equals(table["forgotten"])
    by_relation = queries.forgetting(rich, Comparison(PROBE, "mini", "mlm", layer=LAYERS)).set_index("relation")
    assert table.set_index("relation")["forgotten"].to_dict() == by_relation["forgotten"].to_dict()


def test_churn_is_between_two_decoder_seeds(rich: Study, plain: Plain) -> None:
    question = Question(PROBE, ("mini", "qa", "mlm"), k=10)
    found = queries.churn(rich, question)
    # mini's second seed has all layers, qa's the last alone, mlm has none.
    assert found[found["model"] == "mini"]["layer"].astype(object).where(lambda s: s.notna(), None).tolist() == [
        1, 2, 3, 4, None
    ]  # fmt: skip
    assert found[found["model"] == "qa"][["at", "layer"]].to_numpy().tolist() == [["layer", 4]]
    assert "mlm" not in set(found["model"])
    for row in found.to_dict("records"):
        layer = None if pd.isna(row["layer"]) else int(row["layer"])
        runs = [plain.ranks((row["model"], "trained", seed, "plain")) for seed in (0, 1)]
        shared = set(plain.shared(question))
        expected = plain.outcomes(*(_only(at(run, layer), shared) for run in runs), 10)
        assert {name: row[name] for name in OUTCOMES} == {name: expected[name] for name in OUTCOMES}
        assert row["left_out"] == 28 - expected["facts"]
    of_mini = found[found["model"] == "mini"].reset_index(drop=True)
    pd.testing.assert_frame_equal(queries.churn(rich, question, of=("mini",)), of_mini, check_dtype=False)
    assert queries.churn(rich, Question(PROBE, ("mlm",))).empty
    assert list(queries.churn(rich, Question(PROBE, ("mlm",)))) == list(found)


def test_churn_per_relation(rich: Study, plain: Plain) -> None:
    question = Question(PROBE, ("mini", "qa", "mlm"), k=10)
    found = queries.churn_by_relation(rich, question)
    added = found.groupby(["model", "at", "layer"], dropna=False)[list(OUTCOMES)].sum()
    whole = queries.churn(rich, question).set_index(["model", "at", "layer"])[list(OUTCOMES)]
    assert added.sort_index().to_numpy().tolist() == whole.sort_index().to_numpy().tolist()
    for row in found.to_dict("records"):
        layer = None if pd.isna(row["layer"]) else int(row["layer"])
        runs = [plain.ranks((row["model"], "trained", seed, "plain")) for seed in (0, 1)]
        mine = {fact for fact in plain.shared(question) if plain.facts[fact]["relation"] == row["relation"]}
        expected = plain.outcomes(*(_only(at(run, layer), mine) for run in runs), 10)
        assert {name: row[name] for name in OUTCOMES} == {name: expected[name] for name in OUTCOMES}


def test_outcomes_by_coverage(rich: Study, plain: Plain, rich_tables: Rich) -> None:
    comparison = Comparison(PROBE, "mini", "qa", k=10, layer=LAYERS)
    before, after = (at(side, LAYERS) for side in plain.sides(comparison))
    mentions = dict(zip(rich_tables.coverage["fact"], rich_tables.coverage["mentions"], strict=True))
    found = queries.coverage_outcomes(rich, comparison, "SQuAD").set_index("mentioned")
    for mentioned in (False, True):
        facts = {fact for fact, count in mentions.items() if (count > 0) == mentioned}
        expected = plain.outcomes(_only(before, facts), _only(after, facts), 10)
        assert found.loc[mentioned, list(OUTCOMES)].to_dict() == {name: expected[name] for name in OUTCOMES}
    shared = before.keys() & after.keys()
    assert found.loc[True, "mentions"] == sum(mentions.get(fact, 0) for fact in shared)
    assert queries.coverage_outcomes(rich, comparison, "another text").empty
    row = queries.corpora(rich).query("probe_set == @PROBE").iloc[0]
    in_set = [fact for fact in mentions if plain.facts[fact]["probe_set"] == PROBE]
    assert (row["facts"], row["mentioned"]) == (len(in_set), sum(mentions[fact] > 0 for fact in in_set))


def test_changed_facts_stop_at_the_limit(rich: Study) -> None:
    comparison = Comparison(PROBE, "mini", "qa", k=10)
    all_of_them = queries.changed_facts(rich, comparison)
    assert len(all_of_them) > 2
    assert queries.changed_facts(rich, comparison, limit=2).equals(all_of_them[:2])


def _only(ranks: dict[int, float], facts: set[int]) -> dict[int, float]:
    return {fact: rank for fact, rank in ranks.items() if fact in facts}
