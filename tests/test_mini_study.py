"""The figures in docs/mini-study.md are those of the study and the models that ship."""

import json
import re
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bertnesia import findings
from bertnesia.analysis.forgetting import forgetting_rate, rates
from bertnesia.analysis.measures import percent
from bertnesia.store import queries
from bertnesia.store.queries import Average, Comparison, Question
from bertnesia.store.study import open_study

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/mini-study.md").read_text("utf-8")
SAID = " ".join(PAGE.split())
STUDY = open_study(ROOT / "precomputed/mini.duckdb")
MODELS = {
    "QA-SQUAD": "qa-squad",
    "SHAM-QA": "sham-qa",
    "MLM-SQUAD": "mlm-squad",
    "MLM-CONT": "mlm-cont",
    "MLM-WIKI": "mlm-wiki",
    "RANK-SQUAD": "rank-squad",
    "NER-WNUT": "ner-wnut",
}
SIBLINGS = [name for name in MODELS.values() if name not in ("sham-qa", "mlm-cont", "mlm-wiki")]
AGAIN = {name: f"{name}-seed-1" for name in MODELS.values() if name != "mlm-wiki"}
"""Trained again from another seed."""
READINGS: tuple[tuple[dict[str, Any], Average], ...] = (
    ({}, "micro"),
    ({}, "macro"),
    ({"kind": "base"}, "micro"),
    ({"k": 10}, "micro"),
    ({"k": 100}, "micro"),
)
"""The columns of the table of what is forgotten."""


def row(name: str, section: str) -> list[str]:
    """The cells behind a name in the table of a section."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    (found,) = re.findall(rf"^\| {re.escape(name)} \|(.*)\|$", text, flags=re.MULTILINE)
    return [cell.strip() for cell in found.split("|")]


def forgetting(model: str) -> pd.DataFrame:
    """The model's forgetting rate at the last layer in every reading, with its interval; missing where not asked."""
    rows = []
    for options, average in READINGS:
        counts = queries.forgetting_by_relation(STUDY, Question("atlas", (model,), **options), layer=6)
        rows.append(forgetting_rate(counts, average))
    return pd.DataFrame(rows, columns=["value", "low", "high"])


def churn_of_base(k: int, average: Average) -> float:
    """What a second decoder seed of the base seems to forget at the last layer."""
    table = findings.headlines(STUDY, Question("atlas", (STUDY.base,), k=k), average)
    (rate,) = table.loc[(table["finding"] == "churn") & (table["at"] == "last"), "value"]
    return float(rate)


@pytest.mark.parametrize("label", MODELS)
def test_what_each_forgets(label: str) -> None:
    model = MODELS[label]
    for name, run in ((label, model), (f"{label}, seed 1", AGAIN.get(model))):
        if run:
            rates_of = ["" if pd.isna(rate) else percent(rate) for rate in forgetting(run)["value"]]
            counts = queries.forgetting_by_relation(STUDY, Question("atlas", (run,)), layer=6)
            gained = [str(counts[part].sum()) for part in ("learned", "right_in_model")]
            assert row(name, "What they forget") == [*rates_of, *gained]


