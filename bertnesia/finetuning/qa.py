"""Question answering by span extraction: where in the passage does the answer start, and where does it end?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.batches import fill_batches
from bertnesia.finetuning.inputs import Pair, collate, cut, forward, on_device
from bertnesia.finetuning.squad import Question, exact_match, f1

NO_ANSWER = 0
"""The token position, that of [CLS], which says that a window holds no answer."""
_LONGEST_ANSWER = 30  # tokens, as in BERT's own SQuAD script


@dataclass(frozen=True, slots=True)
class Window:
    """A question with a part of its context, as the model reads it.

    `context` is the range of tokens that are context, `offsets` the characters (start, end) of each token of the whole
    window, `answer` the first and last token of the answer, both `NO_ANSWER` where this part does not hold it.
    """

    question: int
    ids: list[int]
    types: list[int]
    context: range
    offsets: list[tuple[int, int]]
    answer: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Span:
    """The best answer in a window, its score, and the score of "no answer" there: sums of two logits."""

    text: str
    score: float
    null: float


def make_windows(
    tokenizer: PreTrainedTokenizerBase, questions: Sequence[Question], max_tokens: int, stride: int
) -> list[Window]:
    """Every question with its context in windows of at most `max_tokens`, neighbours sharing `stride` tokens.

    Questions are cut at half a window. Devlin et al. 2019, section 4.2 and 4.3: the first answer is the one trained
    on, and a window that does not hold all of it is labelled with [CLS].

    Raises:
        BertnesiaError: if the tokenizer does not know where its tokens stand in the text.
    """
    encoded = tokenizer(
        cut([question.text for question in questions], tokenizer, max_tokens // 2 - 3),
        [question.context for question in questions],
        truncation="only_second",
        max_length=max_tokens,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_token_type_ids=True,
    )
    windows = []
    for i, owner in enumerate(encoded["overflow_to_sample_mapping"]):
        tokens = [token for token, sequence in enumerate(encoded.sequence_ids(i)) if sequence == 1]
        context = range(tokens[0], tokens[-1] + 1) if tokens else range(0)
        offsets = encoded["offset_mapping"][i]
        if context:
            ids, types = encoded["input_ids"][i], encoded["token_type_ids"][i]
            windows.append(Window(owner, ids, types, context, offsets, locate(questions[owner], context, offsets)))
    return windows


def locate(question: Question, context: range, offsets: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """First and last token of the question's first answer, or `NO_ANSWER` twice if the tokens do not hold all of it."""
    if not question.answers:
        return NO_ANSWER, NO_ANSWER
    text, begin = question.answers[0]
    end = begin + len(text)
    inside = [token for token in context if offsets[token][0] < end and offsets[token][1] > begin]
    if not inside or offsets[context[0]][0] > begin or offsets[context[-1]][1] < end:
        return NO_ANSWER, NO_ANSWER
    return inside[0], inside[-1]


