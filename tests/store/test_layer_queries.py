"""Layers and totals of a study with everything in it, against a slow count."""

from collections import Counter
from collections.abc import Iterator
from itertools import product

import pandas as pd
import pytest

from bertnesia.store import queries
from bertnesia.store.queries import Question
from bertnesia.store.study import Study
from tests.store.plain import Plain, at, known, mean
from tests.store.rich_study import LAYERS, PROBE, Rich

SAME = ("mini", "qa")
MIXED = ("mini", "qa", "mlm")


def questions() -> Iterator[Question]:
    """Every path through the statements: summaries and ranks, one and several fact sets, every option."""
    for models, k, filtered in product((SAME, MIXED), (1, 7, 10), (False, True)):
        yield Question(PROBE, models, "trained", k, filtered)
    yield Question(PROBE, MIXED, k=10, all_facts=True)
    yield Question(PROBE, MIXED, k=2, all_facts=True, relations=("r", "t"))
    yield Question(PROBE, SAME, k=10, middle=True)
    yield Question(PROBE, MIXED, k=1, middle=True, filtered=True)
    yield Question(PROBE, SAME, k=2, middle=True, filtered=True)
    yield Question(PROBE, SAME, "base", k=10)
    yield Question(PROBE, ("mini",), seed=1)
    yield Question(PROBE, SAME, variant="paraphrase_1", relations=("s",))
    yield Question(PROBE, ("cut", "mini"), "stock", 10)


@pytest.mark.parametrize("question", questions(), ids=repr)
def test_layers_totals_halves_and_first_layers(rich: Study, plain: Plain, question: Question) -> None:
    for average in ("micro", "macro"):
        check_layers(rich, plain, question, average)
    check_relations(rich, plain, question)
    check_totals(rich, plain, question)
    check_first_known(rich, plain, question)
    check_clusters(rich, plain, question)
    if not question.all_facts:
        check_halves(rich, plain, question)


def check_layers(study: Study, plain: Plain, question: Question, average: queries.Average) -> None:
    expected = plain.layers(question, average)
    found = queries.layer_measures(study, question, average)
    assert {(row.model, row.layer) for row in found.itertuples()} == set(expected)
    for row in found.itertuples():
        facts, correct, precision, mrr = expected[row.model, row.layer]
        assert (row.facts, row.correct) == (facts, correct)
        assert (row.precision, row.mrr) == pytest.approx((precision, mrr))
        assert row.left_out == len(plain.scope(question)) - facts


def check_relations(study: Study, plain: Plain, question: Question) -> None:
    found = queries.relation_measures(study, question)
    scope = plain.by_relation(plain.scope(question))
    for (relation,), rows in found.groupby(["relation"]):
        alone = Question(**{**_fields(question), "relations": (str(relation),)})
        expected = plain.layers(alone, "micro")
        whole = plain.shared(question) if not question.all_facts else plain.scope(question)
        assert len(rows) == len(expected)
        for row in rows.itertuples():
            facts, correct, precision, mrr = expected[row.model, row.layer]
            assert facts == len(plain.by_relation(whole)[str(relation)])
            assert (row.facts, row.correct, row.left_out) == (facts, correct, len(scope[str(relation)]) - facts)
            assert (row.precision, row.mrr) == pytest.approx((precision, mrr))


def check_totals(study: Study, plain: Plain, question: Question) -> None:
    facts = plain.by_relation(plain.scope(question) if question.all_facts else plain.shared(question))
    for row in queries.relation_totals(study, question).to_dict("records"):
        group = facts[row["relation"]]
        assert row["facts"] == len(group)
        run = plain.run(row["model"], question)
        last = at(run, LAYERS)
        total = at(run, None)
        assert row["last_correct"] == sum(last.get(fact, 9e9) <= question.k for fact in group)
        assert row["total_correct"] == sum(total.get(fact, 9e9) <= question.k for fact in group)
        assert (row["last_facts"] > 0) == (row["model"] != "cut" or question.kind == "stock")
        for union, expected in _unions(plain, question, row["model"]).items():
            measured = [fact for fact in group if fact in expected]
            assert row[f"{union}_correct"] == sum(expected[fact] <= question.k for fact in measured), union
            anywhere = any(fact in expected for found in facts.values() for fact in found)
            whole = anywhere and question.all_facts
            assert row[f"{union}_facts"] == (len(group) if whole else len(measured)), union


