"""Every supported architecture, from a folder in the hub's format to ranks, against transformers' own models."""

import copy
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, GPT2Config, GPT2LMHeadModel, PreTrainedConfig, PreTrainedModel

from bertnesia.corpora import Corpus, read_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.mlm import masked_logits
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.architectures import supported
from bertnesia.models.decoder_training import DecoderTraining, train_decoders
from bertnesia.models.encoder import encoder_hash, layer_states, load_encoder, load_masked_lm, random_encoder
from bertnesia.models.heads import head_weights, mlm_head
from bertnesia.models.layered import LayeredModel, load_layered
from bertnesia.probes.eligibility import make_prompts
from bertnesia.probes.facts import ProbeSet
from bertnesia.probes.lama import read_lama
from bertnesia.probing.engine import make_shards, probe_shard
from tests import tiny
from tests.models import zoo

SETTINGS = DecoderTraining(
    max_tokens=32,
    decoder_share=0.6,
    validation_share=0.2,
    validation_sequences=8,
    schedule=Schedule(steps=2, batch_tokens=256, evaluations=1, learning_rate=1e-3),
)


@dataclass(frozen=True)
class Case:
    """One checkpoint, as transformers loads it and as we do."""

    name: str
    folder: Path
    reference: PreTrainedModel
    layered: LayeredModel


@pytest.fixture(scope="module", params=zoo.KINDS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = zoo.save(tmp_path_factory.mktemp("zoo") / request.param, zoo.KINDS[request.param])
    reference = AutoModelForMaskedLM.from_pretrained(folder).eval()
    return Case(request.param, folder, reference, load_layered(str(folder), kinds=["stock"]))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return read_corpus([tiny.write_text(tmp_path_factory.mktemp("text") / "text.txt")])


@pytest.fixture(scope="module")
def probe_set(tmp_path_factory: pytest.TempPathFactory) -> ProbeSet:
    return read_lama(tiny.write_lama(tmp_path_factory.mktemp("data") / "lama"), ["trex"])["trex"]


TEXTS = ("anna was born in {} .", "arlo is a town in {} and in norland .")


def batch(model: LayeredModel) -> dict[str, torch.Tensor]:
    """Two prompts, the shorter one padded."""
    texts = [text.format(model.tokenizer.mask_token) for text in TEXTS]
    return dict(model.tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False))


def each_alone(model: LayeredModel) -> list[dict[str, torch.Tensor]]:
    """The same prompts one at a time: nothing is padded."""
    texts = [text.format(model.tokenizer.mask_token) for text in TEXTS]
    return [dict(model.tokenizer(text, return_tensors="pt", return_token_type_ids=False)) for text in texts]


