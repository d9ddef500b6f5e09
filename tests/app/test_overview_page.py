"""The Overview page: what stands out, how much each model knows, models compared."""

import pandas as pd
import pytest

from bertnesia.store.queries import Comparison
from bertnesia.ui import overview_findings as found
from tests.app.conftest import OpenPage, figures, said, set_segment
from tests.app.test_layers_page import values
from tests.store import slow
from tests.store.synthetic_study import LAYERS, Synthetic


def known(synthetic: Synthetic, probe_set: str, model: str, kind: str, k: int) -> tuple[int, int, int]:
    """Facts that were asked, right at the last layer, right at any layer."""
    ranks = synthetic.ranks.merge(synthetic.facts[["fact", "probe_set"]], on="fact")
    ranks = ranks[(ranks["probe_set"] == probe_set) & (ranks["model"] == model) & (ranks["kind"] == kind)]
    last = total = facts = 0
    for _, rows in ranks.groupby("fact"):
        by_layer = dict(zip(rows["layer"], rows["rank"], strict=True))
        facts += 1
        last += by_layer[LAYERS] <= k
        total += min(by_layer.values()) <= k
    return facts, last, total


@pytest.mark.parametrize(("kind", "right", "k"), [("trained", "rank 1", 1), ("stock", "rank ≤ 10", 10)])
def test_bars_are_what_the_last_layer_and_any_layer_have_right(
    open_page: OpenPage, synthetic: Synthetic, kind: str, right: str, k: int
) -> None:
    app = open_page("overview", decoder=kind, right=right)
    (figure,) = figures(app)
    bars = [trace for trace in figure["data"] if trace["type"] == "bar"]
    for place, probe_set in enumerate(("trex", "google_re", "squad")):
        last, other = bars[2 * place], bars[2 * place + 1]
        for n, model in enumerate(("mini", "qa-squad")):
            facts, at_last, at_any = known(synthetic, probe_set, model, kind, k)
            assert values(last["x"])[n] == pytest.approx(at_last / facts)
            assert values(other["x"])[n] == pytest.approx((at_any - at_last) / facts)


