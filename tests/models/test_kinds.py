"""Decoder kinds and seeds: what each is made of, started from and loaded with."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoModelForQuestionAnswering

from bertnesia.corpora import Corpus, read_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.decoder_training import (
    DecoderTraining,
    decoder_identity,
    train_decoders,
    train_last_layer_seeds,
)
from bertnesia.models.decoders import (
    decoder_name,
    parse_decoder_name,
    read_decoder_config,
    saved_decoders,
    saved_kinds,
)
from bertnesia.models.encoder import (
    encoder_hash,
    layer_states,
    load_config,
    load_encoder,
    load_masked_lm,
    load_tokenizer,
    random_encoder,
)
from bertnesia.models.heads import HeadWeights, head_weights
from bertnesia.models.layered import load_control, load_layered
from bertnesia.probes import read_probe_sets
from bertnesia.probes.eligibility import make_prompts
from bertnesia.probes.lama import read_lama
from bertnesia.probing.engine import make_shards, probe_shard
from bertnesia.probing.run import ask, head_hash, probe_to_parts
from tests import tiny

SETTINGS = DecoderTraining(
    decoder_share=0.6,
    validation_share=0.2,
    schedule=Schedule(steps=6, batch_tokens=256, evaluations=2, learning_rate=1e-2, weight_decay=0),
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return read_corpus([tiny.write_text(tmp_path_factory.mktemp("text") / "text.txt")])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Not seed 0 or 1: the tiny model is itself nothing but a random start, and these are the controls' seeds.
    return tiny.save_masked_lm(tmp_path_factory.mktemp("models") / "base", seed=5)


@pytest.fixture(scope="module")
def sibling(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fine-tuned further as a masked language model: its own head is not the base's."""
    return moved(base, tmp_path_factory.mktemp("models") / "sibling")


def moved(base: Path, folder: Path, auto: object = AutoModelForMaskedLM) -> Path:
    torch.manual_seed(3)
    model = auto.from_pretrained(base)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    for file in base.glob("*token*"):
        shutil.copy(file, folder)
    return folder


def stock_of(folder: Path) -> HeadWeights:
    return head_weights(load_masked_lm(str(folder))[0])


def train(model: Path, base: Path, corpus: Corpus, out: Path, kind: str, seed: int = 0, **more: object) -> None:
    encoder, words = load_encoder(str(model)), load_tokenizer(str(model))
    if kind == "control":
        encoder = random_encoder(load_config(str(model)), seed)
    folder = out / decoder_name(kind, seed)
    train_decoders(encoder, words, stock_of(base), corpus, [], folder, SETTINGS, kind, seed, **more)


def test_own_is_the_checkpoints_head_at_every_layer(base: Path, sibling: Path) -> None:
    layered = load_layered(str(sibling), str(base), ["own", "stock"])
    own, stock = layered.of_kind("own"), layered.of_kind("stock")
    reference = AutoModelForMaskedLM.from_pretrained(sibling).eval()
    inputs = layered.tokenizer("anna was born in [MASK] .", return_tensors="pt")
    states = layered.states(inputs["input_ids"], inputs["attention_mask"])
    with torch.no_grad():
        for layer, state in enumerate(states, start=1):
            torch.testing.assert_close(own.logits(state, layer), reference.cls(state), rtol=0, atol=1e-5)
            assert not torch.allclose(own.logits(state, layer), stock.logits(state, layer), atol=0.1)
    assert head_hash(own.heads[0]) != head_hash(replace(own.heads[0], output=own.heads[0].output + 1))


def test_own_of_a_base_is_its_stock(base: Path) -> None:
    layered = load_layered(str(base), kinds=["own", "stock"])
    hidden = torch.randn(5, 32)
    assert torch.equal(layered.of_kind("own").logits(hidden, 2), layered.of_kind("stock").logits(hidden, 2))


