"""The Cloze page, on tiny models made on the fly."""

import re
import time
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoModelForMaskedLM, AutoTokenizer

from bertnesia.models.decoders import read_decoder_config
from bertnesia.store import prompts, queries
from bertnesia.store.study import open_study
from tests import tiny
from tests.app.conftest import APP, OpenPage, figures, set_segment

PROMPT = "anna was born in [MASK] ."
SHIPPED = APP.parent / "precomputed" / "mini.duckdb"


def table(app: AppTest, column: str) -> pd.DataFrame:
    """The first table of the page that has a column."""
    return next(one.value for one in app.dataframe if column in one.value)


def said(app: AppTest) -> str:
    return "\n".join(one.value for one in (*app.text, *app.markdown))


def grids(app: AppTest) -> list[str]:
    """The HTML of every grid."""
    return [one.proto.body for one in app.get("html") if "<table" in one.proto.body]


def words(grid: str) -> list[str]:
    return [unescape(word) for word in re.findall(r"<td[^>]*><bdi>(.*?)</bdi>", grid)]


def field(app: AppTest, key: str) -> str | None:
    return app.text_input(key=key).value


def test_decoders_that_did_not_ship_are_not_offered(open_page: OpenPage) -> None:
    app = open_page("cloze", study=SHIPPED, prompt="Paris is the capital of [MASK] .", models=["mini"])
    kinds = set(open_study(SHIPPED).query("SELECT DISTINCT kind FROM decoders")["kind"])
    assert kinds > {"trained", "stock", "full", "random", "control"}, "of some there are ranks alone"
    assert app.segmented_control(key="decoder").options == ["trained", "stock", "own", "base"]


def test_the_last_layer_says_what_the_model_says(open_page: OpenPage, database: Path) -> None:
    app = open_page("cloze", prompt=PROMPT, decoder="stock", answer="arlo", watched="fino")
    rows = table(app, "place")
    assert len(rows) == 2 * 6 * 5
    last = rows[(rows["label"] == "MINI") & (rows["layer"] == 6)].sort_values("place")
    folder = database.parent / "models" / "mini"
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(PROMPT, return_tensors="pt")
    with torch.no_grad():
        scores = model(**inputs).logits[0, inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)]
    probabilities, ids = scores.softmax(-1).topk(5)
    assert last["token"].tolist() == tokenizer.convert_ids_to_tokens(ids.tolist())
    assert last["probability"].tolist() == pytest.approx((100 * probabilities).tolist(), abs=1e-3)
    ranks = next(one.value for one in app.dataframe if {"word", "layer"} <= set(one.value))
    assert len(ranks) == 2 * 6 * 2
    row = ranks[(ranks["label"] == "MINI") & (ranks["layer"] == 6) & (ranks["word"] == "arlo")].iloc[0]
    assert row["rank"] == 1 + int((scores > scores[tokenizer.convert_tokens_to_ids("arlo")]).sum())
    mini, qa = grids(app)
    assert words(mini)[-5:] == last["token"].tolist()
    assert "<bdi>QA-SQUAD</bdi>" in qa
    assert f"rank {row['rank']}" in mini
    assert len(figures(app)) == 3


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"prompt": ""}, "The prompt is empty"),
        ({"prompt": "anna was born in arlo ."}, "The prompt has no mask"),
        ({"prompt": "[MASK] " * 5}, "The prompt has 5 masks, but at most 4"),
        ({"prompt": "arlo " * 100 + "[MASK]"}, "the model takes at most 64: shorten it"),
        ({"prompt": "anna\x07 [MASK] ."}, "The prompt holds control characters"),
        ({"prompt": PROMPT, "decoder": "trained"}, "There are no 'trained' decoders of this model"),
        ({"prompt": PROMPT, "watched": ",".join(f"w{i}" for i in range(60))}, "at most 50 can be"),
    ],
)
def test_what_cannot_be_asked_is_told_and_everything_else_kept(
    open_page: OpenPage, parameters: dict[str, str], sentence: str
) -> None:
    given = {"decoder": "stock", "watched": "fino", "answer": "arlo", "layer": "3", "words": "10", **parameters}
    app = open_page("cloze", **given, models=["qa-squad"])
    assert figures(app) == []
    assert grids(app) == []
    assert sentence in said(app)
    assert [field(app, key) for key in ("prompt", "answer", "watched")] == [
        given[key] for key in ("prompt", "answer", "watched")
    ]
    assert app.slider(key="layer").value == 3
    assert app.multiselect(key="models").value == ["qa-squad"]
    app.text_input(key="prompt").set_value(PROMPT)
    app.text_input(key="watched").set_value("fino").run()
    if given["decoder"] == "stock":
        assert len(grids(app)) == 1, "mended, it is answered"


