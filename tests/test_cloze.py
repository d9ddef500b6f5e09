"""Cloze from Python against transformers alone."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM

import bertnesia
from bertnesia.errors import BertnesiaError
from tests import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_masked_lm(tmp_path_factory.mktemp("cloze") / "base")


@pytest.fixture(scope="module")
def cloze(folder: Path) -> bertnesia.Cloze:
    return bertnesia.Cloze(folder)


@torch.no_grad()
def slow_probabilities(folder: Path, text: str, layer: int) -> torch.Tensor:
    """(masks, vocab)"""
    model, words = AutoModelForMaskedLM.from_pretrained(folder).eval(), tiny.tokenizer()
    ids = torch.tensor([words(text)["input_ids"]])
    states = model.bert(ids, output_hidden_states=True).hidden_states
    return model.cls(states[layer])[0, ids[0] == words.mask_token_id].softmax(-1)


def test_predictions_of_every_layer_and_mask(folder: Path, cloze: bertnesia.Cloze) -> None:
    text = "[MASK] was born in [MASK] ."
    table = cloze.predict(text, k=4)
    assert list(table.columns) == ["mask", "layer", "place", "token", "probability"]
    assert len(table) == 2 * 3 * 4
    for layer in (1, 2, 3):
        top = slow_probabilities(folder, text, layer).topk(4)
        for mask in (0, 1):
            rows = table[(table["mask"] == mask + 1) & (table["layer"] == layer)]
            assert list(rows["place"]) == [1, 2, 3, 4]
            assert list(rows["token"]) == tiny.tokenizer().convert_ids_to_tokens(top.indices[mask].tolist())
            assert list(rows["probability"]) == pytest.approx(top.values[mask].tolist(), abs=1e-6)


def test_only_the_layers_asked_for(cloze: bertnesia.Cloze) -> None:
    assert set(cloze.predict("anna lives in [MASK] .", "2-3", k=1)["layer"]) == {2, 3}
    assert set(cloze.predict("anna lives in [MASK] .", 2, k=1)["layer"]) == {2}
    assert cloze.layers == 3
    assert cloze.kinds == ("stock",)


def test_ranks_of_words(folder: Path, cloze: bertnesia.Cloze) -> None:
    text = "anna was born in [MASK] ."
    table = cloze.ranks(text, ["Fino", "arlo"], layers="1,3")
    assert [(row.word, row.layer) for row in table.itertuples()] == [("Fino", 1), ("Fino", 3), ("arlo", 1), ("arlo", 3)]
    for row in table.itertuples():
        scores = slow_probabilities(folder, text, row.layer)[0]
        own = scores[tiny.tokenizer().convert_tokens_to_ids(row.word.lower())]
        assert row.rank == 1 + int((scores > own).sum())
        assert row.probability == pytest.approx(float(own), abs=1e-6)
    assert len(cloze.ranks(text, "arlo")) == 3


@pytest.mark.parametrize(
    ("prompt", "fault"),
    [
        ("anna was born .", "has no mask"),
        ("", "has no mask"),
        ("anna " * 70 + "[MASK]", "the model takes at most 64"),
    ],
)
def test_sentences_that_cannot_be_asked(cloze: bertnesia.Cloze, prompt: str, fault: str) -> None:
    with pytest.raises(BertnesiaError, match=fault):
        cloze.predict(prompt)
    with pytest.raises(BertnesiaError, match=fault):
        cloze.ranks(prompt, "arlo")


def test_other_bad_arguments(cloze: bertnesia.Cloze) -> None:
    with pytest.raises(BertnesiaError, match=r"'xyz' has no rank in this sentence: object is 3 tokens"):
        cloze.ranks("anna was born in [MASK] .", ["arlo", "xyz"])
    with pytest.raises(BertnesiaError, match=r"'arlo' has no rank in this sentence: prompt has 2 masks"):
        cloze.ranks("[MASK] was born in [MASK] .", "arlo")
    with pytest.raises(BertnesiaError, match="k is 0, but must be between 1 and"):
        cloze.predict("[MASK] .", k=0)
    with pytest.raises(BertnesiaError, match="There are no 'trained' decoders of this model; there are: stock"):
        cloze.predict("[MASK] .", kind="trained")
    with pytest.raises(BertnesiaError, match="There is no layer 4"):
        cloze.predict("[MASK] .", layers=4)
