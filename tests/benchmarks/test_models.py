"""The benchmarks of models measure what they say, on a model that takes no time."""

import re

import pytest

from benchmarks import decoders, probing
from benchmarks.sizes import Size, layered_model, prompts, trex_lengths
from bertnesia.probing.engine import make_shards, probe_shard

TINY = Size(layers=2, width=64, vocabulary=1500)


def test_the_original_procedure_finds_the_same_ranks_counted_from_0_and_cut_off() -> None:
    model = layered_model(TINY)
    asked = prompts(trex_lengths(40), TINY.vocabulary)
    ranks, _ = probe_shard(model, "tiny", ["trained"], make_shards(asked)[0])
    ours = {(row["layer"], row["fact"]): row["rank"] for row in ranks.to_pylist()}
    original = probing.original_procedure(model, asked, batch=7)
    compared = [
        (found, min(ours[layer, prompt.fact] - 1, probing.TOP_RANKED))
        for layer, ranked in enumerate(original, start=1)
        for prompt, found in zip(asked, ranked, strict=True)
    ]
    assert len(compared) == 80
    # Padding differs from batch to batch, and with it the last bits of a score.
    assert all(abs(found - expected) <= 1 for found, expected in compared)
    assert {found == probing.TOP_RANKED for found, _ in compared} == {True, False}


def test_prompts_are_as_long_as_t_rexs() -> None:
    lengths = trex_lengths(5000)
    assert sum(lengths) / len(lengths) == pytest.approx(10.9, abs=0.1)
    for prompt in prompts(lengths[:20], TINY.vocabulary):
        assert prompt.input_ids[prompt.mask_position] == 4
        assert prompt.input_ids.count(4) == 1


def test_tables_say_how_the_ratios_came_about() -> None:
    table = probing.measure(TINY, batch_tokens=256, original=4, repeats=1)
    bare, probed = (float(row.split("|")[2]) for row in table.splitlines()[2:4])
    assert int(re.search(r"\| (\d+) % \| 60 % \|", table)[1]) == pytest.approx(100 * probed / bare, abs=1)
    steps = decoders.measure(TINY, sequences=4, repeats=1).splitlines()
    assert len(steps) == 4
    assert all(float(row.split("|")[2]) > 0 for row in steps[2:])