def test_no_model_is_an_invitation_to_choose_one(open_page: OpenPage) -> None:
    app = open_page("cloze", prompt=PROMPT, decoder="stock", models="")
    assert "Choose one or more models above" in said(app)


def test_a_word_without_a_rank_offers_its_pieces(open_page: OpenPage) -> None:
    app = open_page("cloze", prompt=PROMPT, decoder="stock", watched="arlo, xyz")
    assert len(grids(app)) == 2
    assert "'xyz' is not one token of the vocabulary but 3: x, ##y, ##z" in said(app)
    app.button(key="watch-xyz-0").click().run()
    assert field(app, "watched") == "arlo, xyz, x"
    assert set(next(one.value for one in app.dataframe if {"word", "layer"} <= set(one.value))["word"]) == {"arlo", "x"}


def test_each_mask_gets_its_own_results(open_page: OpenPage) -> None:
    app = open_page("cloze", prompt="[MASK] was born in ___ .", decoder="stock", answer="anna, arlo", words="3")
    assert [re.findall(r"mask \d", grid) for grid in grids(app)] == [["mask 1"]] * 2 + [["mask 2"]] * 2
    assert len(table(app, "place")) == 2 * 2 * 6 * 3
    ranks = next(one.value for one in app.dataframe if {"word", "layer"} <= set(one.value))
    assert ranks.groupby("mask")["word"].unique().map(list).to_dict() == {1: ["anna"], 2: ["arlo"]}


def test_words_are_masked_by_a_click_and_come_back(open_page: OpenPage) -> None:
    app = open_page("cloze", prompt="anna was born in arlo .", decoder="stock")
    pieces = next(one for one in app.button_group if (one.key or "").startswith("pieces-"))
    pieces.set_value([4]).run()
    assert field(app, "prompt") == PROMPT
    pieces = next(one for one in app.button_group if (one.key or "").startswith("pieces-"))
    assert pieces.value == [4]
    pieces.set_value([]).run()
    assert field(app, "prompt") == "anna was born in arlo ."


def test_an_example_and_the_history_fill_the_fields(open_page: OpenPage, database: Path) -> None:
    app = open_page("cloze", prompt=PROMPT, decoder="stock", answer="arlo", watched="fino")
    first = prompts.cloze_examples(open_study(database), "qa-squad").iloc[0]
    app.selectbox(key="example").set_value(0).run()
    assert (field(app, "prompt"), field(app, "answer")) == (first["prompt"], first["object"])
    assert app.selectbox(key="example").value is None
    app.selectbox(key="history").set_value(0).run()
    assert [field(app, key) for key in ("prompt", "answer", "watched")] == [PROMPT, "arlo", "fino"]


