"""Live cloze prompts on real, tiny models: what comes back, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from bertnesia.cloze import Cloze
from bertnesia.errors import BertnesiaError
from bertnesia.live import Checkpoint, LiveModels, Request
from bertnesia.models.layered import load_layered
from tests import tiny
from tests.livemodels import save_trained

PROMPT = "anna was born in [MASK] ."
SIZE = len(tiny.tokenizer())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("models")
    base, other = tiny.save_masked_lm(root / "base"), tiny.save_masked_lm(root / "other", seed=1)
    save_trained(base, base, seed=2)
    save_trained(other, base, seed=3)
    save_trained(base, base, "full", seed=4)
    return base, other


@pytest.fixture(scope="module")
def live(folders: tuple[Path, Path]) -> LiveModels:
    base, other = map(str, folders)
    return LiveModels({"base": Checkpoint(base), "other": Checkpoint(other, base)})


def slow_scores(folder: Path, base: Path | None, kind: str, prompt: str) -> np.ndarray:
    """Scores (layers, masks, vocab): every layer's head by itself, on every position."""
    model = load_layered(str(folder), None if base is None else str(base), [kind])
    ids = torch.tensor([model.tokenizer(prompt)["input_ids"]])
    with torch.no_grad():
        states = model.encoder(input_ids=ids, output_hidden_states=True).hidden_states[1:]
        scores = [model.of_kind(kind).head(i + 1).logits(state[0]) for i, state in enumerate(states)]
    return torch.stack(scores)[:, ids[0] == model.tokenizer.mask_token_id].numpy()


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


@pytest.mark.parametrize("kind", ["trained", "stock", "own", "base"])
def test_every_number_is_that_of_layer_after_layer(live: LiveModels, folders: tuple[Path, Path], kind: str) -> None:
    """Tokens, probabilities, ranks, ranks one layer before and distances, against heads run one by one."""
    prompt = "[MASK] was born in [MASK] and lives in arlo ."
    base, other = folders
    first = slow_scores(base, None, "trained" if kind == "base" else kind, prompt)
    second = slow_scores(other, base, kind, prompt)
    reply = live.ask(Request(prompt, ("base", "other"), kind, 4, ("fino", "Gora"), ("arlo", "norland")))
    names, words = tiny.tokenizer().convert_ids_to_tokens(range(SIZE)), tiny.tokenizer().get_vocab()
    assert [(one.model, one.mask) for one in reply.results] == [("base", 1), ("base", 2), ("other", 1), ("other", 2)]
    for result in reply.results:
        tables = (first if result.model == "base" else second)[:, result.mask - 1]
        logs = tables - np.log(np.exp(tables).sum(-1, keepdims=True))
        others = first[:, result.mask - 1], second[:, result.mask - 1]
        for i, layer in enumerate(result.layers):
            order = np.argsort(-tables[i], kind="stable")
            assert list(layer.tokens) == [names[j] for j in order[:4]]
            assert list(layer.probabilities) == pytest.approx(np.exp(logs[i][order[:4]]).tolist(), rel=1e-4)
            if i == 0:
                assert layer.ranks_before is None
            else:
                assert layer.ranks_before == tuple(slow_rank(tables[i - 1], j) for j in order[:4])
            assert [(one.word, one.rank) for one in layer.watched] == [
                ("fino", slow_rank(tables[i], words["fino"])), ("Gora", slow_rank(tables[i], words["gora"]))
            ]  # fmt: skip
            right = ("arlo", "norland")[result.mask - 1]
            assert layer.answer is not None
            assert (layer.answer.word, layer.answer.rank) == (right, slow_rank(tables[i], words[right]))
            union = {int(j) for table in others for j in np.argsort(-table[i], kind="stable")[:4]}
            assert {one.word: one.rank for one in layer.also} == {names[j]: slow_rank(tables[i], j) for j in union}
            assert [one.rank for one in layer.also] == sorted(one.rank for one in layer.also)
            check_distance(layer.distance, others[0][i], tables[i], result.model == "base")


def slow_rank(scores: np.ndarray, index: int) -> int:
    return 1 + sum(score > scores[index] for score in scores)


def check_distance(distance: object, reference: np.ndarray, scores: np.ndarray, same: bool) -> None:
    if same:
        assert distance is None
        return
    p, q = (np.exp(table - table.max()) / np.exp(table - table.max()).sum() for table in (reference, scores))
    assert distance is not None
    assert distance.total_variation == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-5)
    assert distance.divergence == pytest.approx((p * np.log(p / q)).sum(), abs=1e-4)
    assert distance.total_variation > 0.01


def test_a_full_decoder_has_an_output_matrix_for_each_layer(live: LiveModels, folders: tuple[Path, Path]) -> None:
    (result,) = live.predict(PROMPT, ["base"], "full", k=SIZE)
    scores = slow_scores(folders[0], None, "full", PROMPT)[:, 0]
    names = tiny.tokenizer().convert_ids_to_tokens(range(SIZE))
    for layer, table in zip(result.layers, scores, strict=True):
        assert list(layer.tokens) == [names[j] for j in np.argsort(-table, kind="stable")]


def test_one_model_alone_says_what_the_python_interface_says(live: LiveModels, folders: tuple[Path, Path]) -> None:
    alone = Cloze(folders[1], folders[0])
    (result,) = live.predict(PROMPT, ["other"], "trained", k=3, watched=["arlo"])
    table = alone.predict(PROMPT, k=3)
    assert [token for layer in result.layers for token in layer.tokens] == table["token"].tolist()
    ranks = alone.ranks(PROMPT, "arlo")
    assert [layer.watched[0].rank for layer in result.layers] == ranks["rank"].tolist()


