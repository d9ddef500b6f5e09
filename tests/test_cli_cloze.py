"""`bertnesia cloze`: tables that fit, marks, JSON, files of prompts."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from bertnesia import cli
from bertnesia.cli.clozetables import show
from bertnesia.cli.common import SHIPPED
from bertnesia.live import LiveModels, Request, live_models
from bertnesia.live.service import Workshop
from bertnesia.store.study import open_study
from tests import tiny
from tests.livemodels import save_trained
from tests.store.synthetic_study import LAYERS, MODELS, make_study, publish_synthetic

PROMPT = "anna was born in [MASK] ."
Run = Callable[..., str]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cloze")
    for seed, model in enumerate(MODELS):
        tiny.save_masked_lm(folder / "models" / model, seed=seed, layers=LAYERS)
    for model in MODELS:
        save_trained(folder / "models" / model, folder / "models" / MODELS[0], seed=len(model))
    publish_synthetic(folder / "study.duckdb", make_study())
    return folder / "study.duckdb"


@pytest.fixture
def run(database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process; gives what it prints."""

    def ran(*arguments: object, columns: int = 80, code: int = 0) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "argv", ["bertnesia", "cloze", "--db", str(database), *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
            sys.exit(0)
        shown = capsys.readouterr()
        assert ended.value.code in (code, None), shown.err
        return shown.out if code == 0 else shown.err

    return ran


def words_of(text: str) -> str:
    """The text without the tables' lines, in one line."""
    return " ".join("".join(" " if "\u2500" <= one <= "\u257f" else one for one in text).split())


@pytest.mark.parametrize("columns", [80, 100, 160])
@pytest.mark.parametrize("k", [1, 5, 20])
def test_two_models_and_many_words_fit_the_terminal(run: Run, columns: int, k: int) -> None:
    watched = ",".join(tiny.TOWNS[:6])
    shown = run(PROMPT, "--models", "base,qa-squad", "-k", k, "--watch", watched, "--answer", "fino", columns=columns)
    assert max(map(len, shown.splitlines())) <= columns
    assert "…" not in shown, "nothing is cut off"
    text = words_of(shown)
    for word in (*tiny.TOWNS[:5], "fino (right)"):
        assert f"rank of {word}, mask 1" in text
    assert text.count("mini, mask 1, trained decoders") == 1
    assert text.count("qa-squad, mask 1, trained decoders") == 1


def test_no_number_is_torn_from_its_word(run: Run, database: Path) -> None:
    shown = words_of(run(PROMPT, "--models", "base", "-k", 20))
    (result,) = live_models(open_study(database)).predict(PROMPT, ["mini"], k=20)
    for layer in result.layers:
        for token, probability in zip(layer.tokens, layer.probabilities, strict=True):
            assert f"{token} {probability:.0%}" in shown


def test_words_are_marked_as_they_rise_and_fall(run: Run, database: Path) -> None:
    shown = run(PROMPT, "--models", "mini", "-k", 3, columns=120)
    (result,) = live_models(open_study(database)).predict(PROMPT, ["mini"], k=3)
    rows = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in shown.splitlines() if "│" in line}
    first = result.layers[0]
    assert rows["1"] == "  ".join(f"{t} {p:.0%}" for t, p in zip(first.tokens, first.probabilities, strict=True))
    for layer in result.layers[1:]:
        assert layer.ranks_before is not None
        marks = [
            "▲" if before > place else "▼" if before < place else ""
            for place, before in enumerate(layer.ranks_before, 1)
        ]
        parts = zip(layer.tokens, layer.probabilities, marks, strict=True)
        assert rows[str(layer.layer)] == "  ".join(f"{token} {share:.0%}{mark}" for token, share, mark in parts)
    assert "▲▼: better or worse placed than one layer before." in shown


