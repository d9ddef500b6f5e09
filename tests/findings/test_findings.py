"""Findings of a study with everything in it, against slow counts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bertnesia import findings
from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import Study, open_study
from tests.store.plain import Plain, at, mean
from tests.store.rich_study import LAYERS, PROBE, make_rich, publish_rich

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

PAIR = Question(PROBE, ("mini", "qa"), k=10)


@pytest.mark.parametrize("average", ["micro", "macro"])
@pytest.mark.parametrize("models", [("mini", "qa"), ("qa", "mlm", "mini")])
def test_totals(rich: Study, plain: Plain, models: tuple[str, ...], average: queries.Average) -> None:
    question = Question(PROBE, models, k=10)
    table = findings.totals(rich, question, average)
    facts = plain.shared(question)
    assert set(table["model"]) == set(models)
    for row in table.to_dict("records"):
        run = {fact: plain.run(row["model"], question)[fact] for fact in facts}
        right = {name: {fact: float(rank <= 10) for fact, rank in at(run, layer).items()}
                 for name, layer in (("last", LAYERS), ("total", None))}  # fmt: skip
        last, total = (plain.averaged(right[name], facts, average) for name in ("last", "total"))
        assert (row["last"], row["total"]) == pytest.approx((last, total))
        assert row["intermediate_share"] == pytest.approx((total - last) / total)
        layers = plain.layers(question, average)
        assert row["best"] == pytest.approx(max(layers[row["model"], layer][2] for layer in range(1, LAYERS + 1)))
        assert layers[row["model"], row["best_layer"]][2] == pytest.approx(row["best"])
        assert row["chosen"] == pytest.approx(chosen(plain, run, average))
        assert row["left_out"] == 28 - len(facts)
        for name in ("last", "total", "intermediate_share"):
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
            assert row[f"{name}_low"] < row[f"{name}_high"]


def chosen(plain: Plain, run: dict[int, dict[int, float]], average: str) -> float:
    """The layer best on a relation's even facts, the last among equals, else the earliest, scored on the odd ones."""
    shares, right, of = [], 0, 0
    for facts in plain.by_relation(run).values():
        even, odd = ([fact for fact in facts if fact % 2 == half] for half in (0, 1))
        counts = {layer: sum(run[fact][layer] <= 10 for fact in even) for layer in range(1, LAYERS + 1)}
        most = max(counts.values())
        layer = LAYERS if counts[LAYERS] == most else min(layer for layer in counts if counts[layer] == most)
        here = sum(run[fact][layer] <= 10 for fact in odd)
        right, of = right + here, of + len(odd)
        shares += [here / len(odd)] if odd else []
    return right / of if average == "micro" else mean(shares)


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_above_the_masked_and_the_swapped_subject(rich: Study, plain: Plain, average: queries.Average) -> None:
    table = findings.above_prior(rich, PAIR, average)
    facts = plain.shared(PAIR)
    assert len(table) == 2 * (LAYERS + 1)
    for row in table.to_dict("records"):
        layer = None if pd.isna(row["layer"]) else row["layer"]
        scores = []
        for variant in ("plain", "subject_masked"):
            ranks = at(plain.ranks((row["model"], "trained", 0, variant)), layer)
            scores.append(plain.averaged({fact: float(ranks[fact] <= 10) for fact in facts}, facts, average))
        assert (row["precision"], row["prior"]) == pytest.approx(tuple(scores))
        assert row["above"] == pytest.approx(scores[0] - scores[1])
        assert row["low"] <= row["above"] <= row["high"]
        assert row["facts"] == len(facts)
    swapped = findings.above_prior(rich, PAIR, average, "subject_swapped")
    assert swapped[["model", "layer"]].to_numpy().tolist() == [["mini", LAYERS]], "the last layer alone was asked so"


def test_masked_prompts_of_the_last_layer_alone_make_no_total(rich: Study) -> None:
    table = findings.above_prior(rich, Question(PROBE, ("mlm",), k=10))
    assert table["layer"].tolist() == [LAYERS]
    assert np.isnan(findings.totals(rich, Question(PROBE, ("mlm",), k=10))["masked_union"].item())