def test_full_trains_the_output_matrix_of_every_layer_from_the_checkpoints_own_head(
    base: Path, sibling: Path, corpus: Corpus, tmp_path: Path
) -> None:
    train(sibling, base, corpus, tmp_path, "full", start=stock_of(sibling))
    full = load_layered(str(sibling), str(base), ["full"], tmp_path).of_kind("full")
    start = stock_of(sibling)
    for layer, head in enumerate(full.heads, start=1):
        stored = load_file(tmp_path / f"full/layer-{layer}.safetensors")
        assert torch.equal(stored["output"].float(), head.output)
        assert not torch.allclose(head.output, start.output, atol=1e-3)
        assert torch.allclose(head.output, start.output, atol=0.1)  # six steps of at most 0.01 away
        assert not torch.allclose(head.output, stock_of(base).output, atol=0.1)
    assert len({head_hash(head) for head in full.heads}) == 3


def test_full_without_a_head_of_its_own_starts_from_stock(base: Path, corpus: Corpus, tmp_path: Path) -> None:
    qa = moved(base, tmp_path / "qa", AutoModelForQuestionAnswering)
    train(qa, base, corpus, tmp_path, "full")
    full = load_layered(str(qa), str(base), ["full"], tmp_path).of_kind("full")
    assert all(torch.allclose(head.output, stock_of(base).output, atol=0.1) for head in full.heads)
    assert read_decoder_config(tmp_path / "full").start is None


def test_states_record_nothing_for_gradients(base: Path) -> None:
    encoder = load_masked_lm(str(base))[0].base_model
    encoder.requires_grad_(True)
    ids = torch.tensor([[2, 5, 3]])
    assert not any(state.requires_grad for state in layer_states(encoder, ids, torch.ones_like(ids)))


def test_another_device_gets_everything_and_a_shared_output_matrix_once(
    base: Path, sibling: Path, corpus: Corpus, tmp_path: Path
) -> None:
    train(sibling, base, corpus, tmp_path, "full")
    layered = load_layered(str(sibling), str(base), ["full", "stock"], tmp_path)
    moved = layered.to(torch.device("meta"))
    assert moved.encoder.device.type == "meta"
    for kind, matrices in (("full", 3), ("stock", 1)):
        heads = moved.of_kind(kind).heads
        assert {tensor.device.type for head in heads for tensor in (*head.tensors.values(), head.output)} == {"meta"}
        assert len({id(head.output) for head in heads}) == matrices


@pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no accelerator.")
def test_probing_on_an_accelerator_gives_the_same_ranks(base: Path, tmp_path: Path) -> None:
    layered = load_layered(str(base), kinds=["stock"])
    asked = ask(read_probe_sets(["trex"], tiny.write_lama(tmp_path / "lama")), layered)
    (shard,) = make_shards(asked[0].prompts)
    slow, _ = probe_shard(layered, "base", ["stock"], shard)
    fast = probe_to_parts("base", layered, asked, tmp_path / "parts")
    assert layered.encoder.device.type == "cuda"
    assert pq.read_table(fast.ranks[0])["rank"].to_pylist() == slow["rank"].to_pylist()


def test_base_lends_the_bases_trained_decoders(base: Path, sibling: Path, corpus: Corpus, tmp_path: Path) -> None:
    train(base, base, corpus, tmp_path / "of base", "trained")
    layered = load_layered(str(sibling), str(base), ["base"], base_decoders=tmp_path / "of base")
    expected = load_layered(str(base), decoders=tmp_path / "of base").of_kind("trained")
    lent = layered.of_kind("base")
    assert lent.kind == "base"
    for one, other in zip(lent.heads, expected.heads, strict=True):
        assert torch.equal(one.dense, other.dense)
        assert not torch.equal(one.dense, layered.stock.dense)
    with pytest.raises(BertnesiaError, match="are for a fine-tuned model: name its base"):
        load_layered(str(base), kinds=["base"], decoders=tmp_path / "of base")
    with pytest.raises(BertnesiaError, match="There are no decoders in"):
        load_layered(str(sibling), str(base), ["base"])


def test_random_starts_from_noise_and_keeps_the_output_matrix(base: Path, corpus: Corpus, tmp_path: Path) -> None:
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(base, base, corpus, tmp_path / folder, "random", seed)
    one, same = (load_layered(str(base), kinds=["random"], decoders=tmp_path / x).of_kind("random") for x in "ab")
    other = load_layered(str(base), kinds=["random-seed-1"], decoders=tmp_path / "c").of_kind("random-seed-1")
    stock = stock_of(base)
    for i, head in enumerate(one.heads):
        assert torch.equal(head.dense, same.heads[i].dense)
        assert not torch.allclose(head.dense, other.heads[i].dense, atol=0.01)
        assert not torch.allclose(head.dense, stock.dense, atol=0.1)
        assert torch.equal(head.output, stock.output)
        assert float(head.dense.std()) < 0.05 < float(stock.dense.std())


