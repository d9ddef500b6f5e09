"""SQuAD: its files (1.1 and 2.0), a split of them by article, and its official scores."""

import hashlib
import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from bertnesia.corpora import TextSource
from bertnesia.errors import BertnesiaError
from bertnesia.files import read_json, sha256


@dataclass(frozen=True, slots=True)
class Question:
    """A question on a passage. `answers` are texts with the character of the context at which each starts."""

    id: str
    article: str
    context: str
    text: str
    answers: tuple[tuple[str, int], ...]

    @property
    def answerable(self) -> bool:
        """Whether the context holds an answer (SQuAD 2.0 asks some questions in vain)."""
        return bool(self.answers)


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions, each once, the files they were read from, and what was left out and why."""

    questions: tuple[Question, ...]
    sources: tuple[TextSource, ...]
    problems: tuple[str, ...] = ()


class _Answer(BaseModel):
    text: str
    answer_start: int


class _Asked(BaseModel):
    id: str | int
    question: str
    answers: list[_Answer]
    is_impossible: bool = False


class _Paragraph(BaseModel):
    context: str
    qas: list[_Asked]


class _Article(BaseModel):
    title: str
    paragraphs: list[_Paragraph]


class _SquadFile(BaseModel):
    data: list[_Article]


def read_squad(paths: Iterable[Path]) -> QuestionSet:
    """Read SQuAD 1.1 and 2.0 files (XQuAD's, too).

    A question that is there twice (same context, same text) counts once, as it was read first. An answer that does not
    stand where the file says is a problem and left out, and so is a question that has no other answer.

    Raises:
        BertnesiaError: if a file cannot be read, is not built like SQuAD, or holds no question.
    """
    found: dict[tuple[str, str], Question] = {}
    sources: list[TextSource] = []
    problems: list[str] = []
    for path in paths:
        questions = list(_read_file(path, problems))
        if not questions:
            raise BertnesiaError(f"{path} holds no usable question.")
        sources.append(TextSource(path.name, sha256(path), len(questions)))
        for question in questions:
            found.setdefault((_squeeze(question.context), _squeeze(question.text)), question)
    return QuestionSet(tuple(found.values()), tuple(sources), tuple(problems))


def _read_file(path: Path, problems: list[str]) -> Iterator[Question]:
    value = read_json(path)
    try:
        articles = _SquadFile.model_validate(value).data
    except ValidationError as error:
        first = error.errors()[0]
        fault = "should be an object" if first["type"] == "model_type" else first["msg"].lower()
        raise BertnesiaError(f"{path} is not a SQuAD file: {_place(first['loc'])}: {fault}.") from error
    for i, article in enumerate(articles):
        for j, paragraph in enumerate(article.paragraphs):
            for asked in paragraph.qas:
                place = f"{path.name}, data[{i}].paragraphs[{j}], question {asked.id}"
                if question := _question(article.title, paragraph.context, asked, place, problems):
                    yield question


def _question(article: str, context: str, asked: _Asked, place: str, problems: list[str]) -> Question | None:
    answers = [] if asked.is_impossible else asked.answers
    good: list[tuple[str, int]] = []
    for answer in answers:
        text, start = answer.text, answer.answer_start
        if text.strip() and start >= 0 and context.startswith(text, start):
            good.append((text, start))
        else:
            problems.append(f"{place}: the answer {text!r} does not stand at character {start} of its context.")
    if answers and not good:
        return None
    return Question(str(asked.id), article, context, asked.question.strip(), tuple(good))


def _place(location: Sequence[Any]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).lstrip(".") or "the file"


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def split_by_article(questions: Sequence[Question], held_out: float) -> tuple[list[Question], list[Question]]:
    """Training and held-out questions, with no article on both sides.

    Articles are held out in the order of their titles' hashes until they have a `held_out` share of the questions, so
    the split depends on nothing but the questions.

    Raises:
        BertnesiaError: if there is only one article.
    """
    sizes = Counter(_article_key(question) for question in questions)
    if len(sizes) < 2:
        raise BertnesiaError("Questions on at least two articles are needed: one to train on and one to hold out.")
    *order, _ = sorted(sizes, key=lambda title: hashlib.sha256(title.encode()).digest())
    chosen: set[str] = set()
    for title in order:
        if chosen and sum(sizes[t] for t in chosen) >= held_out * len(questions):
            break
        chosen.add(title)
    train = [question for question in questions if _article_key(question) not in chosen]
    return train, [question for question in questions if _article_key(question) in chosen]


def _article_key(question: Question) -> str:
    return _squeeze(question.article.replace("_", " ")).casefold()


def normalize_answer(text: str) -> str:
    """Lower case, without punctuation, articles and extra space, as SQuAD's evaluation script has it."""
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return _squeeze(re.sub(r"\b(a|an|the)\b", " ", bare))


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """1 if the prediction equals an answer after normalisation, else 0; no answers means that "" is right."""
    return max(float(normalize_answer(prediction) == answer) for answer in _normalized(answers))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """The best F1 of the prediction's words against an answer's; where either is empty, 1 if both are, else 0."""
    return max(_word_f1(normalize_answer(prediction).split(), answer.split()) for answer in _normalized(answers))


def _normalized(answers: Sequence[str]) -> list[str]:
    return [text for text in map(normalize_answer, answers) if text] or [""]


def _word_f1(predicted: Sequence[str], right: Sequence[str]) -> float:
    if not predicted or not right:
        return float(predicted == right)
    common = sum((Counter(predicted) & Counter(right)).values())
    return 2 * common / (len(predicted) + len(right))
