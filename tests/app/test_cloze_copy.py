"""The code that the Cloze page offers, carried out: it gives the page's own numbers."""

import json
import shlex
import sys
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from bertnesia import cli
from bertnesia.live import Reply
from tests import tiny
from tests.app.conftest import OpenPage

PROMPT = "\"anna\" was born in [MASK] and 'bert' in [MASK] ."


def codes(app: AppTest) -> tuple[str, str | None]:
    """The program and, where there is one, the command that the page offers."""
    found = [one.value for one in app.main.code]
    program = next(one for one in found if one.startswith("from pathlib"))
    return program, next((one for one in found if one.startswith("bertnesia cloze")), None)


def shown(app: AppTest) -> list[tuple[object, ...]]:
    """The page's own table: model, mask, layer, word and probability in per cent."""
    table = next(one.value for one in app.dataframe if "place" in one.value)
    rows = table[["label", "mask", "layer", "token", "probability"]].itertuples(index=False, name=None)
    return [
        (model.lower(), mask, layer, token, pytest.approx(share, abs=1e-9)) for model, mask, layer, token, share in rows
    ]


def run_program(program: str) -> Reply:
    session: dict[str, Reply] = {}
    exec(compile(program, "copied", "exec"), session)
    return session["reply"]


def run_command(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0


def test_program_and_command_give_the_numbers_of_the_page(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = open_page("cloze", prompt=PROMPT, decoder="stock", words="3", answer="arlo, fino", watched="gora")
    program, command = codes(app)
    assert command is not None
    reply = run_program(program)
    assert "mini, mask 2" in capsys.readouterr().out
    assert shown(app) == [
        (one.model, one.mask, layer.layer, token, 100 * share)
        for one in reply.results
        for layer in one.layers
        for token, share in zip(layer.tokens, layer.probabilities, strict=True)
    ]
    run_command(command, monkeypatch)
    results = json.loads(capsys.readouterr().out)
    assert shown(app) == [
        (one["model"], one["mask"], layer["layer"], token, 100 * share)
        for one in results
        for layer in one["layers"]
        for token, share in zip(layer["tokens"], layer["probabilities"], strict=True)
    ]
    ranks = next(one.value for one in app.dataframe if {"word", "rank"} <= set(one.value) and "layer" in one.value)
    expected = pd.DataFrame(
        [
            (one["mask"], layer["layer"], word["word"], word["rank"])
            for one in results
            for layer in one["layers"]
            for word in (layer["answer"], *layer["watched"])
        ],
        columns=["mask", "layer", "word", "rank"],
    )
    assert ranks[["mask", "layer", "word", "rank"]].values.tolist() == expected.values.tolist()


def test_a_prompt_that_looks_like_an_option_is_quoted(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = open_page("cloze", prompt="--json $(ls) `x` [MASK] .", decoder="stock", models=["mini"])
    program, command = codes(app)
    assert command is not None
    reply = run_program(program)
    capsys.readouterr()
    run_command(command, monkeypatch)
    (result,) = json.loads(capsys.readouterr().out)
    assert tuple(result["layers"][5]["tokens"]) == reply.results[0].layers[5].tokens


def test_an_added_model_is_in_the_program_alone(open_page: OpenPage, tmp_path: Path) -> None:
    folder = tiny.save_masked_lm(tmp_path / "mine", seed=7, layers=2)
    app = open_page("cloze", prompt="anna was born in [MASK] .", decoder="stock", models=["mini"])
    app.text_input(key="place").set_value(str(folder))
    next(one for one in app.button if one.label == "Add").click().run()
    program, command = codes(app)
    assert command is None
    reply = run_program(program)
    assert [(one.model, len(one.layers)) for one in reply.results] == [("mini", 6), ("mine", 2)]
    assert len(shown(app)) == (6 + 2) * 5