def _unions(plain: Plain, question: Question, model: str) -> dict[str, dict[int, float]]:
    """Each fact's best rank in the unions that need no deeper layers, where they were measured."""
    kind = "trained" if question.kind == "base" and model == "mini" else question.kind
    options = {"filtered": question.filtered, "middle": question.middle}
    seeds = [run for run in plain.runs if run[:2] == (model, kind) and run[3] == question.variant]
    each = [at(plain.ranks(run, **options), LAYERS) for run in seeds]
    over = {fact: min(one[fact] for one in each) for fact in each[0] if all(fact in one for one in each)}
    over = over if len(each) > 1 else {}
    masked = plain.ranks((model, kind, question.seed, "subject_masked"), **options)
    control = plain.ranks((model, "control", question.seed, question.variant), **options)
    whole = {name: run for name, run in (("masked", masked), ("control", control)) if _has_all_layers(run)}
    return {"seeds": over, "masked": at(whole.get("masked", {}), None), "control": at(whole.get("control", {}), None)}


def _has_all_layers(run: dict[int, dict[int, float]]) -> bool:
    return {layer for ranks in run.values() for layer in ranks} == set(range(1, LAYERS + 1))


def check_first_known(study: Study, plain: Plain, question: Question) -> None:
    found = queries.first_known(study, question)
    per_fact = queries.known_from(study, question, limit=10_000)
    for model in question.models:
        run = plain.run(model, question)
        facts = [fact for fact in plain.scope(question) if fact in run]
        facts = facts if question.all_facts else plain.shared(question)
        expected = {fact: known(run[fact], question.k) for fact in facts}
        mine = per_fact[per_fact["model"] == model].set_index("fact")
        assert set(mine.index) == set(expected)
        for fact, (first, stays) in expected.items():
            assert _or_none(mine.loc[fact, "first"]) == first
            assert _or_none(mine.loc[fact, "stays"]) == stays
        rows = found[found["model"] == model]
        assert set(rows["facts"]) == {len(facts)}
        for place, name in enumerate(("first", "stays")):
            counts = Counter(layers[place] for layers in expected.values())
            assert {_or_none(row["layer"]): row[name] for row in rows.to_dict("records") if row[name]} == counts


def check_clusters(study: Study, plain: Plain, question: Question) -> None:
    columns = [(row.model, row.layer) for row in queries.model_layers(study, question).itertuples()]
    facts = plain.scope(question) if question.all_facts else plain.shared(question)
    groups: dict[tuple[str, str], list[int]] = {}
    for fact in facts:
        row = plain.facts[fact]
        groups.setdefault((row["relation"], row["object"]), []).append(fact)
    runs = {model: plain.run(model, question) for model in question.models}
    here = {key: {fact: run[fact][key[1]] for fact in facts if fact in run}
            for key in columns for run in [runs[key[0]]]}  # fmt: skip
    right = sorted(
        (relation, len(group), *(sum(here[key].get(fact, 9e9) <= question.k for fact in group) for key in columns))
        for (relation, _), group in groups.items()
    )
    found = dense(queries.clusters(study, question), len(columns))
    assert sorted((row.relation, row.facts, *row.sums) for row in found.itertuples()) == right
    inverse = dense(queries.clusters(study, question, "mrr"), len(columns))
    expected = [sum(1 / here[key][fact] for fact in facts if fact in here[key]) for key in columns]
    assert [sum(column) for column in zip(*inverse["sums"], strict=True)] == pytest.approx(expected)
    totals = dense(queries.total_clusters(study, question), 2 * len(question.models))
    whole = queries.relation_totals(study, question).set_index("model")
    assert len(totals) == len(groups)
    for place, model in enumerate(question.models):
        pairs = [(sums[2 * place], sums[2 * place + 1]) for sums in totals["sums"]]
        mine = whole.loc[[model]]
        assert tuple(map(sum, zip(*pairs, strict=True))) == (mine["last_correct"].sum(), mine["total_correct"].sum())