def test_each_mask_and_model_gets_a_result(live: LiveModels) -> None:
    results = live.predict("[MASK] was born in ___ and <mask> .", ["other", "base"], "stock", k=2)
    assert [(result.model, result.mask) for result in results] == [(m, i) for m in ("other", "base") for i in (1, 2, 3)]
    assert all(len(layer.tokens) == 2 for result in results for layer in result.layers)
    assert all(layer.distance is None for result in results[:3] for layer in result.layers), (
        "the first is compared with"
    )
    assert all(layer.distance is not None for result in results[3:] for layer in result.layers)


def test_a_model_named_twice_answers_once(live: LiveModels) -> None:
    assert [one.model for one in live.predict(PROMPT, ["base", "base"], "stock")] == ["base"]


def test_a_watched_words_rank_is_its_place_among_all_predictions(live: LiveModels) -> None:
    (result,) = live.predict(PROMPT, ["base"], "stock", k=SIZE, watched=["Arlo", "fino"])
    for layer in result.layers:
        for word in layer.watched:
            place = layer.tokens.index(word.token)
            assert word.token == word.word.lower()
            assert word.rank == place + 1
            assert word.probability == pytest.approx(layer.probabilities[place])


@pytest.mark.parametrize(
    ("prompt", "fault"),
    [
        ("", "empty"),
        ("anna was born in town .", "no mask"),
        ("[MASK] " * 5, "5 masks"),
        ("anna\x00 [MASK]", "control characters"),
    ],
)
def test_prompts_that_cannot_be_answered_are_refused(live: LiveModels, prompt: str, fault: str) -> None:
    with pytest.raises(BertnesiaError, match=fault):
        live.predict(prompt, ["base"], "stock")


def test_a_prompt_longer_than_the_model_takes_is_not_cut(live: LiveModels) -> None:
    live.predict("anna " * 61 + "[MASK]", ["base"], "stock")
    with pytest.raises(BertnesiaError, match="65 tokens long, but the model takes at most 64: shorten it"):
        live.predict("anna " * 62 + "[MASK]", ["base"], "stock")


@pytest.mark.parametrize("k", [0, -1, 101])
def test_k_out_of_range_is_refused(live: LiveModels, k: int) -> None:
    with pytest.raises(BertnesiaError, match=rf"k is {k}, but must be between 1 and 100"):
        live.predict(PROMPT, ["base"], "stock", k=k)


def test_k_beyond_the_vocabulary_is_refused(live: LiveModels) -> None:
    assert SIZE < 100
    with pytest.raises(BertnesiaError, match=f"k is {SIZE + 1}, but the vocabulary of base has {SIZE} entries"):
        live.predict(PROMPT, ["base"], "stock", k=SIZE + 1)


def test_too_many_or_too_long_words_are_refused(live: LiveModels) -> None:
    with pytest.raises(BertnesiaError, match="51 words are watched, but at most 50"):
        live.predict(PROMPT, ["base"], "stock", watched=[f"w{i}" for i in range(51)])
    with pytest.raises(BertnesiaError, match="longer than 100 characters"):
        live.predict(PROMPT, ["base"], "stock", watched=["a" * 101])
    with pytest.raises(BertnesiaError, match=r"'a\\x07' holds control characters"):
        live.predict(PROMPT, ["base"], "stock", watched=["a\x07"])


def test_unknown_names_are_refused_with_those_that_exist(live: LiveModels) -> None:
    with pytest.raises(BertnesiaError, match="no model 'nope'; there are: base, other"):
        live.predict(PROMPT, ["base", "nope"], "stock")
    with pytest.raises(BertnesiaError, match="no 'nope' decoders of this model; there are: trained, stock, full, base"):
        live.predict(PROMPT, ["base"], "nope")
    with pytest.raises(BertnesiaError, match="at least one model"):
        live.predict(PROMPT, [], "stock")


def test_a_model_that_cannot_answer_leaves_the_others_their_answers(live: LiveModels) -> None:
    reply = live.ask(Request(PROMPT, ("other", "base"), "full"))
    assert [result.model for result in reply.results] == ["base"]
    (refusal,) = reply.refusals
    assert refusal.model == "other"
    assert "no 'full' decoders" in refusal.sentence
    with pytest.raises(BertnesiaError, match="no 'full' decoders"):
        live.predict(PROMPT, ["other", "base"], "full")


def test_a_word_of_several_tokens_names_its_pieces(live: LiveModels) -> None:
    reply = live.ask(Request(PROMPT, ("base",), "stock", 5, ("xyz", "arlo", "##z"), ("qu",)))
    (result,) = reply.results
    assert [one.word for one in result.layers[0].watched] == ["arlo", "##z"], "a piece can be watched"
    assert result.layers[0].answer is None
    assert {word.word: word.pieces for word in result.unranked} == {"qu": ("q", "##u"), "xyz": ("x", "##y", "##z")}
    assert result.unranked[1].sentence == (
        "'xyz' is not one token of the vocabulary but 3: x, ##y, ##z, so it has no rank."
    )


def test_who_has_the_right_answer_and_where_models_part(live: LiveModels) -> None:
    (plain,) = live.predict(PROMPT, ["base"], "trained", k=1)
    first = plain.layers[1].tokens[0]
    base, other = live.ask(Request(PROMPT, ("base", "other"), "trained", 1, (), (first,))).results
    assert base.right_at == tuple(layer.layer for layer in base.layers if layer.tokens == (first,))
    assert 2 in base.right_at
    assert base.parts_at is None
    variations = [layer.distance.total_variation for layer in other.layers if layer.distance]
    expected = next((i + 1 for i in range(3) if min(variations[i:]) >= 0.5), None)
    assert other.parts_at == expected