def test_what_is_said_of_the_table() -> None:
    tables = {model: forgetting(model) for model in [*MODELS.values(), *AGAIN.values()]}
    found = pd.DataFrame({name: table["value"] for name, table in tables.items()})
    churn = [churn_of_base(k, average) for k, average in ((1, "micro"), (1, "macro"), (10, "micro"), (100, "micro"))]
    told = [percent(rate) for rate in churn]
    again = queries.churn(STUDY, Question("atlas", (STUDY.base,))).query("is_last == True").iloc[0]
    gained = [str(again[part]) for part in ("learned", "right_in_model")]
    assert row("churn of the base", "What they forget") == [*told[:2], "", *told[2:], *gained]
    asked = found.notna()
    runs = {name: [name, again] for name, again in AGAIN.items()}
    for name in (run for sibling in SIBLINGS for run in runs[sibling]):
        assert (tables[name]["low"] > [*churn[:2], churn[0], *churn[2:]])[asked[name]].all(), name
    counts = queries.forgetting_by_relation(STUDY, Question("atlas", ("mlm-squad",), k=100), layer=6)
    assert forgetting_rate(counts, "macro")[0] < churn_of_base(100, "macro"), "over relations"
    most, least = (
        pd.DataFrame({name: getattr(found[mine], end)(axis=1) for name, mine in runs.items()}) for end in ("max", "min")
    )
    others = [name for name in SIBLINGS if name != "qa-squad"]
    assert least["qa-squad"].gt(most[others].max(axis=1))[[3, 4]].all(), "most of the four within 10 and 100 ranks"
    assert (least["ner-wnut"] < least["qa-squad"])[[0, 1]].all()
    assert (most["qa-squad"] < most["ner-wnut"])[[0, 1]].all()
    assert (most["qa-squad"] < least["sham-qa"]).all()
    for name, control in product(runs["mlm-squad"], runs["mlm-cont"]):
        assert tables[name]["low"][0] > found[control][0], "rank 1 over facts"
        assert tables[name]["low"][3] < found[control][3] < tables[name]["high"][3], "within 10 ranks"
        assert (tables[name]["low"][1] > found[control][1]) == (control == "mlm-cont"), "over relations"
    for rank, mlm in zip(runs["rank-squad"], runs["mlm-squad"], strict=True):
        assert found[rank][0] == pytest.approx(found[mlm][0], abs=0.005)
        assert found[rank][3] == pytest.approx(2 * found[mlm][3], rel=0.1)
    assert found["rank-squad"][2] == pytest.approx(2 * found["rank-squad"][0], rel=0.05)
    apart = 100 * (most.loc[0] - least.loc[0])
    assert apart.idxmax() == "ner-wnut"
    assert f"up to {apart.max():.1f} points apart, those of NER-WNUT" in SAID
    assert f"without it, up to {apart.drop('ner-wnut').max():.1f}." in SAID


def test_who_has_more_right_than_the_base() -> None:
    siblings = [run for name in SIBLINGS for run in (name, AGAIN[name])]
    controls = ["mlm-cont", "mlm-cont-seed-1", "mlm-wiki"]
    counts = queries.forgetting_by_model(STUDY, Question("atlas", (*siblings, *controls))).query("at == 'last'")
    table = rates(counts).set_index("model")
    after, learned = table["right_in_model"], table["learned"]
    (before,) = set(table["right_in_base"])
    assert set(table.index[table["net_low"] > 0]) == {"rank-squad", "rank-squad-seed-1", *controls}
    assert f"{after['rank-squad']} and {after['rank-squad-seed-1']} facts, the base has {before}" in SAID
    assert f"MLM-CONT has {after[controls[0]]} and {after[controls[1]]}, MLM-WIKI {after['mlm-wiki']}." in SAID
    assert f"MLM-SQUAD, which has {after['mlm-squad']} and {after['mlm-squad-seed-1']}, falls short" in SAID
    (fewer,) = set(table.index[table["net_high"] < 0])
    assert fewer == "ner-wnut-seed-1"
    assert f"the only sibling's that clearly has fewer: {after[fewer]}." in SAID
    assert f"{learned['mlm-wiki']} facts against {learned[controls[0]]} and {learned[controls[1]]}" in SAID
    by_relation = queries.forgetting_by_relation(STUDY, Question("atlas", tuple(controls)), layer=6)
    cities = by_relation[by_relation["relation"] == "city-in"].set_index("model")
    wiki, one, other = (cities.loc[name, "right_in_model"] for name in ("mlm-wiki", *controls[:2]))
    (at_first,) = set(cities["right_in_base"])
    assert f"it places {wiki} in their country, `mini` {at_first}, the runs of MLM-CONT {one} and {other}." in SAID


def test_what_is_forgotten_on_the_way() -> None:
    """At 5, 25, 50 % and the end of a run of 600 steps, by decoders of its own and by the base's."""
    own = pd.DataFrame()
    for label in (label for label, model in MODELS.items() if model in SIBLINGS):
        counts = {}
        for kind in ("trained", "base"):
            table = queries.steps(STUDY, Comparison("atlas", STUDY.base, MODELS[label], kind))
            counts[kind] = table[table["layer"] == 6].set_index("step")["forgotten"]
            assert set(table.loc[table["layer"] == 6, "right_in_base"]) == {116}
        told = [str(counts[kind][step]) for step in (30, 150, 300, 600) for kind in ("trained", "base")]
        assert row(label, "When it is forgotten") == told
        own[label] = counts["trained"]
    assert (own.loc[150] / own.loc[600]).min() == pytest.approx(2 / 3, abs=0.01)
    seeds = STUDY.query(
        "SELECT list(rank ORDER BY seed) AS ranks FROM ranks "
        "SEMI JOIN (FROM ranks WHERE model = 'ner-wnut-at-5') AS sample USING (fact) "
        "WHERE model = 'mini' AND kind = 'trained' AND variant = 'plain' AND layer = 6 AND seed <= 1 GROUP BY fact"
    )["ranks"]
    churn = sum(first == 1 and second > 1 for first, second in seeds)
    assert f"Churn, what two decoders of `mini` disagree on, is {churn} of them." in SAID
    assert {name for name, lost in own.loc[30].items() if lost <= churn} == {"MLM-SQUAD", "RANK-SQUAD"}
    assert own["NER-WNUT"].is_monotonic_increasing
    assert (counts["base"][60], counts["base"][600], counts["base"][30]) == (113, 85, 86)
    assert counts["base"].idxmax() == 60