def test_control_is_a_random_encoder_with_decoders_trained_on_it(base: Path, corpus: Corpus, tmp_path: Path) -> None:
    train(base, base, corpus, tmp_path, "control")
    train(base, base, corpus, tmp_path, "control", seed=1)
    pair = load_control(str(base), decoders=tmp_path)
    other = load_control(str(base), decoders=tmp_path, seed=1)
    real = load_encoder(str(base))
    assert len({encoder_hash(encoder) for encoder in (pair.encoder, other.encoder, real)}) == 3
    assert list(pair.decoders) == ["control"]
    assert list(other.decoders) == ["control-seed-1"]
    assert not torch.equal(pair.of_kind("control").heads[0].dense, pair.stock.dense)
    assert torch.equal(pair.of_kind("control").heads[0].output, stock_of(base).output)
    with pytest.raises(BertnesiaError, match="belong to a random encoder"):
        load_layered(str(base), kinds=["control"], decoders=tmp_path)
    shutil.copytree(tmp_path / "control", tmp_path / "wrong" / "control-seed-1")
    with pytest.raises(BertnesiaError, match="trained for another encoder"):
        load_control(str(base), decoders=tmp_path / "wrong", seed=1)


def test_the_ranks_of_a_control_are_those_of_the_pair(base: Path, corpus: Corpus, tmp_path: Path) -> None:
    train(base, base, corpus, tmp_path / "decoders", "control")
    pair = load_control(str(base), decoders=tmp_path / "decoders")
    (probe_set,) = read_lama(tiny.write_lama(tmp_path / "lama"), ["trex"]).values()
    prompts, _ = make_prompts(probe_set, pair.tokenizer, pair.max_tokens)
    ranks, _ = probe_shard(pair, "base.control", ["control"], make_shards(prompts)[0])
    row = ranks.to_pylist()[0]
    prompt = next(prompt for prompt in prompts if prompt.fact == row["fact"])
    ids = torch.tensor([prompt.input_ids])
    encoder, decoders = random_encoder(load_config(str(base)), 0), pair.of_kind("control")
    state = encoder(ids, output_hidden_states=True).hidden_states[row["layer"]][0, prompt.mask_position]
    scores = decoders.logits(state, row["layer"])
    assert row["rank"] == 1 + int((scores > scores[prompt.answer]).sum())
    assert (row["kind"], row["seed"]) == ("control", 0)


def test_another_seed_meets_other_batches(base: Path, corpus: Corpus, tmp_path: Path) -> None:
    for seed in (0, 1):
        train(base, base, corpus, tmp_path, "trained", seed)
    layered = load_layered(str(base), kinds=["trained", "trained-seed-1"], decoders=tmp_path)
    first, second = layered.of_kind("trained"), layered.of_kind("trained-seed-1")
    assert (first.seed, second.seed, second.kind) == (0, 1, "trained")
    assert all(not torch.equal(a.dense, b.dense) for a, b in zip(first.heads, second.heads, strict=True))
    assert read_decoder_config(tmp_path / "trained-seed-1").settings["schedule"]["seed"] == 0