@pytest.mark.parametrize("measure", ["precision", "mrr"])
@pytest.mark.parametrize("average", ["micro", "macro"])
def test_layer_intervals_surround_the_measures(rich: Study, measure: queries.Measure, average: queries.Average) -> None:
    question = Question(PROBE, ("qa", "mini"), k=10)
    table = findings.layer_intervals(rich, question, average, measure)
    expected = queries.layer_measures(rich, question, average).set_index(["model", "layer"])
    assert len(table) == len(expected)
    for row in table.itertuples():
        assert row.value == pytest.approx(expected.loc[(row.model, row.layer), measure])
        assert row.low <= row.value <= row.high


def test_which_layer_falls_first(rich: Study, plain: Plain) -> None:
    comparison = Comparison(PROBE, "mini", "qa", "base", k=10)
    table = findings.falls_first(rich, comparison).set_index("layer")
    names = ("mini", "qa-10", "qa-50", "qa")
    whole = comparison.of_models(*names)
    facts = plain.shared(whole)
    for layer in range(1, LAYERS + 1):
        shares = [mean([float(plain.run(name, whole)[fact][layer] <= 10) for fact in facts]) for name in names]
        drop = shares[0] - shares[-1]
        assert table.loc[layer, "drop"] == pytest.approx(drop)
        steps = [
            step for step, share in zip((0, 10, 50, 100), shares, strict=True) if shares[0] - share >= drop / 2 - 1e-9
        ]
        assert table.loc[layer, "step"] == pytest.approx(steps[0] if drop > 0 else np.nan, nan_ok=True)
        if drop > 0:
            assert table.loc[layer, "low"] <= table.loc[layer, "step"] <= table.loc[layer, "high"]
    assert 0 < table["first"].sum() <= 1 + 1e-9
    assert findings.falls_first(rich, Comparison(PROBE, "mini", "mlm")).empty


def test_fine_tuning_seeds_side_by_side(rich: Study) -> None:
    table = findings.by_seed(rich, Comparison(PROBE, "mini", "qa", k=10))
    assert table[["model", "at", "fine_tuning_seed"]].to_numpy().tolist() == [
        ["qa", "last", 0], ["qa-again", "last", 1], ["qa", "total", 0], ["qa-again", "total", 1]
    ]  # fmt: skip
    assert set(findings.by_seed(rich, Comparison(PROBE, "mini", "mlm"))["model"]) == {"mlm"}
    other = findings.by_seed(rich, Comparison(PROBE, "mini", "qa", seed=1))
    assert set(other["model"]) == {"qa"}, "the other run was not asked with these decoders"


def test_controls_beside_a_model_on_the_same_facts(rich: Study) -> None:
    comparison = Comparison(PROBE, "mini", "qa", k=10)
    table = findings.by_control(rich, comparison)
    assert table[["model", "label", "at"]].to_numpy().tolist() == [
        ["qa-sham", "QA-SHAM", "last"], ["qa-sham", "QA-SHAM", "total"]
    ]  # fmt: skip
    names = list(queries.OUTCOMES)
    beside = queries.forgetting_by_model(rich, comparison.of_models("qa", "qa-sham")).query("model == 'qa-sham'")
    assert table[names].to_numpy().tolist() == beside[names].to_numpy().tolist()
    assert findings.by_control(rich, Comparison(PROBE, "mini", "qa", "stock")).empty


def test_churn_is_averaged_as_forgetting_is(rich: Study) -> None:
    question = Question(PROBE, ("mini",))
    table = findings.headlines(rich, question, "macro").set_index(["finding", "model", "at"]).sort_index()
    counts = queries.churn_by_relation(rich, question).query("layer == 4")
    known = (counts["right_in_base"] / counts["facts"]).mean()
    lost = (counts["forgotten"] / counts["facts"]).mean()
    row = table.loc[("churn", "mini", "last")]
    assert row["value"] == pytest.approx(lost / known)
    assert row["value"] != pytest.approx(counts["forgotten"].sum() / counts["right_in_base"].sum())
    assert pd.isna(row["count"])


