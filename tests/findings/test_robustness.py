"""Which findings hold in which settings, and what was not measured."""

import pandas as pd
import pytest

from bertnesia import findings
from bertnesia.store import queries
from bertnesia.store.queries import Question
from bertnesia.store.study import Study, open_study
from tests.store.rich_study import PROBE


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> pd.DataFrame:
    study = open_study(request.getfixturevalue("rich_database"))
    return findings.robustness(study, PROBE).set_index(["finding", "model", "setting"]).sort_index()


def test_every_finding_has_every_setting(table: pd.DataFrame) -> None:
    settings = set(table.index.get_level_values("setting"))
    assert {"reference", "stock decoders", "full decoders", "base decoders", "random decoders", "decoder seed 1",
            "k = 10", "k = 100", "micro average", "paraphrase 1"} == settings  # fmt: skip
    assert len(table) == len(settings) * len(table.index.droplevel("setting").unique())
    missing = table["note"] == "not measured"
    assert table.loc[missing, ["value", "holds"]].isna().all().all()


def test_seeds_of_the_last_layer_alone_are_no_setting(rich: Study, table: pd.DataFrame) -> None:
    runs = queries.runs(rich).query("model == 'mini' and kind == 'trained' and variant == 'plain'")
    assert set(runs.loc[runs["layers"] == 1, "seed"]) == {2}
    assert "decoder seed 2" not in table.index.get_level_values("setting")


def test_what_was_not_measured_is_not_counted_as_failing(table: pd.DataFrame) -> None:
    for setting in ("full decoders", "random decoders"):
        assert table.xs(setting, level="setting")["holds"].isna().all()
    holds = table.xs("reference", level="setting")["holds"]
    assert holds.notna().any()
    assert pd.isna(table.loc[("earlier_layers_add", "mini", "base decoders"), "holds"])
    assert pd.isna(table.loc[("beyond_churn", "qa", "paraphrase 1"), "holds"])


def test_values_are_those_of_the_setting(rich: Study, table: pd.DataFrame) -> None:
    for setting, question, average in (
        ("reference", Question(PROBE, ("mini",)), "macro"),
        ("k = 10", Question(PROBE, ("mini",), k=10), "macro"),
        ("stock decoders", Question(PROBE, ("mini",), "stock"), "macro"),
        ("decoder seed 1", Question(PROBE, ("mini",), seed=1), "macro"),
        ("micro average", Question(PROBE, ("mini",)), "micro"),
        ("paraphrase 1", Question(PROBE, ("mini",), variant="paraphrase_1"), "macro"),
    ):
        total = findings.totals(rich, question, average).iloc[0]  # type: ignore[arg-type]
        row = table.loc[("earlier_layers_add", "mini", setting)]
        assert row["value"] == pytest.approx(total["intermediate_share"])
        gain = (total["seeds_union"] - total["last"]) / total["seeds_union"]
        bar = gain if gain > 0 else 0
        assert row["holds"] == (total["intermediate_share_low"] > bar)
    above = findings.above_prior(rich, Question(PROBE, ("mini",))).query("layer == 4").iloc[0]
    row = table.loc[("above_prior", "mini", "reference")]
    assert row["value"] == pytest.approx(above["above"])
    assert row["holds"] == (above["low"] > 0)


def test_forgetting_is_held_against_churn(rich: Study, table: pd.DataFrame) -> None:
    churn = queries.churn(rich, Question(PROBE, ("mini",), k=10)).query("layer == 4").iloc[0]
    row = table.loc[("beyond_churn", "qa", "k = 10")]
    assert row["holds"] == (row["low"] > churn["forgotten"] / churn["right_in_base"])
    assert "churn" in row["note"]
    loss = table.loc[("net_loss", "qa", "k = 10")]
    assert loss["holds"] == (loss["high"] < 0)


def test_forgetting_is_held_against_controls(rich: Study, table: pd.DataFrame) -> None:
    question = Question(PROBE, ("mini", "qa"))
    settings: dict[str, queries.Average] = {"reference": "macro", "micro average": "micro"}
    for setting, average in settings.items():
        headlines = findings.headlines(rich, question, average).set_index(["finding", "model", "at"]).sort_index()
        null = headlines.loc[("control", "qa-sham", "last"), "value"]
        row = table.loc[("beyond_controls", "qa", setting)]
        assert row["holds"] == (row["low"] > null)
        assert row["note"] == f"qa-sham {null:.1%}"
    assert pd.isna(table.loc[("beyond_controls", "qa", "stock decoders"), "holds"]), "no control was asked with them"


def test_the_most_forgetful_model_is_followed_through_the_settings(table: pd.DataFrame) -> None:
    rows = table.loc["forgets_most"]
    assert len(rows.index.get_level_values("model").unique()) == 1
    model = rows.index.get_level_values("model")[0]
    rates = table.loc["beyond_churn"]["value"].unstack("setting")
    assert rates["reference"].idxmax() == model
    for setting in ("k = 10", "micro average"):
        assert rows.loc[(model, setting), "holds"] == (rates[setting].idxmax() == model)
