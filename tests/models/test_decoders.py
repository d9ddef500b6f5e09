"""Decoders: what they compute, how they are trained together, and what is refused on loading."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM

from bertnesia.corpora import Corpus, read_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.decoder_bank import DecoderBank
from bertnesia.models.decoder_training import DecoderTraining, decoder_text, train_decoders
from bertnesia.models.decoders import Decoders, parse_layers, read_decoder_config, stock_decoders
from bertnesia.models.encoder import load_encoder, load_masked_lm, load_tokenizer
from bertnesia.models.heads import head_weights
from bertnesia.models.layered import load_layered
from bertnesia.probes.facts import Fact
from tests import tiny

SETTINGS = DecoderTraining(
    decoder_share=0.6, validation_share=0.2, schedule=Schedule(steps=12, batch_tokens=256, evaluations=4)
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_masked_lm(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return read_corpus([tiny.write_text(tmp_path_factory.mktemp("text") / "text.txt")])


def train(model: Path, corpus: Corpus, out: Path, settings: DecoderTraining = SETTINGS) -> Decoders:
    stock = head_weights(load_masked_lm(str(model))[0])
    encoder, words = load_encoder(str(model)), load_tokenizer(str(model))
    train_decoders(encoder, words, stock, corpus, [], out / "trained", settings)
    return load_layered(str(model), decoders=out).of_kind("trained")


def test_stock_decoder_of_the_last_layer_gives_the_models_own_logits(model: Path) -> None:
    reference = AutoModelForMaskedLM.from_pretrained(model).eval()
    layered = load_layered(str(model), kinds=["stock"])
    inputs = layered.tokenizer("anna was born in [MASK] .", return_tensors="pt")
    with torch.no_grad():
        expected = reference(**inputs).logits
        hidden = layered.encoder(**inputs).last_hidden_state
    actual = layered.of_kind("stock").logits(hidden[0], layer=3)
    torch.testing.assert_close(actual, expected[0], rtol=0, atol=1e-5)


def test_features_and_logits_agree_for_every_layer(model: Path) -> None:
    layered = load_layered(str(model), kinds=["stock"])
    heads = tuple(replace(layered.stock, bias=layered.stock.bias + i) for i in range(3))
    decoders = Decoders("trained", heads)
    hidden = torch.randn(4, 3, 32)
    features = decoders.features(hidden)
    for i, head in enumerate(heads):
        expected = features[:, i] @ head.output.T + head.bias
        torch.testing.assert_close(decoders.logits(hidden[:, i], i + 1), expected)


def test_training_lowers_the_loss_and_keeps_each_layers_best(model: Path, corpus: Corpus, tmp_path: Path) -> None:
    train(model, corpus, tmp_path)
    config = read_decoder_config(tmp_path / "trained")
    assert [entry["step"] for entry in config.history] == [0, 3, 6, 9, 12]
    for record in config.layers:
        curve = {entry["step"]: entry[f"loss_{record.layer}"] for entry in config.history}
        assert record.loss == pytest.approx(min(curve.values()), rel=1e-6)
        assert record.loss == pytest.approx(curve[record.step], rel=1e-6)
        assert record.loss < curve[0]
    assert config.passages_left_out == 0


def test_only_dense_norm_and_bias_are_trained(model: Path, corpus: Corpus, tmp_path: Path) -> None:
    trained = train(model, corpus, tmp_path)
    stock = head_weights(load_masked_lm(str(model))[0])
    for head in trained.heads:
        assert torch.equal(head.output, stock.output)
        assert not torch.equal(head.dense, stock.dense)
    stored = {"dense", "dense_bias", "norm", "norm_bias", "bias"}
    assert set(load_file(tmp_path / "trained/layer-1.safetensors")) == stored


def test_layers_trained_together_are_those_trained_alone(model: Path) -> None:
    """A bank of one head, fed with the hidden states of layer 2 alone, ends at the same weights."""
    torch.manual_seed(1)
    hidden, labels = torch.randn(40, 3, 32), torch.randint(0, 80, (40,))
    stock = head_weights(load_masked_lm(str(model))[0])
    all_three, alone = DecoderBank([stock] * 3, [1, 2, 3]), DecoderBank([stock], [2])
    for bank in (all_three, alone):
        optimizer = torch.optim.AdamW(bank.parameters(), lr=1e-2, weight_decay=0)
        for _ in range(5):
            optimizer.zero_grad()
            losses = [
                torch.nn.functional.cross_entropy(head.weights().logits(hidden[:, layer - 1]), labels)
                for head, layer in zip(bank.all_heads, bank.reads, strict=True)
            ]
            torch.stack(losses).sum().backward()
            optimizer.step()
    second, only = all_three.all_heads[1].weights(), alone.all_heads[0].weights()
    for name, tensor in only.tensors.items():
        assert not torch.equal(tensor, stock.tensors[name])
        torch.testing.assert_close(second.tensors[name], tensor, rtol=1e-4, atol=1e-5)


def test_the_best_weights_are_kept_not_the_last(model: Path) -> None:
    start = head_weights(load_masked_lm(str(model))[0])
    bank = DecoderBank([start] * 2, [1, 2])
    first, second = bank.all_heads
    bank.step += 1
    bank.keep_better([3.0, 5.0], [0.1, 0.2])
    with torch.no_grad():
        for head in (first, second):
            head.dense.add_(1.0)
    bank.step += 1
    bank.keep_better([4.0, 4.0], [0.1, 0.3])  # layer 1 got worse, layer 2 better
    assert [int(head.best_step) for head in (first, second)] == [1, 2]
    assert [float(head.best_loss) for head in (first, second)] == [3.0, 4.0]
    assert torch.equal(first.weights("best_").dense, start.dense)
    assert torch.equal(second.weights("best_").dense, start.dense + 1.0)


def test_the_same_seed_gives_the_same_decoders(model: Path, corpus: Corpus, tmp_path: Path) -> None:
    first, second = train(model, corpus, tmp_path / "a"), train(model, corpus, tmp_path / "b")
    assert all(torch.equal(a.dense, b.dense) for a, b in zip(first.heads, second.heads, strict=True))


def test_text_that_tells_a_fact_is_left_out(corpus: Corpus) -> None:
    facts = [Fact("toy", "P1", "Arlo", "Norland"), Fact("toy", "P1", "nowhere", "norland")]
    everything, none_left_out = decoder_text(corpus, SETTINGS, [])
    kept, left_out = decoder_text(corpus, SETTINGS, facts)
    told = [p for p in everything if {"arlo", "norland"} <= set(p.text.split())]
    assert none_left_out == 0
    assert left_out == len(told) > 0
    assert [p for p in everything if p not in told] == kept


@pytest.fixture(scope="module")
def decoders(model: Path, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("decoders")
    train(model, corpus, out)
    return out


@pytest.fixture
def saved(decoders: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(decoders, tmp_path / "saved")


def test_decoders_of_another_model_are_refused(saved: Path, tmp_path: Path) -> None:
    other = tiny.save_masked_lm(tmp_path / "other", seed=5)
    with pytest.raises(BertnesiaError, match="trained for another encoder"):
        load_layered(str(other), decoders=saved)


def test_decoders_of_another_output_matrix_are_refused(saved: Path, model: Path, tmp_path: Path) -> None:
    """The encoder is the same, but the base whose head decodes it is not."""
    other = tiny.save_masked_lm(tmp_path / "other", seed=5)
    with pytest.raises(BertnesiaError, match="trained for another output matrix"):
        load_layered(str(model), base=str(other), decoders=saved)


def test_a_layers_file_in_anothers_place_is_refused(saved: Path, model: Path) -> None:
    first, second = (saved / f"trained/layer-{i}.safetensors" for i in (1, 2))
    first.write_bytes(second.read_bytes())
    with pytest.raises(BertnesiaError, match=r"layer-1.safetensors is damaged or belongs to another layer"):
        load_layered(str(model), decoders=saved)


def test_changed_weights_are_refused(saved: Path, model: Path) -> None:
    path = saved / "trained/layer-3.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "norm": tensors["norm"] * 1.5}, path)
    with pytest.raises(BertnesiaError, match=r"layer-3.safetensors is damaged"):
        load_layered(str(model), decoders=saved)


def test_a_truncated_file_is_refused(saved: Path, model: Path) -> None:
    path = saved / "trained/layer-2.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BertnesiaError, match=r"Cannot read the decoder .*layer-2.safetensors"):
        load_layered(str(model), decoders=saved)


def test_a_config_with_a_fault_names_it(saved: Path, model: Path) -> None:
    path = saved / "trained/config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "layers": "three"}))
    with pytest.raises(BertnesiaError, match=r"config.json is not a decoder config: layers is wrong"):
        load_layered(str(model), decoders=saved)


def test_a_config_of_before_seeds_and_kinds_still_loads(saved: Path, model: Path) -> None:
    path = saved / "trained/config.json"
    config = json.loads(path.read_text())
    for name in ("seed", "start"):
        del config[name]
    for record in config["layers"]:
        del record["still_improving"]
    path.write_text(json.dumps(config))
    assert load_layered(str(model), decoders=saved).of_kind("trained").seed == 0
    found = read_decoder_config(saved / "trained")
    assert [record.still_improving for record in found.layers] == [None] * 3
    assert (found.identity()["kind"], found.identity()["seed"], found.identity()["start"]) == ("trained", 0, None)


def test_a_model_without_decoders_says_how_to_get_them(model: Path, tmp_path: Path) -> None:
    with pytest.raises(BertnesiaError, match="train them with 'bertnesia train-decoders'"):
        load_layered(str(model), decoders=tmp_path)


def test_stock_decoders_are_one_head_at_every_layer(model: Path) -> None:
    head = head_weights(load_masked_lm(str(model))[0])
    assert stock_decoders(head, 4).heads == (head,) * 4


@pytest.mark.parametrize(
    ("text", "layers"), [("all", [1, 2, 3, 4]), ("3", [3]), ("1, 4", [1, 4]), ("2-4", [2, 3, 4]), ("4,1-2", [1, 2, 4])]
)
def test_layers_are_read_from_text(text: str, layers: list[int]) -> None:
    assert parse_layers(text, depth=4) == layers


@pytest.mark.parametrize(
    ("text", "fault"), [("last", "does not name layers"), ("5", "no layer 5"), ("0", "no layer 0")]
)
def test_layers_that_are_not_there_are_refused(text: str, fault: str) -> None:
    with pytest.raises(BertnesiaError, match=fault):
        parse_layers(text, depth=4)
