"""The objectives that there are, each made from data files."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from bertnesia.corpora import Passage, position_of, read_corpus, spread, take_share, token_chunks
from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.conll import read_conll
from bertnesia.finetuning.inputs import load_with_new_head
from bertnesia.finetuning.mlm import MaskedLanguageModelling
from bertnesia.finetuning.ner import EntityRecognition, all_tags
from bertnesia.finetuning.qa import QuestionAnswering
from bertnesia.finetuning.ranking import MOST_HELD_OUT, PassageRanking
from bertnesia.finetuning.registry import Prepared, register_objective
from bertnesia.finetuning.settings import Finetuning
from bertnesia.finetuning.sham import shuffle_answers
from bertnesia.finetuning.squad import Question, read_squad, split_by_article
from bertnesia.finetuning.triples import rank_paragraphs, read_triples
from bertnesia.models.encoder import load_masked_lm
from bertnesia.progress import console

T = TypeVar("T")
_PROBLEMS_SHOWN = 5
_MOST_SEQUENCES = 1500


def prepare_qa(
    tokenizer: PreTrainedTokenizerBase, data: Sequence[Path], settings: Finetuning, sham: bool = False
) -> Prepared:
    """Span extraction from SQuAD files; `sham` trains on other questions' answers and is scored on the real ones."""
    training, held_out = _questions(data, settings)
    task = QuestionAnswering(
        tokenizer,
        shuffle_answers(training, settings.schedule.seed) if sham else training,
        _most(held_out, settings, None),
        max_tokens=settings.max_tokens,
        stride=settings.stride,
        name="sham-qa" if sham else "qa",
    )
    return Prepared(task, partial(load_with_new_head, AutoModelForQuestionAnswering, num_labels=2))


def prepare_ranking(tokenizer: PreTrainedTokenizerBase, data: Sequence[Path], settings: Finetuning) -> Prepared:
    """A cross-encoder from SQuAD files, or from lines of question, right passage and wrong passage."""
    if _are_squad(data):
        training, held_out = map(rank_paragraphs, _questions(data, settings))
    else:
        training, held_out = _split(read_triples(data), settings, lambda one: one.article)
    task = PassageRanking(
        tokenizer,
        training,
        held_out,
        max_tokens=settings.max_tokens,
        negatives=settings.negatives,
        candidates=settings.candidates,
        most_held_out=settings.most_held_out or MOST_HELD_OUT,
    )
    return Prepared(task, partial(load_with_new_head, AutoModelForTokenClassification, num_labels=1))


def prepare_ner(tokenizer: PreTrainedTokenizerBase, data: Sequence[Path], settings: Finetuning) -> Prepared:
    """Token classification from CoNLL files."""
    sentences = read_conll(data)
    training, held_out = _split(sentences, settings, lambda sentence: sentence.document)
    tags = all_tags(sentences)
    held_out = _most(held_out, settings, None)
    task = EntityRecognition(tokenizer, training, held_out, tags, max_tokens=settings.max_tokens)
    names = dict(enumerate(tags))
    numbers = {tag: number for number, tag in names.items()}
    return Prepared(
        task, partial(load_with_new_head, AutoModelForTokenClassification, id2label=names, label2id=numbers)
    )


def prepare_mlm(tokenizer: PreTrainedTokenizerBase, data: Sequence[Path], settings: Finetuning) -> Prepared:
    """Masked language modelling on SQuAD's paragraphs or on plain text.

    Of plain text, a group of sentences is held out if its hash says so, as when a base splits its text; see
    `Finetuning.held_out`.
    """
    if _are_squad(data):
        training, held_out = (_paragraphs(side) for side in _questions(data, settings))
    else:
        training, held_out = _split_text(read_corpus(data).passages, settings)
    task = MaskedLanguageModelling(
        tokenizer,
        train=list(token_chunks(training, tokenizer, settings.max_tokens)),
        validation=_most(list(token_chunks(held_out, tokenizer, settings.max_tokens)), settings, _MOST_SEQUENCES),
        share=settings.masked,
    )
    return Prepared(task, _with_own_head)


def _with_own_head(base: str) -> PreTrainedModel:
    return load_masked_lm(base)[0]


def _are_squad(data: Sequence[Path]) -> bool:
    kinds = {path.suffix.lower() == ".json" for path in data}
    if len(kinds) > 1:
        raise BertnesiaError("SQuAD files (.json) and text files cannot be mixed: train on one kind.")
    return kinds == {True}


def _questions(data: Sequence[Path], settings: Finetuning) -> tuple[list[Question], list[Question]]:
    squad = read_squad(data)
    _tell(squad.problems)
    training, held_out = (
        [question for question in side if question.answerable or not settings.answerable_only]
        for side in split_by_article(squad.questions, settings.held_out)
    )
    return take_share(training, settings.share, lambda question: question.context), held_out


def _paragraphs(questions: Sequence[Question]) -> list[Passage]:
    contexts = dict.fromkeys((question.context, question.article) for question in questions)
    return [Passage(context, article) for context, article in contexts]


def _split(items: Sequence[T], settings: Finetuning, document: Callable[[T], str]) -> tuple[list[T], list[T]]:
    """Training and held-out items, no document on both sides; a `held_out` share of the documents is held out."""
    if len({document(item) for item in items}) < 2:
        raise BertnesiaError("At least two documents are needed: one to train on and one to hold out.")
    held_out = take_share(items, settings.held_out, document)
    chosen = {document(item) for item in held_out}
    training = [item for item in items if document(item) not in chosen]
    return take_share(training, settings.share, lambda item: f"share: {document(item)}"), held_out


def _split_text(passages: Sequence[Passage], settings: Finetuning) -> tuple[list[Passage], list[Passage]]:
    held_out = [passage for passage in passages if position_of(passage.group) < settings.held_out]
    training = [passage for passage in passages if position_of(passage.group) >= settings.held_out]
    return take_share(training, settings.share, lambda passage: f"share: {passage.group}"), held_out


def _most(held_out: Sequence[T], settings: Finetuning, default: int | None) -> list[T]:
    return spread(held_out, settings.most_held_out or default or len(held_out))


def _tell(problems: Sequence[str]) -> None:
    for problem in problems[:_PROBLEMS_SHOWN]:
        console.print(problem, markup=False)
    if len(problems) > _PROBLEMS_SHOWN:
        console.print(f"and {len(problems) - _PROBLEMS_SHOWN} more problems like these")


register_objective("mlm", prepare_mlm)
register_objective("ner", prepare_ner)
register_objective("qa", prepare_qa)
register_objective("ranking", prepare_ranking)
register_objective("sham-qa", partial(prepare_qa, sham=True))
