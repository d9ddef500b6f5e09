"""Probing against asking the whole model one prompt at a time."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, pipeline

from bertnesia.models.layered import LayeredModel, load_layered
from bertnesia.probes.eligibility import Prompt, make_prompts
from bertnesia.probes.facts import ProbeSet
from bertnesia.probes.lama import read_lama
from bertnesia.probing.engine import make_shards, probe_shard
from bertnesia.probing.run import Asked, ask, probe_to_parts
from tests import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_masked_lm(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def model(folder: Path) -> LayeredModel:
    return load_layered(str(folder), kinds=["stock"])


@pytest.fixture(scope="module")
def probe_set(tmp_path_factory: pytest.TempPathFactory) -> ProbeSet:
    return read_lama(tiny.write_lama(tmp_path_factory.mktemp("data") / "lama"), ["trex"])["trex"]


@pytest.fixture(scope="module")
def asked(probe_set: ProbeSet, model: LayeredModel) -> list[Asked]:
    return ask([probe_set], model)


def test_every_layer_ranks_as_a_slow_single_prompt_version_does(
    folder: Path, model: LayeredModel, asked: list[Asked]
) -> None:
    prompts = {prompt.fact: prompt for prompt in asked[0].prompts}
    assert len(prompts) == len(tiny.TOWNS) + len(tiny.PEOPLE)
    (shard,) = make_shards(list(prompts.values()), batch_tokens=64)
    assert len(shard.batches) > 1
    ranks, predictions = probe_shard(model, "tiny", ["stock"], shard)
    reference = AutoModelForMaskedLM.from_pretrained(folder).eval()
    assert ranks.num_rows == predictions.num_rows == len(prompts) * 3
    for row, top in zip(ranks.to_pylist(), predictions.to_pylist(), strict=True):
        prompt = prompts[row["fact"]]
        scores = slow_scores(reference, prompt, row["layer"])
        order = scores.argsort(descending=True).tolist()
        assert row["rank"] == 1 + order.index(prompt.answer)
        assert row["ties"] == 0
        assert row["log_probability"] == pytest.approx(float(scores.log_softmax(0)[prompt.answer]), abs=1e-5)
        assert top["fact"] == row["fact"]
        assert top["tokens"] == model.tokenizer.convert_ids_to_tokens(order[:5])
        assert top["probabilities"] == pytest.approx(scores.softmax(0)[order[:5]].tolist(), abs=1e-6)


@torch.no_grad()
def slow_scores(reference: torch.nn.Module, prompt: Prompt, layer: int) -> torch.Tensor:
    states = reference.bert(torch.tensor([prompt.input_ids]), output_hidden_states=True).hidden_states
    return reference.cls(states[layer])[0, prompt.mask_position]


def test_the_last_layer_is_the_fill_mask_pipeline(folder: Path, model: LayeredModel, asked: list[Asked]) -> None:
    fill = pipeline("fill-mask", model=str(folder), top_k=5)
    prompts = {prompt.fact: prompt for prompt in asked[0].prompts}
    (shard,) = make_shards(list(prompts.values()))
    _, predictions = probe_shard(model, "tiny", ["stock"], shard)
    for row in predictions.to_pylist():
        if row["layer"] == 3:
            expected = fill(prompts[row["fact"]].text)
            assert row["tokens"] == [answer["token_str"] for answer in expected]
            assert row["probabilities"] == pytest.approx([answer["score"] for answer in expected], abs=1e-5)


def test_prompts_that_are_alike_are_read_once(folder: Path, model: LayeredModel, probe_set: ProbeSet) -> None:
    """As those of a relation are without their subjects; each fact's answer has its rank all the same."""
    (masked,) = (one.variants["subject_masked"] for one in ask([probe_set], model, ["subject_masked"]))
    prompts = {prompt.fact: prompt for prompt in masked if isinstance(prompt, Prompt)}
    different = {prompt.input_ids for prompt in prompts.values()}
    assert len(different) < len(prompts)
    (shard,) = make_shards(list(prompts.values()))
    read: list[int] = []
    with model.encoder.register_forward_hook(lambda _, __, output: read.append(len(output[0]))):
        ranks, _ = probe_shard(model, "tiny", ["stock"], shard)
    assert sum(read) == len(different)
    assert sorted(ranks["fact"].to_pylist()) == sorted([*prompts] * 3)
    reference = AutoModelForMaskedLM.from_pretrained(folder).eval()
    for row in ranks.to_pylist():
        prompt = prompts[row["fact"]]
        scores = slow_scores(reference, prompt, row["layer"])
        assert row["rank"] == 1 + int((scores > scores[prompt.answer]).sum())


