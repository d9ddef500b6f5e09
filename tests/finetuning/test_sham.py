"""Questions with other questions' answers."""

import pytest

from bertnesia.finetuning.sham import shuffle_answers
from bertnesia.finetuning.squad import Question, read_squad

TEN = "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9"


def ask(name, context, answer=None):
    return Question(name, "A", context, "who ?", ((answer, context.index(answer)),) if answer else ())


def test_a_span_keeps_its_length_and_place():
    early, late = ask("1", TEN, "a0 a1"), ask("2", "b0  b1 b2\nb3 b4 b5", "b5")
    first, second = shuffle_answers([early, late], seed=0)

    assert first.answers == (("a9", TEN.index("a9")),)
    assert second.answers == (("b0  b1", 0),)
    assert (first.id, first.context, first.text) == (early.id, early.context, early.text)


def test_an_answer_inside_a_word_is_the_word_and_a_long_one_fits_into_a_short_context():
    middle, short = ask("1", TEN, "4 a"), ask("2", "b0 b1", "b1")
    first, second = shuffle_answers([middle, short], seed=0)

    assert first.answers == (("a9", TEN.index("a9")),)
    assert second.answers == (("b0 b1", 0),)  # two words in the middle of ten are two words of two


def test_unanswerable_questions_stay_and_every_answer_goes_to_another_question():
    questions = [ask(str(i), f"{TEN} x{i}", f"a{i}" if i % 3 else None) for i in range(9)]
    shuffled = shuffle_answers(questions, seed=1)

    assert [one.answerable for one in shuffled] == [bool(i % 3) for i in range(9)]
    assert all(one.answers != other.answers for one, other in zip(questions, shuffled, strict=True) if one.answerable)
    assert sorted(one.answers[0][0] for one in shuffled if one.answers) == [f"a{i}" for i in range(9) if i % 3]
    assert shuffle_answers(questions, seed=1) == shuffled
    assert shuffle_answers(questions, seed=2) != shuffled


def test_real_questions_get_spans_as_long_as_before(shared_data):
    questions = read_squad([shared_data / "squad" / "xquad.en.json"]).questions
    shuffled = shuffle_answers(questions, seed=0)

    def lengths(of):
        return sorted(len(one.answers[0][0].split()) for one in of)

    assert all(one.context[start:].startswith(text) for one in shuffled for text, start in one.answers)
    assert sum(one.answers[0][0] == real.answers[0][0] for one, real in zip(shuffled, questions, strict=True)) < 20
    assert sum(lengths(shuffled)) == pytest.approx(sum(lengths(questions)), rel=0.02)