def test_headlines_are_those_of_the_single_queries(rich: Study) -> None:
    table = findings.headlines(rich, PAIR, "micro").set_index(["finding", "reading", "model", "at"]).sort_index()
    last = queries.forgetting_by_model(rich, Question(PROBE, ("qa",), k=10)).set_index("at").loc["last"]
    rate = table.loc[("forgetting_rate", "", "qa", "last")]
    assert rate["value"] == pytest.approx(last["forgotten"] / last["right_in_base"])
    assert rate["low"] < rate["value"] < rate["high"]
    change = table.loc[("net_change", "", "qa", "last")]
    assert change["value"] == pytest.approx((last["learned"] - last["forgotten"]) / last["facts"])
    assert change["left_out"] == last["left_out"]
    control = queries.forgetting_by_model(rich, Question(PROBE, ("qa-sham",), k=10)).set_index("at").loc["last"]
    null = table.loc[("control", "", "qa-sham", "last")]
    assert null["value"] == pytest.approx(control["forgotten"] / control["right_in_base"])
    assert null["low"] < null["value"] < null["high"]
    lost = table.loc[("lost", "", "qa", "last")]
    assert (lost["count"], lost["of"]) == (last["lost"], last["forgotten"])
    churn = queries.churn(rich, PAIR).query("model == 'mini' and layer == 4").iloc[0]
    own = table.loc[("churn", "", "mini", "last")]
    assert (own["count"], own["of"]) == (churn["forgotten"], churn["right_in_base"])
    share = table.loc[("intermediate_share", "", "mini", "")]
    assert share["value"] == pytest.approx(findings.totals(rich, PAIR, "micro")["intermediate_share"].iloc[0])
    best = findings.best_layers(rich, PAIR).query("model == 'mini'")
    paper = table.loc[("best_in_intermediate_layer", "paper", "mini", "")]
    assert (paper["count"], paper["of"]) == (best["intermediate_paper"].sum(), len(best))
    assert ("best_in_intermediate_layer", "ours", "mini", "") not in table.index  # no relation has 50 facts
    above = findings.above_prior(rich, PAIR, "micro").query("model == 'qa' and layer == 4").iloc[0]
    assert table.loc[("above_prior", "", "qa", "last"), "value"] == pytest.approx(above["above"])


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_headlines_of_models_of_different_depths(tmp_path: Path, average: queries.Average) -> None:
    """Each model's last layer is its own, as in `forgetting_by_model`."""
    rich = make_rich()
    ranks = rich.ranks[(rich.ranks["model"] != "cut") | (rich.ranks["layer"] <= 3)]
    publish_rich(tmp_path / "rich.duckdb", replace(rich, ranks=ranks), {"cut": 3})
    study = open_study(tmp_path / "rich.duckdb")
    found = findings.headlines(study, Question(PROBE, ("mini", "qa", "cut"), k=10), average)
    rates = found[(found["finding"] == "forgetting_rate") & (found["at"] == "last")].set_index("model")["value"]
    counts = queries.forgetting_by_model(study, Question(PROBE, ("qa", "cut"), k=10)).query("at == 'last'")
    assert set(rates.index) == set(counts["model"]) == {"qa", "cut"}
    if average == "micro":
        assert rates.to_dict() == pytest.approx(
            {row.model: row.forgotten / row.right_in_base for row in counts.itertuples()}
        )
    lost = found[found["finding"] == "lost"].set_index("model")
    assert (rates[lost.index] > 0).all()


def test_headlines_stand_beside_the_paper(rich: Study) -> None:
    table = findings.headlines(rich, PAIR)
    quoted = table.query("finding == 'intermediate_share'").set_index("model")
    assert quoted.loc["mini", ["published_low", "published_high"]].tolist() == [0.17, 0.60]
    assert "2010.09313" in quoted.loc["mini", "source"]
    assert np.isnan(quoted.loc["qa", "published_low"]), "the paper's figure is of its base"
    doubles = table.query("finding == 'doubles_in_last_layer' and model == 'mini'")
    assert doubles["published"].tolist() == [0.15]