def without_padding(states: torch.Tensor, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The tokens of all prompts of a batch, one after the other."""
    return states[inputs["attention_mask"].bool()]


@torch.no_grad()
def test_the_last_layer_with_the_stock_decoder_is_the_model_itself(case: Case) -> None:
    inputs = batch(case.layered)
    assert not inputs["attention_mask"].all()
    expected = torch.cat([case.reference(**alone).logits[0] for alone in each_alone(case.layered)])
    states = without_padding(case.layered.states(**inputs)[-1], inputs)
    entries = len(case.layered.tokenizer)
    assert expected.shape[1] - entries == zoo.KINDS[case.name].rows_without_entry
    actual = case.layered.of_kind("stock").logits(states, zoo.LAYERS)
    torch.testing.assert_close(actual, expected[:, :entries], rtol=0, atol=1e-5)
    torch.testing.assert_close(case.layered.stock.logits(states), expected, rtol=0, atol=1e-5)
    assert expected.std() > 0.5  # else anything would be close to anything


@torch.no_grad()
def test_every_layer_is_the_last_one_of_a_shallower_model(case: Case) -> None:
    inputs = batch(case.layered)
    states = case.layered.states(**inputs)
    assert len(states) == zoo.LAYERS == case.layered.layers
    for depth in (1, 2, 3):
        shallow = AutoModel.from_config(shortened(case.layered.encoder.config, depth))
        shallow.load_state_dict(case.layered.encoder.state_dict(), strict=False)
        shallow.eval()
        expected = torch.cat([shallow(**alone).last_hidden_state[0] for alone in each_alone(case.layered)])
        torch.testing.assert_close(without_padding(states[depth - 1], inputs), expected, rtol=0, atol=1e-5)


def shortened(config: PreTrainedConfig, depth: int) -> PreTrainedConfig:
    config = copy.deepcopy(config)
    if config.model_type == "distilbert":
        config.n_layers = depth
    else:
        config.num_hidden_layers = depth
    if config.model_type == "modernbert":
        config.layer_types = config.layer_types[:depth]
    return config


def test_encoder_and_masked_language_model_have_one_body(case: Case) -> None:
    encoder = load_encoder(str(case.folder))
    assert encoder_hash(encoder) == encoder_hash(case.layered.encoder) == encoder_hash(case.reference)
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not encoder.training


def test_the_longest_sequence_fits_and_a_longer_one_is_known_not_to(case: Case) -> None:
    most = case.layered.max_tokens
    counted_from_padding = {"roberta", "xlm-roberta", "camembert", "mpnet"}
    assert most == zoo.POSITIONS - (2 if case.name in counted_from_padding else 0)
    word = case.layered.tokenizer.mask_token_id
    ids = torch.full((1, most), word)
    assert case.layered.states(ids, torch.ones_like(ids))[-1].shape[1] == most
    if not case.name.startswith(("deberta", "modernbert")):  # those count relative positions
        longer = torch.full((1, most + 1), word)
        with pytest.raises((IndexError, RuntimeError)):
            case.layered.states(longer, torch.ones_like(longer))


def test_decoders_train_save_load_and_rank(case: Case, corpus: Corpus, probe_set: ProbeSet, tmp_path: Path) -> None:
    stock = head_weights(load_masked_lm(str(case.folder))[0])
    encoder, words = load_encoder(str(case.folder)), case.layered.tokenizer
    config = train_decoders(encoder, words, stock, corpus, [], tmp_path / "trained", SETTINGS)
    assert [record.layer for record in config.layers] == [1, 2, 3]
    model = load_layered(str(case.folder), decoders=tmp_path)
    for head in model.of_kind("trained").heads:
        assert set(head.tensors) == set(stock.tensors)
        assert not torch.equal(head.dense, stock.dense)
    prompts, _ = make_prompts(probe_set, words, model.max_tokens)
    assert len(prompts) == len(tiny.TOWNS) + len(tiny.PEOPLE)
    (shard,) = make_shards(prompts)
    ranks, _ = probe_shard(model, "zoo", ["trained", "stock"], shard)
    assert ranks.num_rows == 2 * zoo.LAYERS * len(prompts)
    by_fact = {prompt.fact: prompt for prompt in prompts}
    last = [row for row in ranks.to_pylist() if row["layer"] == zoo.LAYERS and row["kind"] == "stock"]
    for row in last:
        prompt = by_fact[row["fact"]]
        with torch.no_grad():
            scores = case.reference(torch.tensor([prompt.input_ids])).logits[0, prompt.mask_position]
        scores = scores[: len(words)]
        assert row["rank"] == 1 + int((scores > scores[prompt.answer]).sum())
        assert row["log_probability"] == pytest.approx(float(scores.log_softmax(0)[prompt.answer]), abs=1e-4)


def test_a_prompt_is_the_filled_sentence_with_one_token_masked(case: Case, probe_set: ProbeSet) -> None:
    words = case.layered.tokenizer
    prompts, ineligible = make_prompts(probe_set, words, case.layered.max_tokens)
    assert ineligible == []
    objects = {fact.id: fact.object for fact in probe_set.facts}
    for prompt in prompts:
        filled = list(prompt.input_ids)
        assert filled[prompt.mask_position] == words.mask_token_id
        filled[prompt.mask_position] = prompt.answer
        assert filled == words(prompt.text.replace("[MASK]", objects[prompt.fact]))["input_ids"]
        assert words.convert_ids_to_tokens(prompt.answer).lstrip("▁Ġ") == objects[prompt.fact]


def test_the_head_trains_with_its_model(case: Case) -> None:
    """Masked language modelling of the whole model: loss and gradients are those that transformers computes."""
    model, reference = (AutoModelForMaskedLM.from_pretrained(case.folder).eval() for _ in range(2))
    inputs = batch(case.layered)
    labels = torch.where(inputs["attention_mask"].bool(), inputs["input_ids"], -100)
    labels[:, 0] = -100
    logits, targets = masked_logits(model, {**inputs, "labels": labels})
    torch.nn.functional.cross_entropy(logits, targets).backward()
    reference(**inputs, labels=labels).loss.backward()
    expected = {name: parameter.grad for name, parameter in reference.named_parameters()}
    for name, parameter in model.named_parameters():
        if expected[name] is None:
            assert parameter.grad is None, name
        else:
            torch.testing.assert_close(parameter.grad, expected[name], rtol=1e-4, atol=1e-5, msg=name)


def test_a_random_encoder_is_the_seeds_and_nothing_elses(case: Case) -> None:
    config = case.layered.encoder.config
    state = torch.get_rng_state()
    one, same, other = random_encoder(config, 3), random_encoder(config, 3), random_encoder(config, 4)
    assert torch.equal(torch.get_rng_state(), state)
    assert encoder_hash(one) == encoder_hash(same) != encoder_hash(other)
    inputs = batch(case.layered)
    assert [state.shape for state in layer_states(one, **inputs)] == [
        state.shape for state in case.layered.states(**inputs)
    ]


def test_an_unsupported_architecture_names_the_supported_ones(tmp_path: Path) -> None:
    config = GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2)
    model = GPT2LMHeadModel(config)
    model.save_pretrained(tmp_path / "gpt")
    with pytest.raises(
        BertnesiaError, match=r"gpt is a model of type 'gpt2', which is not supported; supported are: a"
    ):
        load_encoder(str(tmp_path / "gpt"))
    with pytest.raises(BertnesiaError, match="type 'gpt2', which is not supported"):
        mlm_head(model)
    assert set(supported()) == {
        *("albert", "bert", "camembert", "deberta-v2", "distilbert", "electra", "mobilebert", "modernbert"),
        *("mpnet", "roberta", "xlm-roberta"),
    }


def test_every_supported_architecture_is_in_the_zoo() -> None:
    made = {kind.config(**kind.options, num_hidden_layers=1).model_type for kind in zoo.KINDS.values()}
    assert made == set(supported())
