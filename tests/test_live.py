"""Live cloze prompts on real, tiny models."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from bertnesia.errors import BertnesiaError
from bertnesia.live import Checkpoint, LiveModels
from tests import tiny

PROMPT = "anna was born in [MASK] ."


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("models")
    return tiny.save_masked_lm(root / "base"), tiny.save_masked_lm(root / "other", seed=1)


@pytest.fixture(scope="module")
def live(folders: tuple[Path, Path]) -> LiveModels:
    base, other = map(str, folders)
    return LiveModels({"base": Checkpoint(base), "other": Checkpoint(other, base)})


def test_the_last_layer_of_the_base_is_the_model_itself(live: LiveModels, folders: tuple[Path, Path]) -> None:
    (result,) = live.predict(PROMPT, ["base"], "stock", k=7)
    model, words = AutoModelForMaskedLM.from_pretrained(folders[0]).eval(), AutoTokenizer.from_pretrained(folders[0])
    inputs = words(PROMPT, return_tensors="pt")
    with torch.no_grad():
        scores = model(**inputs).logits[0, inputs["input_ids"][0].tolist().index(words.mask_token_id)]
    probabilities, ids = scores.softmax(-1).topk(7)
    assert [layer.layer for layer in result.layers] == [1, 2, 3]
    assert list(result.layers[-1].tokens) == words.convert_ids_to_tokens(ids.tolist())
    assert list(result.layers[-1].probabilities) == pytest.approx(probabilities.tolist(), abs=1e-6)


def test_a_sibling_is_decoded_with_its_bases_head(live: LiveModels, folders: tuple[Path, Path]) -> None:
    (result,) = live.predict(PROMPT, ["other"], "stock", k=1)
    base = AutoModelForMaskedLM.from_pretrained(folders[0]).eval()
    other = AutoModelForMaskedLM.from_pretrained(folders[1]).eval()
    inputs = AutoTokenizer.from_pretrained(folders[0])(PROMPT, return_tensors="pt")
    with torch.no_grad():
        scores = base.cls(other.bert(**inputs).last_hidden_state)[0, 5]
    assert result.layers[-1].probabilities[0] == pytest.approx(float(scores.softmax(-1).max()), abs=1e-6)


def test_each_mask_and_model_gets_a_result(live: LiveModels) -> None:
    results = live.predict("[MASK] was born in ___ and <mask> .", ["other", "base"], "stock", k=2)
    assert [(result.model, result.mask) for result in results] == [(m, i) for m in ("other", "base") for i in (1, 2, 3)]
    assert all(len(layer.tokens) == 2 for result in results for layer in result.layers)


def test_a_watched_words_rank_is_its_place_among_all_predictions(live: LiveModels) -> None:
    size = len(tiny.tokenizer())
    (result,) = live.predict(PROMPT, ["base"], "stock", k=size, watched=["Arlo", "fino"])
    for layer in result.layers:
        for word in layer.watched:
            place = layer.tokens.index(word.word.lower())
            assert word.rank == place + 1
            assert word.probability == pytest.approx(layer.probabilities[place])


@pytest.mark.parametrize(
    ("prompt", "fault"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("anna was born in town .", "no mask"),
        ("[MASK] " * 5, "5 masks"),
        ("anna\x00 [MASK]", "control characters"),
        ("anna " * 70 + "[MASK]", "the model takes at most 64"),
    ],
)
def test_prompts_that_cannot_be_answered_are_refused(live: LiveModels, prompt: str, fault: str) -> None:
    with pytest.raises(BertnesiaError, match=fault):
        live.predict(prompt, ["base"], "stock")


@pytest.mark.parametrize("k", [0, -1, 101])
def test_k_out_of_range_is_refused(live: LiveModels, k: int) -> None:
    with pytest.raises(BertnesiaError, match=rf"k is {k}, but must be between 1 and"):
        live.predict(PROMPT, ["base"], "stock", k=k)


def test_unknown_names_are_refused_with_those_that_exist(live: LiveModels) -> None:
    with pytest.raises(BertnesiaError, match="no model 'nope'; there are: base, other"):
        live.predict(PROMPT, ["base", "nope"], "stock")
    with pytest.raises(BertnesiaError, match="no 'nope' decoders of this model; there are: stock"):
        live.predict(PROMPT, ["base"], "nope")
    with pytest.raises(BertnesiaError, match="at least one model"):
        live.predict(PROMPT, [], "stock")


def test_a_watched_word_of_several_tokens_names_its_pieces(live: LiveModels) -> None:
    with pytest.raises(BertnesiaError, match="'xyz' is not one token of the vocabulary but x, ##y, ##z"):
        live.predict(PROMPT, ["base"], "stock", watched=["xyz"])


def test_visitors_at_the_same_time_get_their_own_answers(live: LiveModels) -> None:
    prompts = [f"{person} was born in [MASK] and {town} ." for person in tiny.PEOPLE[:4] for town in tiny.TOWNS[:5]]
    alone = [live.predict(prompt, ["base", "other"], "stock") for prompt in prompts]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(lambda prompt: live.predict(prompt, ["base", "other"], "stock"), prompts))
    assert together == alone
    assert len({result[0].layers[-1].probabilities for result in alone}) == len(prompts)
