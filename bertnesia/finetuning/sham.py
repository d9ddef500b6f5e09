"""Questions with other questions' answers: the updates of question answering without its task."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bertnesia.finetuning.squad import Question

_WORD = re.compile(r"\S+")


def shuffle_answers(questions: Sequence[Question], seed: int) -> list[Question]:
    """The questions, each answerable one with the answer span of another.

    A span keeps its length in words and how far into the context it begins, so that spans are as long and stand as
    in the real task, and nothing in question or context says which one is wanted.
    """
    spans = {i: _words_of(question) for i, question in enumerate(questions) if question.answerable}
    order = np.random.default_rng(seed).permutation(list(spans)).tolist()
    donors = dict(zip(order, order[1:] + order[:1], strict=True))
    return [
        _with_span(question, *spans[donors[i]]) if i in donors else question for i, question in enumerate(questions)
    ]


def _words_of(question: Question) -> tuple[int, float]:
    """Length of the first answer in words, and where it begins, from 0 (as early as can be) to 1."""
    text, start = question.answers[0]
    words = [match.span() for match in _WORD.finditer(question.context)]
    inside = [i for i, (begin, end) in enumerate(words) if begin < start + len(text) and end > start]
    room = len(words) - len(inside)
    return len(inside), inside[0] / room if room else 0.0


def _with_span(question: Question, length: int, position: float) -> Question:
    words = [match.span() for match in _WORD.finditer(question.context)]
    length = min(length, len(words))
    first = round(position * (len(words) - length))
    begin, end = words[first][0], words[first + length - 1][1]
    return replace(question, answers=((question.context[begin:end], begin),))
