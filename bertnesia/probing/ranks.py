"""Rank arithmetic: where the right answer stands in the whole vocabulary."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bertnesia.errors import BertnesiaError


def rank_answers(scores: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
    """Ranks and ties of the answers.

    Args:
        scores: (n, vocab), any monotone score.
        answers: (n,), the right entry of each row.

    Returns:
        ranks: (n,), 1 + the number of entries that score strictly higher: 1 is best.
        ties: (n,), the number of other entries with exactly the answer's score; the middle rank is rank + ties / 2.

    Raises:
        BertnesiaError: if a score is not finite.
    """
    # What is not finite shows in the extremes, which are found ten times as fast as isfinite looks at every score.
    if not torch.isfinite(torch.stack([scores.amax(), scores.amin()])).all():
        raise BertnesiaError("The model gives scores that are not finite: its weights are damaged or overflow.")
    own = scores.gather(1, answers[:, None])
    if scores.device.type == "cpu":  # numpy counts six times as fast as torch sums booleans
        table, column = scores.numpy(), own.numpy()
        higher = torch.from_numpy(np.count_nonzero(table > column, axis=1))
        equal = torch.from_numpy(np.count_nonzero(table == column, axis=1))
    else:
        higher, equal = (scores > own).sum(1), (scores == own).sum(1)
    return higher + 1, equal - 1


def filter_ranks(scores: Tensor, answers: Tensor, ranks: Tensor, also_right: Sequence[Sequence[int]]) -> Tensor:
    """Ranks (n,) that leave out the other right answers of each row, `also_right`: token ids, a sequence a row."""
    filtered = ranks.clone()
    for row, others in enumerate(also_right):
        if others:
            distinct = torch.tensor(sorted(set(others) - {int(answers[row])}), dtype=torch.long, device=scores.device)
            filtered[row] -= (scores[row, distinct] > scores[row, answers[row]]).sum()
    return filtered


def log_probabilities(scores: Tensor, answers: Tensor) -> Tensor:
    """Natural log of the answers' softmax probability, (n,)."""
    return scores.gather(1, answers[:, None])[:, 0] - scores.logsumexp(1)