def test_what_the_second_runs_learned() -> None:
    scores = STUDY.models().set_index("model")["scores"].map(json.loads)
    words = dict.fromkeys(("qa-squad", "ner-wnut", "sham-qa"), "F1") | {"rank-squad": "MRR@10"}
    words |= dict.fromkeys(("mlm-squad", "mlm-cont"), "accuracy")
    assert words.keys() == AGAIN.keys()
    for model, word in words.items():
        score = word.lower()
        reached = percent(scores[AGAIN[model]][score])
        assert re.search(rf"{model.upper()}(?: reached)? {re.escape(word)} {reached}", SAID), model


def ranks_of_the_base(kind: str = "trained") -> pd.DataFrame:
    """Plain ranks of mini on Atlas: a row for each layer and fact, a column for each of three decoder seeds."""
    table = STUDY.query(
        "SELECT layer, fact, seed, rank FROM ranks "
        "WHERE model = 'mini' AND kind = $kind AND variant = 'plain' AND seed <= 2",
        {"kind": kind},
    )
    return table.pivot_table(index=["layer", "fact"], columns="seed", values="rank")


def test_what_is_said_of_other_decoders_of_the_base() -> None:
    trained, full = ranks_of_the_base(), ranks_of_the_base("full")[0]
    last = trained.loc[6]
    right = (last == 1).sum()
    assert "The three have {}, {} and {} facts of Atlas right at the last layer".format(*right) in SAID
    spans = {}
    for k in (1, 10):
        pairs = [(last[one] <= k, last[other] > k) for one, other in permutations(range(3), 2)]
        spans[k] = sorted(100 * (known & missed).sum() / known.sum() for known, missed in pairs)
        assert len(spans[k]) == 6
    told = "another misses {:.1f} to {:.1f} %, in the six ways to choose the two, within 10 ranks {:.1f} to {:.1f} %."
    assert told.format(spans[1][0], spans[1][-1], spans[10][0], spans[10][-1]) in SAID
    assert f"`full` has {(full.loc[6] == 1).sum()} facts right, nearly as many, but misses" in SAID
    assert f"but misses {((last[0] == 1) & (full.loc[6] > 1)).sum()} of the {right[0]}." in SAID
    somewhere = [percent((ranks.groupby("fact").min() == 1).mean()) for ranks in (full, trained[0])]
    assert "{} are right at some layer ({} with the shared one)".format(*somewhere) in SAID
    decoders = queries.decoders(STUDY).query("model == 'mini' and seed == 0").set_index(["kind", "layer"])
    assert (decoders["loss"].loc["full"] > decoders["loss"].loc["trained"]).all()
    assert decoders["still_improving"].loc["trained"].tolist() == [True] * 5 + [False]


OBJECTIVES = {"QA-SQUAD": "F1", "MLM-SQUAD": "accuracy", "RANK-SQUAD": "MRR@10"}
"""Trained on shares of their data, too."""


