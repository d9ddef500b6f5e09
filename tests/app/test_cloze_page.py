"""The Cloze page, on tiny models made on the fly."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from bertnesia.store import queries
from bertnesia.store.study import open_study
from tests.app.conftest import OpenPage, figures

PROMPT = "anna was born in [MASK] ."


def test_the_last_layer_says_what_the_model_says(open_page: OpenPage, database: Path) -> None:
    app = open_page("cloze", prompt=PROMPT, decoder="stock", watched="arlo, fino")
    table = app.dataframe[0].value
    assert len(table) == 2 * 6 * 5
    last = table[(table["label"] == "MINI") & (table["layer"] == 6)].sort_values("place")
    folder = database.parent / "models" / "mini"
    model, words = AutoModelForMaskedLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    inputs = words(PROMPT, return_tensors="pt")
    with torch.no_grad():
        scores = model(**inputs).logits[0, inputs["input_ids"][0].tolist().index(words.mask_token_id)]
    probabilities, ids = scores.softmax(-1).topk(5)
    assert last["token"].tolist() == words.convert_ids_to_tokens(ids.tolist())
    assert last["probability"].tolist() == pytest.approx((100 * probabilities).tolist(), abs=1e-3)
    watched = app.dataframe[1].value
    assert len(watched) == 2 * 6 * 2
    row = watched[(watched["label"] == "MINI") & (watched["layer"] == 6) & (watched["word"] == "arlo")].iloc[0]
    assert row["rank"] == 1 + int((scores > scores[words.convert_tokens_to_ids("arlo")]).sum())
    mini, qa, ranks = figures(app)
    assert mini["layout"]["title"]["text"] == "MINI"
    assert qa["layout"]["title"]["text"] == "QA-SQUAD"
    assert len(ranks["data"]) == 4


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"prompt": "anna was born in arlo ."}, "The prompt has no mask"),
        ({"prompt": "[MASK] " * 5}, "5 masks"),
        ({"prompt": "arlo " * 100 + "[MASK]"}, "shorten it"),
        ({"prompt": PROMPT, "decoder": "trained"}, "cannot be answered"),
    ],
)
def test_what_cannot_be_asked_is_told_as_text(open_page: OpenPage, parameters: dict[str, str], sentence: str) -> None:
    app = open_page("cloze", **{"decoder": "stock", "watched": "", **parameters})
    assert not app.exception
    assert figures(app) == []
    said = [one.value for one in (*app.text, *app.markdown)]
    assert any(sentence in one for one in said)
    assert not any("<b>" in one.value for one in app.markdown), "typed text is never Markdown"


def test_a_word_without_a_rank_is_told_beside_the_predictions(open_page: OpenPage) -> None:
    app = open_page("cloze", prompt=PROMPT, decoder="stock", watched="arlo, <b>unheard</b>")
    assert len(figures(app)) == 2
    assert any("'<b>unheard</b>' is not one token" in one.value for one in app.text)


def test_two_masks_give_two_grids_a_model(open_page: OpenPage) -> None:
    app = open_page("cloze", prompt="[MASK] was born in [MASK] .", decoder="stock", watched="", words="3")
    titles = [figure["layout"]["title"]["text"] for figure in figures(app)]
    assert titles == ["MINI, mask 1", "QA-SQUAD, mask 1", "MINI, mask 2", "QA-SQUAD, mask 2"]
    assert len(app.dataframe[0].value) == 2 * 2 * 6 * 3


def test_an_example_fills_the_fields(open_page: OpenPage, database: Path) -> None:
    app = open_page("cloze", prompt=PROMPT, decoder="stock", watched="")
    first = queries.examples(open_study(database)).iloc[0]
    app.selectbox(key="example").set_value(first["prompt"]).run()
    assert app.text_input(key="prompt").value == first["prompt"]
    assert app.text_input(key="watched").value == first["object"]
    assert app.selectbox(key="example").value is None