def test_an_examples_answer_goes_with_its_prompt(open_page: OpenPage) -> None:
    app = open_page("cloze", study=SHIPPED)
    assert field(app, "answer")
    app.text_input(key="prompt").set_value("Berlin is the capital of [MASK] .").run()
    assert field(app, "answer") == ""
    assert "First at no layer" not in said(app)
    app.text_input(key="answer").set_value("germany").run()
    app.text_input(key="prompt").set_value("Berlin is in [MASK] .").run()
    assert field(app, "answer") == "germany", "what was typed stays"
    app.selectbox(key="example").set_value(0).run()
    prompt, answer = field(app, "prompt"), field(app, "answer")
    app.text_input(key="answer").set_value("france").run()
    app.text_input(key="prompt").set_value(f"Yes, {prompt}").run()
    assert (field(app, "answer"), answer != "france") == ("france", True)
    app.selectbox(key="example").set_value(1).run()
    came = field(app, "answer")
    app.query_params.update(prompt="It lies in [MASK] .", answer=came)
    app.run()
    assert (field(app, "prompt"), field(app, "answer")) == ("It lies in [MASK] .", came), "what a link says stays"


@pytest.mark.parametrize("outcome", ["forgotten", "retained"])
def test_a_stored_fact_has_live_the_ranks_of_the_study(open_page: OpenPage, outcome: str) -> None:
    study = open_study(SHIPPED)
    examples = prompts.cloze_examples(study, "qa-squad")
    fact = examples[examples["outcome"] == outcome].iloc[0]
    app = open_page("cloze", study=SHIPPED, fact=str(fact["fact"]))
    assert (field(app, "prompt"), field(app, "answer")) == (fact["prompt"], fact["object"])
    assert "Live and stored ranks agree at all 12 layers" in said(app)
    rows = table(app, "stored")
    stored = queries.fact_ranks(study, int(fact["fact"])).set_index(["model", "layer"])["rank"]
    assert len(rows) == 12
    for row in rows.itertuples():
        assert row.stored == stored[row.label.lower(), row.layer]
        assert abs(row.rank - row.stored) <= (row.stored > 100)
    changed = {"prompt": f"Yes, {fact['prompt']}", "answer": "water", "watched": "water"}
    for name, text in changed.items():
        app = open_page("cloze", study=SHIPPED, fact=str(fact["fact"]))
        app.text_input(key=name).set_value(text).run()
        same = name == "watched"
        assert ("fact" in app.query_params) == same, name
        assert any("stored" in one.value for one in app.dataframe) == same, name
        assert "ranks differ" not in said(app)


def test_many_prompts_are_asked_in_the_background(open_page: OpenPage) -> None:
    app = open_page("cloze", decoder="stock", ask="many sentences", models=["mini", "qa-squad"])
    assert "Nothing has been asked yet" in said(app)
    app.text_area(key="lines").set_value(f"{PROMPT}\tarlo\nno mask\nbert was born in [MASK] .\tfino").run()
    ask_all(app)
    assert "2 of 3 prompts answered, 2 remarks." in said(app)
    assert table(app, "problem")["number"].tolist() == [2, 2]
    rows = table(app, "mini word_1")
    assert rows["prompt"].tolist() == [PROMPT, "bert was born in [MASK] ."]
    assert rows["answer"].tolist() == ["arlo", "fino"]
    assert len(figures(app)) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"sentence\nanna in [MASK]\n", "has no column 'prompt' in its first line, but sentence"),
        (b"prompt\n" + b"a [MASK]\n" * 10_001, "has 10,001 prompts, but at most 10,000 can be asked"),
    ],
)
def test_a_bad_upload_is_one_sentence(open_page: OpenPage, content: bytes, sentence: str) -> None:
    app = open_page("cloze", decoder="stock", ask="many sentences", models=["mini"])
    app.file_uploader(key="list-file").upload("list.csv", content, "text/csv").run()
    ask_all(app)
    assert not app.exception
    assert sentence in said(app)
    assert app.multiselect(key="models").value == ["mini"]


