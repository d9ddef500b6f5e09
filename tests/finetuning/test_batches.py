"""Batches: what every step sees is fixed by the lengths, the budget and the seed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertnesia.finetuning.batches import StepBatches, count_steps, fill_batches, pad, plan_batches

LENGTHS = [int(n) for n in np.random.default_rng(1).integers(3, 60, 500)]


def one_epoch(lengths, tokens, seed):
    return plan_batches(lengths, tokens, count_steps(lengths, tokens, 1, seed), seed)


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=80),
    tokens=st.integers(40, 200),
    seed=st.integers(0, 5),
)
def test_an_epoch_takes_every_example_once_within_the_budget(lengths, tokens, seed):
    plan = one_epoch(lengths, tokens, seed)

    assert sorted(i for batch in plan for i in batch) == list(range(len(lengths)))
    assert all(len(batch) * max(lengths[i] for i in batch) <= tokens for batch in plan)


def test_every_further_epoch_is_complete_and_ordered_anew():
    first = one_epoch(LENGTHS, 512, seed=3)
    plan = plan_batches(LENGTHS, 512, 3 * len(first), seed=3)
    seen: list[Counter[int]] = [Counter()]
    for batch in plan:
        if sum(seen[-1].values()) == len(LENGTHS):
            seen.append(Counter())
        seen[-1].update(batch)

    assert plan[: len(first)] == first
    assert all(set(epoch.values()) == {1} for epoch in seen)
    assert len(seen[0]) == len(seen[1]) == len(LENGTHS)
    assert plan[len(first) : 2 * len(first)] != first


def test_the_plan_depends_on_the_seed_alone_and_a_longer_one_continues_it():
    assert plan_batches(LENGTHS, 512, 90, seed=7) == plan_batches(LENGTHS, 512, 90, seed=7)
    assert plan_batches(LENGTHS, 512, 90, seed=7) != plan_batches(LENGTHS, 512, 90, seed=8)
    assert plan_batches(LENGTHS, 512, 200, seed=7)[:90] == plan_batches(LENGTHS, 512, 90, seed=7)


def test_examples_of_like_length_share_a_batch():
    padded = sum(len(batch) * max(LENGTHS[i] for i in batch) for batch in one_epoch(LENGTHS, 512, seed=0))

    assert padded < 1.15 * sum(LENGTHS)


def test_an_example_over_the_budget_is_a_batch_of_its_own():
    assert fill_batches([0, 1, 2, 3], [10, 300, 20, 20], tokens=64) == [[0], [1], [2, 3]]


@pytest.mark.parametrize(("epochs", "steps"), [(1, 4), (2.5, 10), (0.01, 1)])
def test_steps_in_epochs(epochs, steps):
    assert count_steps([10] * 16, tokens=40, epochs=epochs, seed=0) == steps


def test_padding_fills_up_to_the_longest():
    assert pad([[1, 2, 3], [4]], value=9).tolist() == [[1, 2, 3], [4, 9, 9]]


class Numbers:
    name = "numbers"
    lengths = LENGTHS

    def batch(self, indices, random):
        return {"indices": list(indices), "drawn": random.random()}


def test_a_step_is_the_same_whatever_was_asked_before():
    one, other = (StepBatches(Numbers(), tokens=512, steps=40, seed=5) for _ in range(2))
    for step in range(17):
        one[step]

    assert one[17] == other[17]
    assert other[17]["drawn"] != other[18]["drawn"]
    assert other[17]["indices"] == other.plan[17]
    assert len(other) == 40
