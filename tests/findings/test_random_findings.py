"""Findings of random studies against slow counts: facts in several models and in one, ties, one fact, several k."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from bertnesia import findings
from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import Study, open_study
from tests.store.plain import Plain, at, mean
from tests.store.rich_study import LAYERS, PROBE, make_rich, publish_rich


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking would publish hundreds of studies
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.dictionaries(st.sampled_from("rst"), st.integers(1, 9), min_size=1),
    k=st.sampled_from([1, 5, 10]),
    models=st.sampled_from([("mini",), ("qa", "mini"), ("mlm", "mini")]),
    options=st.fixed_dictionaries({name: st.booleans() for name in ("filtered", "middle")}),
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_random_studies(
    tmp_path: Path, seed: int, sizes: dict[str, int], k: int, models: tuple[str, ...], options: dict[str, bool]
) -> None:
    rich = make_rich(seed, sizes)
    plain = Plain(rich.facts, rich.ranks)
    question = Question(PROBE, models, k=k, **options)
    assume(plain.shared(question))
    publish_rich(tmp_path / "rich.duckdb", rich)
    study = open_study(tmp_path / "rich.duckdb")
    for average in ("micro", "macro"):
        check_totals(study, plain, question, average)
        check_above(study, plain, question, average)
        check_layers(study, plain, question, average)
        check_headlines(study, plain, question, average)
    check_relations(study, plain, question)
    check_seeds(study, plain, Comparison(PROBE, "mini", "qa", k=k, **options))


def ranks_at(plain: Plain, question: Question, model: str, layer: int | None) -> dict[int, float]:
    shared = set(plain.shared(question))
    return {fact: rank for fact, rank in at(plain.run(model, question), layer).items() if fact in shared}


def right_at(plain: Plain, question: Question, model: str, layer: int | None) -> dict[int, float]:
    return {fact: float(rank <= question.k) for fact, rank in ranks_at(plain, question, model, layer).items()}


def check_totals(study: Study, plain: Plain, question: Question, average: queries.Average) -> None:
    facts = plain.shared(question)
    table = findings.totals(study, question, average)
    assert set(table["model"]) == set(question.models)
    for row in table.to_dict("records"):
        model = row["model"]
        last, total = (plain.averaged(right_at(plain, question, model, layer), facts, average)
                       for layer in (LAYERS, None))  # fmt: skip
        assert (row["last"], row["total"]) == pytest.approx((last, total))
        share = (total - last) / total if total else np.nan
        assert row["intermediate_share"] == pytest.approx(share, nan_ok=True)
        assert (row["facts"], row["left_out"]) == (len(facts), len(plain.scope(question)) - len(facts))
        for name in ("last", "total", "intermediate_share"):
            ends = row[f"{name}_low"], row[f"{name}_high"]
            assert np.isnan(ends).all() or ends[0] <= row[name] <= ends[1]


def check_relations(study: Study, plain: Plain, question: Question) -> None:
    groups = plain.by_relation(plain.shared(question))
    table = findings.relation_totals(study, question)
    assert len(table) == len(groups) * len(question.models)
    for row in table.to_dict("records"):
        facts = groups[row["relation"]]
        last, total = (right_at(plain, question, row["model"], layer) for layer in (LAYERS, None))
        assert row["last"] == pytest.approx(mean([last[fact] for fact in facts]))
        assert row["total"] == pytest.approx(mean([total[fact] for fact in facts]))
        right = [right_at(plain, question, row["model"], layer) for layer in range(1, LAYERS + 1)]
        by_layer = [mean([of_layer[fact] for fact in facts]) for of_layer in right]
        assert row["best"] == pytest.approx(max(by_layer))
        assert pd.isna(row["best_layer"]) if max(by_layer) == 0 else row["best_layer"] == np.argmax(by_layer) + 1


def check_layers(study: Study, plain: Plain, question: Question, average: queries.Average) -> None:
    facts = plain.shared(question)
    for row in findings.layer_intervals(study, question, average).itertuples():
        right = right_at(plain, question, row.model, row.layer)
        assert row.value == pytest.approx(plain.averaged(right, facts, average))
        assert np.isnan(row.low) or row.low <= row.value <= row.high
    for row in findings.layer_intervals(study, question, average, "mrr").itertuples():
        inverse = {fact: 1 / rank for fact, rank in ranks_at(plain, question, row.model, row.layer).items()}
        assert row.value == pytest.approx(plain.averaged(inverse, facts, average))


def check_above(study: Study, plain: Plain, question: Question, average: queries.Average) -> None:
    facts = plain.shared(question)
    options = {"filtered": question.filtered, "middle": question.middle}
    expected = {}
    for model in question.models:
        masked = plain.ranks((model, "trained", 0, "subject_masked"), **options)
        layers = sorted({layer for ranks in masked.values() for layer in ranks})
        both = [fact for fact in facts if fact in masked]
        for layer in [*layers, *([None] if len(layers) == LAYERS else [])]:
            prior = {fact: float(rank <= question.k) for fact, rank in at(masked, layer).items()}
            scores = right_at(plain, question, model, layer), prior
            if both:
                expected[model, layer] = [plain.averaged(score, both, average) for score in scores]
    table = findings.above_prior(study, question, average)
    found = {(row.model, None if pd.isna(row.layer) else row.layer): row for row in table.itertuples()}
    assert set(found) == set(expected)
    for key, (precision, prior) in expected.items():
        assert (found[key].precision, found[key].prior) == pytest.approx((precision, prior))
        assert found[key].low <= found[key].above <= found[key].high
    parts = findings.above_prior_by_relation(study, question)
    for (model, layer), rows in parts.groupby(["model", "layer"], dropna=False):
        row = found[model, None if pd.isna(layer) else layer]
        assert rows["facts"].sum() == row.facts
        if average == "macro":
            assert rows["above"].mean() == pytest.approx(row.above)
        else:
            assert (rows["above"] * rows["facts"]).sum() / row.facts == pytest.approx(row.above)


def check_headlines(study: Study, plain: Plain, question: Question, average: queries.Average) -> None:
    table = findings.headlines(study, question, average)
    whole = Question(PROBE, ("mini", *(model for model in question.models if model != "mini")), k=question.k,
                     filtered=question.filtered, middle=question.middle)  # fmt: skip
    facts = plain.shared(whole)
    for model in whole.models[1:]:
        for name, layer in (("last", LAYERS), ("total", None)):
            base, tuned = (right_at(plain, whole, one, layer) for one in ("mini", model))
            lost = {fact: float(base[fact] > tuned[fact]) for fact in facts}
            mine = table[(table["model"] == model) & (table["at"] == name)].set_index("finding")["value"]
            known = plain.averaged(base, facts, average)
            rate = plain.averaged(lost, facts, average) / known if known else np.nan
            assert mine["forgetting_rate"] == pytest.approx(rate, nan_ok=True)
            assert mine["net_change"] == pytest.approx(plain.averaged(tuned, facts, average) - known)


def check_seeds(study: Study, plain: Plain, comparison: Comparison) -> None:
    for other, shown, table in (
        ("qa-again", ("qa", "qa-again"), findings.by_seed(study, comparison)),
        ("qa-sham", ("qa-sham",), findings.by_control(study, comparison)),
    ):
        check_reruns(plain, comparison.of_models("mini", "qa", other), shown, table)


def check_reruns(plain: Plain, question: Question, shown: tuple[str, ...], table: pd.DataFrame) -> None:
    facts = plain.shared(question)
    table = table.set_index(["model", "at"])
    assert set(table.index.get_level_values("model")) <= set(shown)
    for model, (at_name, layer) in ((m, a) for m in shown for a in (("last", LAYERS), ("total", None))):
        base, tuned = (right_at(plain, question, one, layer) for one in ("mini", model))
        expected = plain.outcomes(*({fact: 2.0 - right[fact] for fact in facts} for right in (base, tuned)), 1)
        if facts:
            assert table.loc[(model, at_name), list(queries.OUTCOMES)].to_dict() == {
                name: expected[name] for name in queries.OUTCOMES
            }