def test_an_upload_of_50_megabytes_is_refused_before_anything_is_asked(open_page: OpenPage) -> None:
    app = open_page("cloze", decoder="stock", ask="many sentences", models=["mini"])
    app.text_area(key="lines").set_value(PROMPT)
    app.file_uploader(key="list-file").upload("list.csv", b"prompt\n" + b"x" * 50 * 2**20, "text/csv").run()
    assert "list.csv has 50 MB, but at most 20 MB are read: split it." in said(app)
    assert next(one for one in app.button if one.label == "Ask all").disabled
    assert app.text_area(key="lines").value == PROMPT
    assert app.multiselect(key="models").value == ["mini"]


def test_an_uploaded_file_is_asked(open_page: OpenPage) -> None:
    app = open_page("cloze", decoder="stock", ask="many sentences", models=["mini"])
    app.file_uploader(key="list-file").upload("list.csv", f"answer,prompt\narlo,{PROMPT}\n".encode(), "text/csv").run()
    ask_all(app)
    assert "1 of 1 prompt answered, 0 remarks." in said(app)


def ask_all(app: AppTest) -> None:
    """Press the button and wait for the end of the work."""
    next(one for one in app.button if one.label == "Ask all").click().run()
    if "bertnesia.cloze.list" in app.session_state:
        app.session_state["bertnesia.cloze.list"].job.wait(60)
        app.run()


def test_models_are_added_by_whoever_sits_at_the_machine(
    open_page: OpenPage, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("cloze", prompt=PROMPT, decoder="stock", models=["mini"])
    app.text_input(key="place").set_value(str(database.parent / "models" / "none"))
    next(one for one in app.button if one.label == "Add").click().run()
    assert "This model cannot be added" in said(app)
    app.text_input(key="place").set_value(str(database.parent / "models" / "qa-squad"))
    next(one for one in app.button if one.label == "Add").click().run()
    assert app.multiselect(key="models").value == ["mini", "qa-squad (2)"]
    assert len(grids(app)) == 2
    monkeypatch.setenv("BERTNESIA_PUBLIC", "1")
    app.run()
    assert "place" not in [one.key for one in app.text_input]
    assert app.multiselect(key="models").value == ["mini"]


def test_decoders_are_trained_from_the_page(open_page: OpenPage, tmp_path: Path) -> None:
    """From a model without decoders to its new kind: progress while it goes on, then it can be asked."""
    folder = tiny.save_masked_lm(tmp_path / "mine", seed=7, layers=2)
    app = open_page("cloze", prompt=PROMPT, decoder="stock", models=["mini"])
    app.text_input(key="place").set_value(str(folder))
    next(one for one in app.button if one.label == "Add").click().run()
    assert app.button(key="train mine").disabled
    text = tiny.write_text(tmp_path / "text.txt").read_bytes()
    app.file_uploader(key="text-mine").upload("text.txt", text, "text/plain").run()
    app.number_input(key="steps-mine").set_value(2_000)
    app.button(key="train mine").click().run()
    job = app.session_state["bertnesia.cloze.training"]["mine"]
    assert job.running
    while job.running and job.done < 100:
        job.look()
        time.sleep(0.02)
    app.run()
    (bar,) = app.get("progress")
    assert re.fullmatch(r"Training decoders of mine: \d+%", bar.proto.text)
    assert 0 < bar.proto.value < 100
    assert "Training decoders" in said(app)
    app.button(key="cancel-Training decoders of mine").click().run()
    job.wait(60)
    app.run()
    assert "Training decoders of mine was cancelled." in said(app)
    assert not (folder / "decoders" / "trained").exists()
    app.number_input(key="steps-mine").set_value(10)
    app.button(key="train mine").click().run()
    app.session_state["bertnesia.cloze.training"]["mine"].wait(120)
    app.run()
    assert "Kinds: trained, stock, base." in said(app)
    assert "train mine" not in [one.key for one in app.button]
    assert len(read_decoder_config(folder / "decoders" / "trained").layers) == 2
    app.multiselect(key="models").set_value(["mine"])
    set_segment(app, "decoder", "trained")
    app.run()
    (grid,) = grids(app)
    assert "trained decoders" in grid