def dense(table: pd.DataFrame, columns: int) -> pd.DataFrame:
    """The table with all of its sums, zeros as well."""
    rows = []
    for row in table.itertuples():
        known = dict(zip(row.places, row.sums, strict=True))
        rows.append([known.get(place, 0) for place in range(columns)])
    return table.assign(sums=rows)


def check_halves(study: Study, plain: Plain, question: Question) -> None:
    found = queries.half_measures(study, question)
    facts = plain.by_relation(plain.shared(question))
    assert found["facts"].sum() == sum(
        len(plain.shared(question)) * len({layer for ranks in plain.run(model, question).values() for layer in ranks})
        for model in question.models
    )
    for row in found.to_dict("records"):
        run = plain.run(row["model"], question)
        half = [fact for fact in facts[row["relation"]] if fact % 2 == row["half"]]
        right = [fact for fact in half if run[fact][row["layer"]] <= question.k]
        assert (row["facts"], row["correct"]) == (len(half), len(right))
        assert row["with_last"] == sum(run[fact].get(LAYERS, 9e9) <= question.k for fact in right)


def test_the_number_left_out_is_told(rich: Study, plain: Plain) -> None:
    question = Question(PROBE, MIXED)
    row = queries.compared(rich, question).iloc[0]
    some = {fact for model in MIXED for fact in plain.run(model, question)} & set(plain.scope(question))
    shared = plain.shared(question)
    assert row.to_dict() == {
        "all_facts": 28, "facts": len(shared), "left_out": 28 - len(shared), "eligible_in_some": len(some) - len(shared)
    }  # fmt: skip
    assert 0 < row["eligible_in_some"] < row["left_out"]
    pair = queries.compared(rich, queries.Comparison(PROBE, "mini", "mlm")).iloc[0]
    assert pair["facts"] == len(plain.shared(Question(PROBE, ("mini", "mlm"))))


def test_the_prior_of_all_facts_counts_those_that_cannot_be_asked_as_wrong(rich: Study, plain: Plain) -> None:
    question = Question(PROBE, ("mini",), all_facts=True)
    scope = plain.by_relation(plain.scope(question))
    asked = plain.by_relation(plain.shared(question))
    expected = []
    for relation, facts in scope.items():
        counts = Counter(plain.facts[fact]["object"] for fact in asked[relation])
        expected.append(max(counts.values()) / len(facts))
    found = queries.prior(rich, question, "macro").iloc[0]
    assert found["precision"] == pytest.approx(mean(expected))
    assert found["facts"] == 28


def test_runs_tell_of_every_role_seed_and_variant(rich: Study, rich_tables: Rich) -> None:
    found = queries.runs(rich)
    keys = ["model", "kind", "seed", "variant"]
    expected = rich_tables.ranks.merge(rich_tables.facts, on="fact").groupby([*keys, "probe_set"])
    assert len(found) == expected.ngroups
    for row in found.to_dict("records"):
        rows = expected.get_group(tuple(row[name] for name in [*keys, "probe_set"]))
        assert (row["facts"], row["layers"]) == (rows["fact"].nunique(), rows["layer"].nunique())
    assert set(queries.asked(rich)["model"]) == {"mini", "qa", "mlm", "cut"}


def _fields(question: Question) -> dict[str, object]:
    return {name: getattr(question, name) for name in Question.__dataclass_fields__}


def _or_none(layer: object) -> int | None:
    return None if pd.isna(layer) else int(layer)  # type: ignore[call-overload]