class QuestionAnswering:
    """The `qa` objective: cross entropy of the answer's first and last token over the tokens of a window.

    Trained on questions without an answer, too, it may refuse to answer (SQuAD 2.0); else it never does (SQuAD 1.1).
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        train: Sequence[Question],
        held_out: Sequence[Question],
        *,
        max_tokens: int,
        stride: int,
        batch_tokens: int = 4096,
        name: str = "qa",
    ) -> None:
        self.name = name
        if not train or not held_out:
            raise BertnesiaError("There is no question to train on or none to hold out: add questions.")
        self.padding = tokenizer.pad_token_id
        self.train = make_windows(tokenizer, train, max_tokens, stride)
        self.lengths = [len(window.ids) for window in self.train]
        self.held_out = held_out
        self.held_out_windows = make_windows(tokenizer, held_out, max_tokens, stride)
        self.batch_tokens = batch_tokens
        self.may_refuse = not all(question.answerable for question in train)

    def batch(self, indices: Sequence[int], random: np.random.Generator) -> dict[str, Tensor]:  # noqa: ARG002
        return self._collate([self.train[i] for i in indices])

    def loss(self, model: PreTrainedModel, batch: dict[str, Tensor]) -> Tensor:
        return _span_losses(*span_logits(model, batch), batch["answers"]).mean()

    @torch.inference_mode()
    def evaluate(self, model: PreTrainedModel) -> dict[str, float]:
        """`loss` in nats per window, `exact_match` and `f1` over all held-out questions and the answerable ones."""
        cast(nn.Module, model).eval()
        losses: list[float] = []
        spans: list[list[Span]] = [[] for _ in self.held_out]
        for windows in self._held_out_batches():
            batch = on_device(model, self._collate(windows))
            starts, ends = span_logits(model, batch)
            losses.extend(_span_losses(starts, ends, batch["answers"]).tolist())
            for window, start, end in zip(windows, starts.cpu(), ends.cpu(), strict=True):
                context = self.held_out[window.question].context
                spans[window.question].append(best_span(start, end, window, context))
        predictions = [choose(found, self.may_refuse) for found in spans]
        return {"loss": fmean(losses), **score(self.held_out, predictions)}

    def _held_out_batches(self) -> Iterator[list[Window]]:
        lengths = [len(window.ids) for window in self.held_out_windows]
        for indices in fill_batches(np.argsort(lengths, kind="stable"), lengths, self.batch_tokens):
            yield [self.held_out_windows[i] for i in indices]

    def _collate(self, windows: Sequence[Window]) -> dict[str, Tensor]:
        inputs = collate([Pair(window.ids, window.types) for window in windows], self.padding)
        return {**inputs, "answers": torch.tensor([window.answer for window in windows])}


def span_logits(model: PreTrainedModel, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Logits of first and last token, each (batch, tokens); padding gets minus infinity."""
    output = forward(model, batch)
    padding = batch["attention_mask"] == 0
    return output.start_logits.masked_fill(padding, -torch.inf), output.end_logits.masked_fill(padding, -torch.inf)


def _span_losses(starts: Tensor, ends: Tensor, answers: Tensor) -> Tensor:
    first = nn.functional.cross_entropy(starts, answers[:, 0], reduction="none")
    last = nn.functional.cross_entropy(ends, answers[:, 1], reduction="none")
    return (first + last) / 2


def best_span(starts: Tensor, ends: Tensor, window: Window, context: str) -> Span:
    """The best-scoring span of at most 30 context tokens, by the sum of its logits, both (tokens,)."""
    first, last = window.context[0], window.context[-1] + 1
    sums = starts[first:last, None] + ends[None, first:last]
    allowed = torch.ones_like(sums, dtype=torch.bool).triu().tril(_LONGEST_ANSWER - 1)
    best = int(sums.masked_fill(~allowed, -torch.inf).argmax())
    begin, end = first + best // len(sums), first + best % len(sums)
    text = context[window.offsets[begin][0] : window.offsets[end][1]]
    return Span(text, float(starts[begin] + ends[end]), float(starts[NO_ANSWER] + ends[NO_ANSWER]))


def choose(spans: Sequence[Span], may_refuse: bool) -> str:
    """The answer from a question's windows: the best span, or "" if "no answer" scores as high in every window."""
    if not spans:
        return ""
    best = max(spans, key=lambda span: span.score)
    refused = may_refuse and best.score <= min(span.null for span in spans)
    return "" if refused else best.text


def score(questions: Sequence[Question], predictions: Sequence[str]) -> dict[str, float]:
    """SQuAD's exact match and F1 as shares, over all questions and over the answerable ones."""
    pairs = [
        (question, prediction, [text for text, _ in question.answers])
        for question, prediction in zip(questions, predictions, strict=True)
    ]
    exact = [exact_match(prediction, answers) for _, prediction, answers in pairs]
    overlap = [f1(prediction, answers) for _, prediction, answers in pairs]
    answerable = [i for i, question in enumerate(questions) if question.answerable]
    return {
        "exact_match": fmean(exact),
        "f1": fmean(overlap),
        "answerable_exact_match": fmean([exact[i] for i in answerable] or [0.0]),
        "answerable_f1": fmean([overlap[i] for i in answerable] or [0.0]),
        "questions": float(len(questions)),
        "answerable": float(len(answerable)),
    }
