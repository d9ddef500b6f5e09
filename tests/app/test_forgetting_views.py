"""The closer looks of the Forgetting page, on a study that has all of them, against slow counts."""

from pathlib import Path

import pandas as pd
import pytest

from bertnesia.store import queries
from bertnesia.store.queries import Comparison
from bertnesia.store.study import open_study
from bertnesia.ui.forgetting_views import VIEWS
from tests.app.conftest import APP, OpenPage, figures, said
from tests.app.rich_study import CONTROL, CORPUS, SEEDS, SHARES, STEPS, all_ranks, coverage, publish_rich
from tests.app.test_layers_page import values
from tests.store.synthetic_study import LAYERS, Synthetic

SHIPPED = APP.parent / "precomputed" / "mini.duckdb"


@pytest.fixture(scope="module")
def rich(synthetic: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rich") / "rich.duckdb"
    publish_rich(path, synthetic)
    return path


@pytest.fixture(scope="module")
def right(synthetic: Synthetic) -> pd.Series:
    """Whether a plain, trained rank of T-REx is 1, by model, seed, layer and fact."""
    ranks = all_ranks(synthetic).merge(synthetic.facts[["fact", "probe_set"]], on="fact")
    ranks = ranks[(ranks["kind"] == "trained") & (ranks["probe_set"] == "trex") & (ranks["variant"] == "plain")]
    return (ranks.set_index(["model", "seed", "layer", "fact"])["rank"] == 1).sort_index()


def of(right: pd.Series, model: str, layer: int, seed: int = 0) -> set[int]:
    rows = right.loc[model, seed, layer]
    return set(rows[rows].index)


def test_steps_follow_what_the_base_knew(open_page: OpenPage, rich: Path, right: pd.Series) -> None:
    app = open_page("forgetting", study=rich, view="steps")
    (figure,) = figures(app)
    models = {0: "mini", **{step: f"qa-squad-{step}" for step in STEPS}, 200: "qa-squad"}
    *lines, null = figure["data"]
    for trace in lines:
        layer = int(trace["name"].removeprefix("layer "))
        base = of(right, "mini", layer)
        shares = dict(zip(values(trace["x"]), values(trace["y"]), strict=True))
        assert set(shares) == set(models)
        for step, model in models.items():
            assert shares[step] == pytest.approx(len(base & of(right, model, layer)) / len(base))
    base = of(right, "mini", LAYERS)
    churn = len(base - of(right, "mini", LAYERS, seed=1)) / len(base)
    assert (null["name"], values(null["x"])) == ("churn alone", [0, 200])
    assert values(null["y"]) == pytest.approx([1 - churn] * 2)
    table = next(frame.value for frame in app.dataframe if "churn_of_base" in frame.value)
    last = table[table["layer"] == LAYERS]
    assert last["churn_of_base"].tolist() == pytest.approx([100 * churn] * len(models))
    assert table.drop(index=last.index)["churn_of_base"].isna().all(), "the second seed has no other layer"
    lost = {step: len(of(right, "mini", LAYERS) - of(right, model, LAYERS)) for step, model in models.items()}
    half = min(step for step, count in lost.items() if count >= lost[200] / 2)
    assert f"By step {half}" in said(app)


def test_which_layer_falls_first(open_page: OpenPage, rich: Path, right: pd.Series) -> None:
    app = open_page("forgetting", study=rich, view="steps")
    table = next(frame.value for frame in app.dataframe if "drops" in frame.value).set_index("layer")
    models = {0: "mini", **{step: f"qa-squad-{step}" for step in STEPS}, 200: "qa-squad"}
    falls = 0
    for layer in range(1, LAYERS + 1):
        known = {step: len(of(right, model, layer)) for step, model in models.items()}
        drop = known[0] - known[200]
        assert table.loc[layer, "drop"] == pytest.approx(drop)  # of 100 facts, in per cent
        if drop > 0:
            falls += 1
            step = min(step for step, count in known.items() if known[0] - count >= drop / 2)
            assert table.loc[layer, "step"] == step
            low, high = (int(end) for end in table.loc[layer, "steps"].split(" to "))
            assert low <= step <= high
    assert falls, "some layer falls"
    assert table["first"].sum() <= 100.0001
    first = table["first"].idxmax()
    assert table.loc[first, "first"] < 50
    assert "No layer clearly falls first." in said(app)


def test_a_layer_that_falls_first_in_most_resamples_is_named(open_page: OpenPage) -> None:
    app = open_page("forgetting", study=SHIPPED, model="qa-squad", right="rank ≤ 10", view="steps")
    table = next(frame.value for frame in app.dataframe if "drops" in frame.value).set_index("layer")
    first = table["first"].idxmax()
    assert table.loc[first, "first"] > 50
    assert f"Layer {first} falls first, in {table.loc[first, 'first']:.1f} % of resamples" in said(app)


def test_other_fine_tuning_seeds(open_page: OpenPage, rich: Path, right: pd.Series) -> None:
    app = open_page("forgetting", study=rich, view="all objectives", at="6")
    table = next(frame.value for frame in app.dataframe if "fine_tuning_seed" in frame.value)
    base = of(right, "mini", LAYERS)
    rates = [100 * len(base - of(right, model, LAYERS)) / len(base) for model in ("qa-squad", *SEEDS)]
    last = table[table["where"] == "last layer"].sort_values("fine_tuning_seed")
    assert last["fine_tuning_seed"].tolist() == [0, 1, 2]
    assert last["forgetting_rate"].tolist() == pytest.approx(rates)
    low, high = min(rates), max(rates)
    assert f"3 fine-tuning runs with different seeds forget {low:.1f} to {high:.1f} % at the last layer." in said(app)
    alone = open_page("forgetting", view="all objectives", at="6")
    assert not any("fine_tuning_seed" in frame.value for frame in alone.dataframe)
    assert "different seeds" not in said(alone)


def test_amounts_of_data(open_page: OpenPage, rich: Path, right: pd.Series) -> None:
    app = open_page("forgetting", study=rich, view="amount of data", at="6")
    (figure,) = figures(app)
    base = of(right, "mini", 6)
    lines = {trace["name"]: dict(zip(values(trace["x"]), values(trace["y"]), strict=True)) for trace in figure["data"]}
    whole = len(base - of(right, "qa-squad", 6)) / len(base)
    for share, matched, _ in SHARES:
        line = lines[f"as many {matched} as the whole"]
        rate = len(base - of(right, f"qa-squad-{matched}-{share}", 6)) / len(base)
        assert line[share] == pytest.approx(rate)
        assert line[1.0] == pytest.approx(whole)
    churn = len(base - of(right, "mini", 6, seed=1)) / len(base)
    assert list(lines["churn alone"].values()) == pytest.approx([churn, churn])


def test_facts_that_a_text_mentions(open_page: OpenPage, rich: Path, right: pd.Series, synthetic: Synthetic) -> None:
    app = open_page("forgetting", study=rich, view="training text", at="6")
    assert app.selectbox(key="corpus").value == CORPUS
    (figure,) = figures(app)
    table = coverage(synthetic)
    mentioned = set(table.loc[table["mentions"] > 0, "fact"])
    base, after = of(right, "mini", 6), of(right, "qa-squad", 6)
    asked = set(right.loc["mini", 0, 6].index)
    (bars,) = [trace for trace in figure["data"] if trace["name"] == "forgotten"]
    shares = [len((base - after) & group) / len(asked & group) for group in (mentioned, asked - mentioned)]
    assert values(bars["x"]) == pytest.approx(shares)


def test_churn_stands_beside_forgetting(open_page: OpenPage, rich: Path, right: pd.Series) -> None:
    base = of(right, "mini", LAYERS)
    churn = len(base - of(right, "mini", LAYERS, seed=1)) / len(base)
    rate = len(base - of(right, "qa-squad", LAYERS)) / len(base)
    for at in ("any", "6", "3"):
        text = said(open_page("forgetting", study=rich, at=at))
        assert f"forgotten {100 * rate:.1f} %, churn {100 * churn:.1f} %" in text
        assert f"{100 * (rate - churn):.1f} points beyond churn" in text
        assert ("At layer 6:" if at == "6" else "At the last layer:") in text
    assert "disagree (churn) is not measured in this study" in said(open_page("forgetting"))


def test_lost_and_buried(open_page: OpenPage, rich: Path, right: pd.Series) -> None:
    app = open_page("forgetting", study=rich, view="lost or buried")
    forgotten = of(right, "mini", LAYERS) - of(right, "qa-squad", LAYERS)
    lost = forgotten - set().union(*(of(right, "qa-squad", layer) for layer in range(1, LAYERS + 1)))
    table = next(frame.value for frame in app.dataframe if "lost" in frame.value)
    assert (table["forgotten"].sum(), table["lost"].sum()) == (len(forgotten), len(lost))
    assert f"{100 * len(lost) / len(forgotten):.1f} % lost" in said(app)


def test_layers(open_page: OpenPage, rich: Path, right: pd.Series) -> None:
    (figure,) = figures(open_page("forgetting", study=rich, view="layers"))
    (bars,) = [trace for trace in figure["data"] if trace["name"] == "learned"]
    for layer, share in zip(values(bars["x"]), values(bars["y"]), strict=True):
        learned = of(right, "qa-squad", int(layer)) - of(right, "mini", int(layer))
        assert share == pytest.approx(len(learned) / 100)


def test_all_objectives(open_page: OpenPage, rich: Path, right: pd.Series) -> None:
    app = open_page("forgetting", study=rich, view="all objectives", at="6")
    bars, _ = figures(app)
    (forgotten,) = [trace for trace in bars["data"] if trace["name"] == "forgotten"]
    names = ["QA-SQUAD (100)", f"{CONTROL}, control (100)"]
    assert forgotten["y"] == names, "other variants of a model are no objectives"
    base = of(right, "mini", 6)
    gone = [len(base - of(right, model, 6)) for model in ("qa-squad", CONTROL)]
    assert values(forgotten["x"]) == pytest.approx([count / 100 for count in gone])
    table = next(frame.value for frame in app.dataframe if "churn_of_base" in frame.value)
    churn = len(base - of(right, "mini", 6, seed=1)) / len(base)
    assert table["churn_of_base"].tolist() == pytest.approx([100 * churn] * 2)
    assert f"without a new task to learn: {CONTROL} (of QA-SQUAD). Only what" in said(app)
    null = f"the base forgets at the last layer: {100 * gone[1] / len(base):.1f} % ({CONTROL})."
    assert null in said(app)
    assert "not beyond its control" not in said(app), "the model forgets more than its control"
    assert "without a new task" not in said(open_page("forgetting", view="all objectives", at="6"))


@pytest.mark.parametrize("view", VIEWS)
def test_the_bases_decoders_on_a_fine_tuned_model(open_page: OpenPage, view: str) -> None:
    """The base is asked with its trained decoders, which the others borrow."""
    app = open_page("forgetting", study=SHIPPED, decoder="base", model="qa-squad", at="6", view=view)
    counts = queries.forgetting(open_study(SHIPPED), Comparison("atlas", "mini", "qa-squad", "base", layer=6))
    assert f"{counts['right_in_model'].sum()} of {counts['facts'].sum():,}" in said(app)


def test_a_model_that_forgets_less_than_its_control(open_page: OpenPage) -> None:
    """In the study that ships: training on other questions' answers costs more than learning to answer."""
    for model, told in (("qa-squad", True), ("mlm-squad", False), ("ner-wnut", False)):
        app = open_page("forgetting", study=SHIPPED, model=model, at="6")
        assert ("beyond churn, not beyond its control" in said(app)) == told
        assert "without a new task to learn, the base forgets at the last layer: " in said(app)


def test_rank_changes(open_page: OpenPage, rich: Path, synthetic: Synthetic) -> None:
    (figure,) = figures(open_page("forgetting", study=rich, view="rank changes"))
    ranks = synthetic.ranks.merge(synthetic.facts[["fact", "probe_set"]], on="fact")
    ranks = ranks[(ranks["kind"] == "trained") & (ranks["probe_set"] == "trex") & (ranks["layer"] == 6)]
    wide = ranks.pivot(index="fact", columns="model", values="rank")
    rise = wide["mini"] - wide["qa-squad"]
    shares = {trace["name"]: values(trace["x"])[trace["y"].index("6")] for trace in figure["data"]}
    assert shares["1–9 better"] == pytest.approx(((rise >= 1) & (rise < 10)).mean())
    assert shares["10–99 worse"] == pytest.approx(-((rise <= -10) & (rise > -100)).mean())
    assert shares["100+ worse"] == pytest.approx(-(rise <= -100).mean())


def test_masked_subjects_are_dotted_lines_of_the_layers_page(
    open_page: OpenPage, rich: Path, synthetic: Synthetic
) -> None:
    figure = figures(open_page("layers", study=rich, measure="P@10", average="facts"))[0]
    lines = {trace["name"]: trace for trace in figure["data"] if trace.get("line", {}).get("dash") == "dot"}
    assert set(lines) == {"MINI, subject masked", "QA-SQUAD, subject masked", "subject masked"}
    assert [name for name, trace in lines.items() if trace.get("showlegend", True)] == ["subject masked"]
    ranks = synthetic.ranks.merge(synthetic.facts[["fact", "probe_set"]], on="fact")
    ranks = ranks[(ranks["kind"] == "trained") & (ranks["probe_set"] == "trex") & (ranks["model"] == "mini")]
    line = lines["MINI, subject masked"]
    for layer, share in zip(values(line["x"]), values(line["y"]), strict=True):
        assert share == pytest.approx((ranks.loc[ranks["layer"] == layer, "rank"] + 1 <= 10).mean())
    alone = figures(open_page("layers", measure="P@10"))[0]
    assert not [trace for trace in alone["data"] if "masked" in trace.get("name", "")], "not measured, not shown"


def test_prompts_without_their_subject_stand_beside(
    open_page: OpenPage, rich: Path, right: pd.Series, synthetic: Synthetic
) -> None:
    table = open_page("layers", study=rich, average="facts").dataframe[0].value.set_index(["label", "layer"])
    ranks = synthetic.ranks.merge(synthetic.facts[["fact", "probe_set"]], on="fact")
    ranks = ranks[(ranks["kind"] == "trained") & (ranks["probe_set"] == "trex") & (ranks["layer"] == LAYERS)]
    mine = ranks.loc[ranks["model"] == "mini", "rank"]
    row = table.loc[("MINI", LAYERS)]
    for added, variant in ((1, "subject_masked"), (2, "subject_swapped")):
        share = 100 * (mine + added <= 1).mean()
        assert row[variant] == pytest.approx(share)
        assert row[f"{variant}_above"] == pytest.approx(100 * (mine <= 1).mean() - share)
    text = said(open_page("overview", study=rich, right="rank ≤ 10"))
    masked, swapped = (100 * (mine + added <= 10).mean() for added in (1, 2))
    assert f"The same prompts with the subject masked {masked:.1f} %, with another subject {swapped:.1f} %." in text
    assert "The same prompts" not in said(open_page("overview"))


def test_variants_are_not_models_of_their_own(open_page: OpenPage, rich: Path) -> None:
    assert open_page("layers", study=rich).multiselect(key="models").options == ["MINI", "QA-SQUAD"]
    assert open_page("models", study=rich).dataframe[0].value["label"].tolist() == ["MINI", "QA-SQUAD"]
    overview = open_page("overview", study=rich)
    assert any("Wallat et al. 2020" in frame.value.to_string() for frame in overview.dataframe)


@pytest.mark.parametrize("view", ["steps", "amount of data", "training text"])
def test_what_a_study_lacks_is_said(open_page: OpenPage, view: str) -> None:
    app = open_page("forgetting", view=view)
    assert any("This study" in one.value or "not fine-tuned on parts" in one.value for one in app.markdown)
    assert figures(app) == []