def test_how_much_data() -> None:
    """At equal epochs and at equal steps, on a tenth and three tenths of the paragraphs, beside all of them."""
    steps = STUDY.query("SELECT model, max(step) AS step FROM training WHERE run = 'model' GROUP BY model")
    steps = steps.set_index("model")["step"]
    churns = set()
    for label, score in OBJECTIVES.items():
        tables = [queries.shares(STUDY, Comparison("atlas", STUDY.base, MODELS[label], k=k)) for k in (1, 10)]
        first, tenth = (rates(table[table["layer"] == 6]).set_index(["share", "matched"]) for table in tables)
        known = (set(first["right_in_base"]), set(tenth["right_in_base"]))
        assert known == ({116}, {596})
        assert set(first.index) == {*product((0.1, 0.3), ("epochs", "steps")), (1.0, "")}
        churns.add((round(116 * first["churn_of_base"].iloc[0]), round(596 * tenth["churn_of_base"].iloc[0])))
        for share, matched in first.index:
            found = first.loc[(share, matched)]
            name = f"{label}, all" if share == 1 else f"{label}, {share:.0%}, equal {matched}".replace("%", " %")
            learned = percent(json.loads(found["scores"])[score.lower()])
            assert row(name, "How much data") == [
                str(steps[found["model"]]), f"{score} {learned}",
                str(found["forgotten"]), str(tenth.loc[(share, matched), "forgotten"]),
            ], name  # fmt: skip
        for table, k in ((first, 1), (tenth, 10)):
            check_amounts(label, table, k)
    ((one, ten),) = churns
    assert row("churn of the base", "How much data") == ["", "", str(one), str(ten)]


def check_amounts(label: str, table: pd.DataFrame, k: int) -> None:
    """What is said of the table, one objective and k at a time."""
    forgotten = table["forgotten"]
    whole, tenth = table.loc[(1.0, "")], table.loc[(0.1, "steps")]
    assert forgotten[0.1, "epochs"] < forgotten[0.3, "epochs"] < forgotten[1.0, ""]
    if k == 1:
        churn = whole["churn_of_base"]
        told = table.loc[(0.1, "epochs"), "forgetting_low"] > churn
        assert told == (label == "QA-SQUAD"), "told from churn on a tenth"
        assert tenth["forgetting_low"] < whole["forgetting_high"]
        assert tenth["forgetting_high"] > whole["forgetting_low"], "the intervals overlap"
    elif label == "MLM-SQUAD":
        assert tenth["forgetting_low"] > whole["forgetting_high"]
        assert tenth["forgotten"] > 2 * whole["forgotten"]
    elif label == "RANK-SQUAD":
        assert tenth["forgetting_low"] < whole["forgetting_high"]
        assert tenth["forgetting_high"] > whole["forgetting_low"]
    else:
        assert tenth["forgetting_high"] < whole["forgetting_rate"]
        assert tenth["forgetting_rate"] < whole["forgetting_low"]
        assert f"less on a tenth: {tenth['forgotten']} facts, not {whole['forgotten']}" in SAID
    if label == "QA-SQUAD" and k == 1:
        assert forgotten[0.1, "epochs"] / whole["forgotten"] == pytest.approx(2 / 3, abs=0.02)


def test_how_well_the_bases_decoders_read_the_siblings() -> None:
    losses = STUDY.query(
        "SELECT model, kind, loss FROM decoders WHERE layer = 6 AND seed = 0 AND kind IN ('base', 'trained')"
    ).pivot(index="model", columns="kind", values="loss")
    pairs = {name: (f"{row['base']:.2f}", f"{row['trained']:.2f}") for name, row in losses.iterrows()}
    lent, own = pairs["rank-squad"]
    assert f"at the last layer, is {lent} nats, that of RANK-SQUAD's own decoder {own}." in SAID
    told = ", ".join(
        f"{label}{' it is' if label == 'QA-SQUAD' else ''} {pairs[MODELS[label]][0]} against {pairs[MODELS[label]][1]}"
        for label in ("QA-SQUAD", "NER-WNUT", "MLM-SQUAD")
    ).replace(", ", ", in ")
    assert f"In {told}." in SAID


@pytest.mark.parametrize("label", MODELS)
def test_what_each_learned_and_from_how_much(label: str) -> None:
    path = ROOT / "precomputed/models" / MODELS[label] / "bertnesia.json"
    if not path.exists():
        pytest.skip("a control's weights do not ship")
    told = json.loads(path.read_text("utf-8"))
    first, last = told["history"][0], told["history"][-1]
    section = PAGE.partition("\n## The siblings\n")[2]
    score = {"qa": "f1", "mlm": "accuracy", "ranking": "mrr@10", "ner": "f1"}[told["objective"]]
    assert re.search(rf"\| {percent(first[score])} \| {percent(last[score])} \|", section)
    assert f"| {told['training_tokens']:,} |" in section
    assert f"{told['training_examples']:,} " in section
