"""Held-out scores as people read them."""

import pytest

from bertnesia.ui.scores import score_name, scores_text


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ("{}", ""),
        ('{"loss": 3.36731, "accuracy": 0.41842, "tokens": 8023.0}', "accuracy 41.8 %; loss 3.367; n = 8,023 tokens"),
        (
            '{"loss": 3.1, "exact_match": 0.192, "f1": 0.336, "answerable_f1": 0.4, "questions": 634, "answerable": 9}',
            "exact match 19.2 %; F1 33.6 %; loss 3.100; n = 634 questions",
        ),
        (
            '{"loss": 0.5952, "mrr@10": 0.8804, "first": 0.8133, "questions": 150.0}',
            "MRR@10 88.0 %; own paragraph first 81.3 %; loss 0.595; n = 150 questions",
        ),
        (
            '{"loss": 0.2376, "precision": 0.461, "recall": 0.4444, "f1": 0.4526, "sentences": 507.0}',
            "precision 46.1 %; recall 44.4 %; F1 45.3 %; loss 0.238; n = 507 sentences",
        ),
        ('{"pearson": 0.5}', "pearson 0.500"),
    ],
)
def test_scores_of_every_task_are_told(scores: str, told: str) -> None:
    assert scores_text(scores) == told


def test_a_score_without_a_name_of_its_own_is_called_what_it_is() -> None:
    assert [score_name(score) for score in ("mrr@10", "loss")] == ["MRR@10", "Held-out loss, nats"]
    assert score_name("some_score") == "some score"