def test_seeds_of_the_last_layer_are_trained_in_one_pass(
    base: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, words, stock = load_encoder(str(base)), load_tokenizer(str(base)), stock_of(base)
    passes = []
    encoder.register_forward_hook(lambda *_: passes.append(1))
    configs = train_last_layer_seeds(encoder, words, stock, corpus, [], tmp_path, SETTINGS, [1, 2, 3])
    training, evaluations = 6, 3
    validation_batches = 1
    assert len(passes) == training + evaluations * validation_batches
    names = [f"trained-seed-{seed}" for seed in (1, 2, 3)]
    layered = load_layered(str(base), kinds=names, decoders=tmp_path)
    heads = []
    for config, name, seed in zip(configs, names, (1, 2, 3), strict=True):
        decoders = layered.of_kind(name)
        assert (decoders.kind, decoders.seed, decoders.layers) == ("trained", seed, (3,))
        assert [record.layer for record in config.layers] == [3]
        assert {"loss_3", "accuracy_3"} < set(config.history[-1])
        assert config.layers[0].loss < config.history[0]["loss_3"]
        assert config.identity() == decoder_identity(encoder, words, stock, corpus, [], SETTINGS, seed=seed)
        heads.append(decoders.head(3))
        with pytest.raises(BertnesiaError, match=f"The {name} decoders have no layer 1, only 3"):
            decoders.logits(torch.zeros(1, 32), 1)
    assert not torch.allclose(heads[0].dense, heads[1].dense, atol=1e-3)
    assert not torch.allclose(heads[1].dense, heads[2].dense, atol=1e-3)
    assert not list(tmp_path.glob(".*"))


def test_a_last_layer_seed_has_ranks_for_that_layer_alone(base: Path, corpus: Corpus, tmp_path: Path) -> None:
    encoder, words = load_encoder(str(base)), load_tokenizer(str(base))
    train_last_layer_seeds(encoder, words, stock_of(base), corpus, [], tmp_path / "decoders", SETTINGS, [2])
    layered = load_layered(str(base), kinds=["trained-seed-2", "stock"], decoders=tmp_path / "decoders")
    (probe_set,) = read_lama(tiny.write_lama(tmp_path / "lama"), ["trex"]).values()
    prompts, _ = make_prompts(probe_set, words, layered.max_tokens)
    ranks, _ = probe_shard(layered, "tiny", list(layered.decoders), make_shards(prompts)[0])
    found = {(row["kind"], row["seed"], row["layer"]) for row in ranks.to_pylist()}
    assert found == {("trained", 2, 3), ("stock", 0, 1), ("stock", 0, 2), ("stock", 0, 3)}


@pytest.mark.parametrize("seeds", [[], [0, 1], [2, 2]])
def test_seeds_that_are_none_or_the_decoder_itself_are_refused(
    seeds: Sequence[int], base: Path, corpus: Corpus, tmp_path: Path
) -> None:
    encoder, words = load_encoder(str(base)), load_tokenizer(str(base))
    with pytest.raises(BertnesiaError, match="different numbers from 1 on"):
        train_last_layer_seeds(encoder, words, stock_of(base), corpus, [], tmp_path, SETTINGS, seeds)


def test_what_decided_a_decoder_is_known_again(base: Path, sibling: Path, corpus: Corpus, tmp_path: Path) -> None:
    encoder, words, stock = load_encoder(str(sibling)), load_tokenizer(str(sibling)), stock_of(base)
    start = stock_of(sibling)
    train(sibling, base, corpus, tmp_path, "full", start=start)
    found = read_decoder_config(tmp_path / "full").identity()
    assert found == decoder_identity(encoder, words, stock, corpus, [], SETTINGS, "full", 0, start)
    for other in (
        decoder_identity(encoder, words, stock, corpus, [], SETTINGS, "full"),
        decoder_identity(encoder, words, stock, corpus, [], SETTINGS, "trained", 0, start),
        decoder_identity(encoder, words, stock, corpus, [], SETTINGS, "full", 1, start),
    ):
        assert found != other


def test_kinds_that_are_not_trained_or_not_known_are_refused(base: Path, corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(BertnesiaError, match="'stock' are not trained; those are: trained, full, random, control"):
        train(base, base, corpus, tmp_path, "stock")
    with pytest.raises(BertnesiaError, match="no decoder kind 'nope'; there are: trained, stock, own"):
        load_layered(str(base), kinds=["nope-seed-1"])


def test_names_and_folders(tmp_path: Path) -> None:
    assert [decoder_name("trained"), decoder_name("trained", 2)] == ["trained", "trained-seed-2"]
    assert parse_decoder_name("trained-seed-2") == ("trained", 2)
    assert parse_decoder_name("control") == ("control", 0)
    for name in ("trained", "full", "control", "trained-seed-1", "trained-seed-12", ".trained.x.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    everything = (("control", 0), ("full", 0), ("trained", 0), ("trained", 1), ("trained", 12))
    assert saved_decoders(tmp_path) == everything
    assert saved_kinds(tmp_path) == ("full", "trained")