def test_models_are_compared_with_their_base(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("overview")
    table = next(frame.value for frame in app.dataframe if "intermediate_share" in frame.value).set_index("label")
    counts = {model: known(synthetic, "trex", model, "trained", 1) for model in ("mini", "qa-squad")}
    for label, model in (("MINI", "mini"), ("QA-SQUAD", "qa-squad")):
        facts, last, total = counts[model]
        assert table.loc[label, "last"] == pytest.approx(100 * last / facts)
        assert table.loc[label, "total"] == pytest.approx(100 * total / facts)
        assert table.loc[label, "intermediate_share"] == pytest.approx(100 * (total - last) / total)
        low, high = (float(end) for end in table.loc[label, "last interval"].split(" to "))
        assert low < 100 * last / facts < high
    changes = next(frame.value for frame in app.dataframe if "net_change" in frame.value).set_index("label")
    change = (counts["qa-squad"][2] - counts["mini"][2]) / counts["mini"][0]
    assert changes.index.tolist() == ["QA-SQUAD"], "a base is compared with nothing"
    assert changes.loc["QA-SQUAD", "net_change"] == pytest.approx(100 * change)
    outcomes = slow.outcomes(synthetic.ranks, synthetic.facts, Comparison("trex", "mini", "qa-squad"))
    forgotten = sum(len(groups["forgotten"]) for groups in outcomes.values())
    assert changes.loc["QA-SQUAD", "forgetting_rate"] == pytest.approx(100 * forgotten / counts["mini"][2])


def test_what_stands_out_is_counted_from_this_study(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("overview")
    first = said(app)
    facts, last, total = known(synthetic, "trex", "mini", "trained", 1)
    assert (
        f"MINI has {100 * total / facts:.1f} % of {facts} facts right at some layer, {100 * last / facts:.1f} %"
        in first
    )
    outcomes = slow.outcomes(synthetic.ranks, synthetic.facts, Comparison("trex", "mini", "qa-squad"))
    forgotten = sum(len(groups["forgotten"]) for groups in outcomes.values())
    right = forgotten + sum(len(groups["retained"]) for groups in outcomes.values())
    assert f"QA-SQUAD: {100 * forgotten / right:.1f} % forgotten" in first
    set_segment(app, "right", "rank ≤ 100")
    app.run()
    again = said(app)
    facts, last, total = known(synthetic, "trex", "mini", "trained", 100)
    assert f"MINI has {100 * total / facts:.1f} % of {facts} facts right" in again


def test_links_lead_on_with_the_same_choice(open_page: OpenPage) -> None:
    app = open_page("overview", decoder="stock", probe_set="google_re")
    links = {link.proto.page: link.proto.query_string for link in app.get("page_link")}
    assert set(links) >= {"layers", "relations", "forgetting", "facts"}
    for page, query in links.items():
        assert "decoder=stock" in query
        assert ("in_set" if page == "facts" else "probe_set") + "=google_re" in query


RELATIONS = pd.DataFrame(
    [
        ("a", 1, 0.5),
        ("a", 2, 0.25),
        ("b", 1, 0.1),
        ("b", 2, 0.2),
        ("c", 1, 0.1),
        ("c", 2, 0.19),
        ("d", 1, 0.0),
        ("d", 2, 0.0),
    ],
    columns=["label", "layer", "precision"],
)


def test_relations_best_before_the_last_layer() -> None:
    card = found.best_before_the_last(RELATIONS, "M")
    assert card.answer == "1 of 4 relations"
    assert card.detail == "M: a (layer 1: 50.0 %, last: 25.0 %)"
    assert found.best_before_the_last(RELATIONS.query("label == 'b'"), "M").answer == "None of 1"


def test_relations_that_double_in_the_last_layer() -> None:
    card = found.doubled_by_the_last(RELATIONS, "M")
    assert card.answer == "1 of 4 relations double or more"
    assert card.detail == "M: b (10.0 % to 20.0 %)"
    fresh = pd.DataFrame([("e", 1, 0.0), ("e", 2, 0.3)], columns=RELATIONS.columns)
    card = found.doubled_by_the_last(pd.concat([RELATIONS, fresh]), "M")
    assert card.answer == "1 of 5 relations double or more"
    assert card.detail == "M: b (10.0 % to 20.0 %). Known to the last layer alone: e."
    three = pd.DataFrame([("f", 1, 0.3), ("f", 2, 0.2), ("f", 3, 0.4)], columns=RELATIONS.columns)
    assert found.doubled_by_the_last(three, "M").answer.startswith("0 of 1"), "the best of all earlier layers counts"
    assert found.doubled_by_the_last(RELATIONS.query("layer == 1"), "M").answer == "Open"


def test_what_earlier_layers_add_and_what_more_decoders_would() -> None:
    row = {"last": 0.2, "total": 0.25, "intermediate_share": 0.2, "facts": 1000, "seeds_union": 0.22}
    card = found.intermediate(pd.DataFrame([row]), "M")
    assert card.answer == "20.0 % is in earlier layers only"
    assert "As many decoders of the last layer alone reach 22.0 %" in card.detail
    nothing = found.intermediate(pd.DataFrame([row | {"last": 0, "total": 0}]), "M")
    assert nothing.answer == "Nothing is known"


@pytest.mark.parametrize(("prior", "answer"), [(0.1, "Yes"), (0.2, "Not for certain"), (0.3, "No")])
def test_knowledge_above_the_prior(prior: float, answer: str) -> None:
    row = pd.DataFrame([{"last": 0.2, "last_low": 0.15, "last_high": 0.25}])
    assert found.above_prior(row, prior, "M", 1).answer == answer


def test_the_costliest_objective_and_the_relation_hit_hardest() -> None:
    counts = {"facts": [100] * 2, "right_in_base": [40] * 2, "right_in_model": [30, 38], "retained": [20, 35]}
    pairs = pd.DataFrame({"model": ["qa", "ner"], **counts, "forgotten": [20, 5], "learned": [10, 3]})
    churn = pd.DataFrame(
        {"at": ["layer", "layer", "total"], "is_last": [False, True, pd.NA], "right_in_base": [9, 30, 40]}
    ).assign(forgotten=[9, 6, 4])
    labels, none = {"qa": "QA", "ner": "NER"}, pairs[:0]
    card = found.forgotten(pairs, labels, "M", churn, none)
    assert card.answer == "QA: 50.0 % forgotten"
    assert "Least: NER, 12.5 %" in card.detail
    assert "another decoder of M itself would lose 10.0 %." in card.detail
    assert "without a new task" not in card.detail
    one = found.forgotten(pairs, labels, "M", churn, pairs[:1].assign(model="sham"))
    assert one.detail.endswith(" Trained as long without a new task to learn, M forgets 50.0 %.")
    two = found.forgotten(pairs, labels, "M", churn, pairs.assign(model=["sham", "again"]))
    assert two.detail.endswith(" Trained as long without a new task to learn, M forgets 12.5 to 50.0 %.")
    card = found.forgotten(pairs, labels, "M", churn[:2], none)
    assert "another decoder of M itself would lose 20.0 % at the last layer." in card.detail
    assert "Churn was not measured" in found.forgotten(pairs, labels, "M", churn[:0], none).detail
    relations = pairs.assign(label=["born", "capital"], relation=["a", "b"])
    card = found.hardest_hit(relations, "QA")
    assert (card.answer, card.detail) == ("born", "QA: from 40.0 % to 30.0 % of 100 facts at some layer.")


def test_findings_stand_beside_the_papers(open_page: OpenPage, synthetic: Synthetic) -> None:
    app = open_page("overview")
    table = next(frame.value for frame in app.dataframe if "published" in frame.value)
    rows = table[(table["finding"] == "Known to earlier layers only") & (table["label"] == "MINI")]
    relations = {}
    for relation in ("P19", "P36", "P37", "P101"):
        own = synthetic.facts["relation"] == relation
        part = Synthetic(synthetic.relations, synthetic.facts[own], synthetic.ranks, synthetic.predictions)
        relations[relation] = known(part, "trex", "mini", "trained", 1)
    last = sum(right / facts for facts, right, _ in relations.values()) / 4
    total = sum(right / facts for facts, _, right in relations.values()) / 4
    assert rows["value"].iloc[0] == pytest.approx(100 * (total - last) / total)
    assert rows["published interval"].iloc[0] == "17.0 to 60.0"
    assert "arXiv 2010.09313" in said(app)


def test_other_settings_are_asked_on_request(open_page: OpenPage) -> None:
    app = open_page("overview", settings="true")
    table = next(frame.value for frame in app.dataframe if "reference" in frame.value)
    assert set(table["stock decoders"]) <= {"yes", "no", "–"}
    assert "Fine-tuning loses on balance" in set(table["name"])
    assert not any("reference" in frame.value for frame in open_page("overview").dataframe)