def test_shards_hold_every_prompt_once_within_the_budget(asked: list[Asked]) -> None:
    shards = make_shards(asked[0].prompts, batch_tokens=40)
    batches = [batch for shard in shards for batch in shard.batches]
    facts = [prompt.fact for batch in batches for prompt in batch]
    assert sorted(facts) == sorted(prompt.fact for prompt in asked[0].prompts)
    assert all(len(batch) * max(len(prompt.input_ids) for prompt in batch) <= 40 for batch in batches)


def test_shards_do_not_depend_on_the_order_of_the_prompts(asked: list[Asked]) -> None:
    assert make_shards(asked[0].prompts) == make_shards(asked[0].prompts[::-1])


def test_the_filtered_rank_passes_over_the_other_right_objects(model: LayeredModel, asked: list[Asked]) -> None:
    prompt = asked[0].prompts[0]
    others = tuple(token for token in range(len(model.tokenizer)) if token != prompt.answer)
    everything_right = Prompt(
        prompt.fact, prompt.relation, prompt.text, prompt.input_ids, prompt.mask_position, prompt.answer, others
    )
    ranks, _ = probe_shard(model, "tiny", ["stock"], make_shards([everything_right])[0])
    assert {row["filtered_rank"] for row in ranks.to_pylist()} == {1}
    assert max(row["rank"] for row in ranks.to_pylist()) > 1


def test_parts_that_are_there_are_kept_and_damaged_ones_made_again(
    model: LayeredModel, asked: list[Asked], tmp_path: Path
) -> None:
    parts = probe_to_parts("tiny", model, asked, tmp_path)
    (ranks,), (predictions,) = parts.ranks, parts.predictions
    content, written = ranks.read_bytes(), ranks.stat().st_mtime_ns
    assert probe_to_parts("tiny", model, asked, tmp_path) == parts
    assert ranks.stat().st_mtime_ns == written
    damaged = bytearray(content)
    damaged[len(damaged) // 3] ^= 0xFF
    ranks.write_bytes(bytes(damaged))
    probe_to_parts("tiny", model, asked, tmp_path)
    assert ranks.read_bytes() == content
    predictions.unlink()
    probe_to_parts("tiny", model, asked, tmp_path)
    assert predictions.exists()


def test_parts_of_other_weights_are_made_again(model: LayeredModel, asked: list[Asked], tmp_path: Path) -> None:
    probe_to_parts("tiny", model, asked, tmp_path / "parts")
    other = load_layered(str(tiny.save_masked_lm(tmp_path / "other", seed=9)), kinds=["stock"])
    before = next((tmp_path / "parts").glob("ranks.*")).read_bytes()
    (after,) = probe_to_parts("tiny", other, asked, tmp_path / "parts").ranks
    assert after.read_bytes() != before


def test_a_prompt_of_another_length_does_not_change_a_rank(probe_set: ProbeSet, model: LayeredModel) -> None:
    """Padding is masked out: alone or in a batch with longer prompts, a prompt gets the same ranks."""
    prompts, _ = make_prompts(probe_set, model.tokenizer, 64)
    longer = next(prompt for prompt in prompts if len(prompt.input_ids) != len(prompts[0].input_ids))
    alone, _ = probe_shard(model, "m", ["stock"], make_shards([prompts[0]])[0])
    together, _ = probe_shard(model, "m", ["stock"], make_shards([prompts[0], longer])[0])
    kept = [row["rank"] for row in together.to_pylist() if row["fact"] == prompts[0].fact]
    assert [row["rank"] for row in alone.to_pylist()] == kept
