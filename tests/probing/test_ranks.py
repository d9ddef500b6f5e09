"""Ranks against slow, obvious versions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bertnesia.errors import BertnesiaError
from bertnesia.probing.ranks import filter_ranks, log_probabilities, rank_answers


def slow_rank(scores: list[float], answer: int) -> tuple[int, int]:
    """Sort from best to worst; the rank is where the answer's score first appears."""
    ordered = sorted(scores, reverse=True)
    return 1 + ordered.index(scores[answer]), scores.count(scores[answer]) - 1


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[float]], list[int]]:
    width = draw(st.integers(1, 12))
    # A few distinct values make ties common.
    row = st.lists(st.sampled_from([-3.0, -0.5, 0.0, 0.25, 7.0]), min_size=width, max_size=width)
    rows = draw(st.lists(row, min_size=1, max_size=6))
    return rows, [draw(st.integers(0, width - 1)) for _ in rows]


@given(tables())
def test_ranks_and_ties_equal_a_sort(case: tuple[list[list[float]], list[int]]) -> None:
    rows, answers = case
    ranks, ties = rank_answers(torch.tensor(rows), torch.tensor(answers))
    assert list(zip(ranks.tolist(), ties.tolist(), strict=True)) == [
        slow_rank(row, answer) for row, answer in zip(rows, answers, strict=True)
    ]


def test_ranks_equal_a_sort_on_a_real_sized_vocabulary() -> None:
    scores = torch.randn(50, 30_000, generator=torch.Generator().manual_seed(0)).round(decimals=2)
    answers = torch.randint(0, 30_000, (50,), generator=torch.Generator().manual_seed(1))
    ranks, ties = rank_answers(scores, answers)
    expected = [slow_rank(row, answer) for row, answer in zip(scores.tolist(), answers.tolist(), strict=True)]
    assert list(zip(ranks.tolist(), ties.tolist(), strict=True)) == expected
    assert max(ties.tolist()) > 0


@given(tables(), st.data())
def test_filtered_ranks_equal_deleting_the_other_answers(
    case: tuple[list[list[float]], list[int]], data: st.DataObject
) -> None:
    rows, answers = case
    entries = st.lists(st.integers(0, len(rows[0]) - 1), max_size=5)
    also_right = [data.draw(entries) for _ in rows]
    scores, right = torch.tensor(rows), torch.tensor(answers)
    filtered = filter_ranks(scores, right, rank_answers(scores, right)[0], also_right)
    for row, answer, others, rank in zip(rows, answers, also_right, filtered.tolist(), strict=True):
        kept = [score for i, score in enumerate(row) if i == answer or i not in others]
        assert rank == 1 + sum(score > row[answer] for score in kept)


def test_one_is_best_and_the_whole_vocabulary_counts() -> None:
    scores = torch.tensor([[3.0, 2.0, 1.0, 0.0]])
    assert rank_answers(scores, torch.tensor([0]))[0].item() == 1
    assert rank_answers(scores, torch.tensor([3]))[0].item() == 4


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_scores_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(BertnesiaError, match="not finite"):
        rank_answers(torch.tensor([[0.0, bad]]), torch.tensor([0]))


def test_log_probability_is_that_of_a_softmax() -> None:
    scores = torch.tensor([[0.0, np.log(3.0)], [2.0, 2.0]])
    assert log_probabilities(scores, torch.tensor([1, 0])).tolist() == pytest.approx([np.log(0.75), np.log(0.5)])