def test_many_models_get_their_ranks_in_several_tables(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = live_models(open_study(database))
    many = {f"a model with a long name {i}": live.checkpoints["mini"] for i in range(8)}
    reply = LiveModels(many, Workshop()).ask(Request(PROMPT, tuple(many), "stock", 5, ("arlo",)))
    show(Console(width=80), reply.results, [1, 6])
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    for name in many:
        assert f"{name}, mask 1" in words_of(shown)
    assert shown.count("rank of arlo, mask 1") == 4, "two models in each table of 80 columns"


def test_who_knows_and_where_models_part_is_said(run: Run, database: Path) -> None:
    live = live_models(open_study(database))
    first = live.predict(PROMPT, ["mini"], k=1)[0].layers[-1].tokens[0]
    shown = words_of(run(PROMPT, "--models", "base,qa-squad", "--answer", first, "-k", 1))
    assert f"mini has {first} first at layer" in shown
    assert f"qa-squad has {first} first at" in shown
    other = live.predict(PROMPT, ["mini", "qa-squad"], k=1)[1]
    assert ("qa-squad parts from mini at layer" in shown) == (other.parts_at is not None)
    assert "apart: total variation from mini (0: the same prediction, 1: no word in common)." in shown
    assert f"{other.layers[2].distance.total_variation:.2f}" in shown  # type: ignore[union-attr]


def test_a_word_without_a_rank_is_told_once(run: Run) -> None:
    shown = words_of(run(PROMPT, "--watch", "xyz,arlo"))
    assert shown.count("'xyz' is not one token of the vocabulary but 3: x, ##y, ##z, so it has no rank.") == 1
    assert "rank of arlo" in shown


def test_json_holds_everything(run: Run) -> None:
    results = json.loads(
        run(
            "[MASK] in [MASK] .",
            "--models",
            "base,qa-squad",
            "--layers",
            "2,6",
            "-k",
            3,
            "--answer",
            "anna,arlo",
            "--json",
        )
    )
    assert [(one["model"], one["mask"]) for one in results] == [
        ("mini", 1), ("mini", 2), ("qa-squad", 1), ("qa-squad", 2)
    ]  # fmt: skip
    for one in results:
        assert [layer["layer"] for layer in one["layers"]] == [2, 6]
        assert one["layers"][0]["answer"]["word"] == ("anna", "arlo")[one["mask"] - 1]
        assert len(one["layers"][1]["ranks_before"]) == 3
        assert (one["layers"][0]["distance"] is None) == (one["model"] == "mini")
        assert "parts_at" in one


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_of_prompts(run: Run, database: Path, tmp_path: Path, suffix: str) -> None:
    prompts, out = tmp_path / "prompts.csv", tmp_path / f"results.{suffix}"
    prompts.write_text("prompt,answer\nanna was born in [MASK] .,arlo\nno mask,\n[MASK] in [MASK] .,xyz\n")
    shown = words_of(run("--file", prompts, "--out", out, "--models", "base,qa-squad", "-k", 2))
    assert "Prompt 2, mini: The prompt has no mask" in shown
    assert f"Wrote {2 * 6 * 3} rows" in shown
    rows = pd.read_csv(out) if suffix == "csv" else pd.read_parquet(out)
    assert len(rows) == 2 * 6 * 3
    assert {"number", "mask", "model", "layer", "rank", "log_probability", "word_2", "probability_2"} <= set(rows)
    mine = rows[(rows["model"] == "qa-squad") & (rows["number"] == 1)].sort_values("layer")
    live = live_models(open_study(database))
    (result,) = live.predict(PROMPT, ["qa-squad"], k=2, watched=["arlo"])
    assert mine["rank"].astype(int).tolist() == [layer.watched[0].rank for layer in result.layers]
    assert mine["word_1"].tolist() == [layer.tokens[0] for layer in result.layers]
    assert rows.loc[rows["number"] == 3, "rank"].isna().all()


def test_plain_lines_are_prompts_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("anna lives in [MASK] .\nbert lives in [MASK] .\tarlo\n")
    run("--file", tmp_path / "prompts.txt", "--out", tmp_path / "out.csv", "--models", "base")
    assert len(pd.read_csv(tmp_path / "out.csv")) == 2 * 6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give one sentence, or --file with many, but not both."),
        (["[MASK]", "--file", "x.csv"], "Give one sentence, or --file with many, but not both."),
        (["--file", "none.csv", "--out", "o.csv"], "There is no file none.csv."),
        (["--file", "none.csv"], "Say where the results go: --out with a file that ends in .csv or .parquet."),
        (["--file", "none.csv", "--out", "o.xlsx"], "Say where the results go"),
        (["[MASK] .", "--layers", "7"], "There is no layer 7: this model has layers 1 to 6."),
        (["[MASK] .", "--kind", "own", "--models", "nope"], "There is no model 'nope'; there are: mini, qa-squad."),
    ],
)
def test_bad_input_is_one_sentence(run: Run, arguments: list[str], sentence: str) -> None:
    assert sentence in words_of(run(*arguments, code=2))


def test_help_shows_no_place_of_this_machine(run: Run) -> None:
    shown = words_of(run("--help"))
    assert "the others are compared with the first. [default: (all)]" in shown
    assert "The study that names the models. [default: (the one that ships)]" in shown
    assert str(SHIPPED.parent) not in shown.replace(" ", "")


def test_without_a_kind_the_first_that_all_models_have(database: Path, run: Run, tmp_path: Path) -> None:
    assert json.loads(run(PROMPT, "--json"))[0]["kind"] == "trained"
    stock = tmp_path / "stock"
    shutil.copytree(database.parent, stock)
    for folder in stock.glob("models/*/decoders"):
        shutil.rmtree(folder)
    assert json.loads(run(PROMPT, "--json", "--db", stock / "study.duckdb"))[0]["kind"] == "stock"
