"""Span extraction: windows, labels, the choice of an answer, and learning to answer."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from transformers import BertForQuestionAnswering

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.qa import (
    NO_ANSWER,
    QuestionAnswering,
    Span,
    Window,
    best_span,
    choose,
    locate,
    make_windows,
    score,
    span_logits,
)
from bertnesia.finetuning.squad import Question
from bertnesia.finetuning.trainer import Schedule, train
from tests import tiny
from tests.finetuning.toys import TOKENIZER, config

CONTEXT = "Anna, of Arlo. Bert is in Bexi"
WORDS = ["anna", ",", "of", "arlo", ".", "bert", "is", "in", "bexi"]
QUESTION = ["where", "is", "bert", "?"]


def ask(answer=None, start=None, context=CONTEXT, text="where is bert?"):
    answers = () if answer is None else ((answer, context.index(answer) if start is None else start),)
    return Question("q", "A", context, text, answers)


def tokens_of(window, span):
    return TOKENIZER.convert_ids_to_tokens(window.ids)[span[0] : span[1] + 1]


def model():
    torch.manual_seed(0)
    return BertForQuestionAnswering(config())


def test_one_window_by_hand():
    (window,) = make_windows(TOKENIZER, [ask("Bexi")], max_tokens=32, stride=4)

    assert TOKENIZER.convert_ids_to_tokens(window.ids) == ["[CLS]", *QUESTION, "[SEP]", *WORDS, "[SEP]"]
    assert window.types == [0] * 6 + [1] * 10
    assert window.context == range(6, 15)
    assert [CONTEXT[a:b].lower() for a, b in window.offsets[6:15]] == WORDS
    assert window.answer == (14, 14)


@pytest.mark.parametrize(
    ("answer", "start", "tokens"),
    [
        ("Anna", None, ["anna"]),
        ("of Arlo. Bert", None, ["of", "arlo", ".", "bert"]),
        ("ert", None, ["bert"]),  # an answer inside a word is the word
        (" Bexi", None, ["bexi"]),
        (CONTEXT, None, WORDS),
        ("Be", 26, ["bexi"]),  # the second "Be" of the context
    ],
)
def test_answers_as_tokens(answer, start, tokens):
    (window,) = make_windows(TOKENIZER, [ask(answer, start)], max_tokens=32, stride=4)

    assert tokens_of(window, window.answer) == tokens


def test_no_answer_is_the_first_token():
    (window,) = make_windows(TOKENIZER, [ask()], max_tokens=32, stride=4)

    assert window.answer == (NO_ANSWER, NO_ANSWER)
    assert tokens_of(window, window.answer) == ["[CLS]"]


def test_a_long_context_in_overlapping_windows():
    # [CLS] where is bert ? [SEP] and [SEP] leave 7 of 14 tokens to the context's 9.
    windows = make_windows(TOKENIZER, [ask("is in"), ask("Bert is")], max_tokens=14, stride=2)
    seen = [" ".join(CONTEXT[a:b] for a, b in (w.offsets[t] for t in w.context)) for w in windows]

    assert seen == ["Anna , of Arlo . Bert is", "Bert is in Bexi"] * 2
    assert [w.question for w in windows] == [0, 0, 1, 1]
    assert [tokens_of(w, w.answer) for w in windows[:2]] == [["[CLS]"], ["is", "in"]]
    assert [tokens_of(w, w.answer) for w in windows[2:]] == [["bert", "is"], ["bert", "is"]]


def test_windows_of_several_questions_cover_every_context_and_stay_in_the_budget():
    contexts = [" ".join(np.random.default_rng(n).choice(tiny.TOWNS, n)) for n in (1, 20, 60)]
    windows = make_windows(TOKENIZER, [ask(context=c) for c in contexts], max_tokens=24, stride=5)

    assert max(len(w.ids) for w in windows) == 24
    for number, context in enumerate(contexts):
        mine = [w for w in windows if w.question == number]
        characters = {c for w in mine for t in w.context for c in range(*w.offsets[t])}
        assert characters == {i for i, letter in enumerate(context) if letter != " "}
        for before, after in pairwise(mine):
            shared = {before.offsets[t] for t in before.context} & {after.offsets[t] for t in after.context}
            assert len(shared) == 5


def test_a_question_of_any_length_leaves_half_a_window_to_its_context():
    (window, *_) = make_windows(TOKENIZER, [ask("Bexi", text="where is bert " * 50)], max_tokens=32, stride=4)

    assert len(window.context) == 9
    assert window.context.start == 1 + 13 + 1
    assert tokens_of(window, window.answer) == ["bexi"]


def test_a_context_without_words_gives_no_window():
    assert make_windows(TOKENIZER, [ask(context=" ")], max_tokens=32, stride=4) == []


def test_locating_needs_the_whole_answer():
    offsets = [(0, 0), (0, 4), (5, 9), (10, 12), (0, 0)]
    context = "anna bert is it"

    assert locate(ask("bert is", context=context), range(1, 4), offsets) == (2, 3)
    assert locate(ask("is it", context=context), range(1, 4), offsets) == (NO_ANSWER, NO_ANSWER)
    assert locate(ask("anna bert", context=context), range(2, 4), offsets) == (NO_ANSWER, NO_ANSWER)


def window_of(length):
    """A window of one-letter words after [CLS] and [SEP]."""
    return Window(
        0, [0] * (length + 2), [], range(2, length + 2), [(0, 0)] * 2 + [(i, i + 1) for i in range(length)], (0, 0)
    )


def test_best_span_against_all_spans():
    random = np.random.default_rng(0)
    text = "".join(chr(97 + i % 26) for i in range(50))
    for _ in range(20):
        starts, ends = (torch.tensor(random.normal(size=54), dtype=torch.float32) for _ in range(2))
        found = best_span(starts[:52], ends[:52], window_of(50), text)
        spans = [(s, e) for s in range(2, 52) for e in range(s, min(s + 30, 52))]
        begin, end = max(spans, key=lambda span: float(starts[span[0]] + ends[span[1]]))

        assert found.text == text[begin - 2 : end - 1]
        assert found.score == pytest.approx(float(starts[begin] + ends[end]))
        assert found.null == pytest.approx(float(starts[0] + ends[0]))


def test_the_longest_answer_has_thirty_tokens():
    starts, ends = torch.zeros(52), torch.zeros(52)
    starts[2], ends[2 + 30], ends[2 + 29] = 9, 9, 8

    assert best_span(starts, ends, window_of(50), "x" * 50).text == "x" * 30


def test_choosing_between_windows_and_no_answer():
    spans = [Span("low", 1.0, 5.0), Span("high", 3.0, 4.0)]

    assert choose(spans, may_refuse=True) == ""
    assert choose(spans, may_refuse=False) == "high"
    assert choose([*spans, Span("mid", 2.0, 2.9)], may_refuse=True) == "high"
    assert choose([], may_refuse=False) == ""


def test_scores_over_all_and_over_answerable_questions():
    questions = [ask("Anna"), ask("of Arlo"), ask(), ask()]

    assert score(questions, ["anna", "Arlo", "", "Bexi"]) == pytest.approx(
        {
            "exact_match": 2 / 4,
            "f1": (1 + 2 / 3 + 1 + 0) / 4,
            "answerable_exact_match": 1 / 2,
            "answerable_f1": (1 + 2 / 3) / 2,
            "questions": 4,
            "answerable": 2,
        }
    )


def test_loss_is_that_of_the_model_and_padding_does_not_change_it():
    qa = model().eval()
    long, short = ask("Bexi"), ask("Anna", context="Anna")
    objective = QuestionAnswering(TOKENIZER, [long, short], [long], max_tokens=32, stride=4)
    one, other, both = (objective.batch(i, np.random.default_rng(0)) for i in ([0], [1], [0, 1]))
    with torch.inference_mode():
        losses = [objective.loss(qa, batch).item() for batch in (one, other, both)]
        inputs = {name: one[name] for name in ("input_ids", "token_type_ids", "attention_mask")}
        theirs = qa(**inputs, start_positions=one["answers"][:, 0], end_positions=one["answers"][:, 1]).loss
        starts, _ = span_logits(qa, both)

    assert losses[0] == pytest.approx(theirs.item(), abs=1e-6)
    assert losses[2] == pytest.approx((losses[0] + losses[1]) / 2, abs=1e-6)
    assert (starts[1, len(objective.train[1].ids) :] == -math.inf).all()


def test_held_out_scores_against_one_window_at_a_time():
    questions = [ask("Bexi"), ask(), ask("Arlo. Bert"), ask("Anna", context="Anna"), ask("Arlo")]
    qa = model().train()
    objective = QuestionAnswering(TOKENIZER, questions, questions, max_tokens=12, stride=2, batch_tokens=40)
    scores = objective.evaluate(qa)
    losses, spans = [], [[] for _ in questions]
    for window in make_windows(TOKENIZER, questions, 12, 2):
        with torch.inference_mode():
            out = qa(input_ids=torch.tensor([window.ids]), token_type_ids=torch.tensor([window.types]))
        starts, ends = out.start_logits[0], out.end_logits[0]
        losses += [float(-(starts.log_softmax(0)[window.answer[0]] + ends.log_softmax(0)[window.answer[1]]) / 2)]
        spans[window.question].append(best_span(starts, ends, window, questions[window.question].context))
    expected = score(questions, [choose(found, may_refuse=True) for found in spans])

    assert len(losses) > len(questions)
    assert scores == pytest.approx({"loss": sum(losses) / len(losses), **expected}, abs=1e-5)


def test_it_learns_to_answer_and_to_refuse(tmp_path):
    questions = []
    for person in tiny.PEOPLE:
        for town in tiny.TOWNS[:6]:
            context = f"{town} is a town . {person} lives in {town} , {tiny.land_of(town)} ."
            questions.append(ask(town, context.rindex(town), context, f"where lives {person} ?"))
            questions.append(ask(tiny.land_of(town), None, context, f"the land of {town} ?"))
            questions.append(ask(None, None, context, f"who was born in {town} ?"))
    objective = QuestionAnswering(TOKENIZER, questions, questions, max_tokens=32, stride=4)
    schedule = Schedule(steps=150, batch_tokens=800, learning_rate=5e-3, warmup=0.1, evaluations=1)
    history = train(model(), objective, schedule, tmp_path / "work", {})

    assert history[0]["exact_match"] < 0.5
    assert history[-1]["exact_match"] > 0.9
    assert history[-1]["answerable_exact_match"] > 0.9


def test_without_questions_there_is_one_clear_sentence():
    with pytest.raises(BertnesiaError, match="no question"):
        QuestionAnswering(TOKENIZER, [ask("Bexi")], [], max_tokens=32, stride=4)
