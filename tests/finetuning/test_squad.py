"""SQuAD's files, their split by article, and SQuAD's scores."""

import json
from pathlib import Path

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.files import sha256
from bertnesia.finetuning.squad import Question, exact_match, f1, normalize_answer, read_squad, split_by_article

TEXT = "Rollo came to Rouen. He ruled Normandy."


def asked(name, question, *answers, **more):
    return {"id": name, "question": question, "answers": [{"text": t, "answer_start": s} for t, s in answers], **more}


def write(path: Path, *articles, **more) -> Path:
    data = [{"title": title, "paragraphs": [{"context": c, "qas": qas}]} for title, c, qas in articles]
    path.write_text(json.dumps({"data": data, **more}))
    return path


def question(article="A", answers=(("x", 0),), text="who ?"):
    return Question("1", article, "x y", text, answers)


def test_both_versions_are_read(tmp_path):
    first = write(
        tmp_path / "two.json",
        ("Normans", TEXT, [asked("1", "Who came?", ("Rollo", 0), ("Rollo", 0), is_impossible=False)]),
        ("Normans", TEXT, [asked("2", "Who left?", is_impossible=True, plausible_answers=[])]),
        version="v2.0",
    )
    second = write(tmp_path / "one.json", ("Rouen", TEXT, [asked(3, " What did he rule? ", ("Normandy", 30))]))
    read = read_squad([first, second])

    assert read.questions == (
        Question("1", "Normans", TEXT, "Who came?", (("Rollo", 0), ("Rollo", 0))),
        Question("2", "Normans", TEXT, "Who left?", ()),
        Question("3", "Rouen", TEXT, "What did he rule?", (("Normandy", 30),)),
    )
    assert [q.answerable for q in read.questions] == [True, False, True]
    assert [(s.name, s.sha256, s.passages) for s in read.sources] == [
        ("two.json", sha256(first), 2),
        ("one.json", sha256(second), 1),
    ]
    assert read.problems == ()


def test_real_files(shared_data):
    read = read_squad([shared_data / "squad" / name for name in ("dev-v2.0-first-half.json", "xquad.en.json")])
    train, held_out = split_by_article(read.questions, 0.15)

    assert [source.passages for source in read.sources] == [6078, 1190]
    assert read.problems == ()
    # Each file repeats some of its own questions; 334 are in both. All of XQuAD's can be answered.
    assert len(read.questions) == 6072 + 1185 - 334
    assert sum(question.answerable for question in read.questions) == 2907 + 1185 - 334
    assert len({question.article for question in read.questions}) == 48
    assert len(held_out) == pytest.approx(0.15 * len(read.questions), rel=0.05)
    assert {q.context for q in train}.isdisjoint(q.context for q in held_out)


def test_a_question_in_two_files_counts_once(tmp_path):
    first = write(tmp_path / "a.json", ("N", TEXT, [asked("1", "Who came?", ("Rollo", 0), ("Rollo came", 0))]))
    second = write(tmp_path / "b.json", ("N", TEXT, [asked("9", "Who  came?", ("Rollo", 0))]))
    other = write(tmp_path / "c.json", ("N", TEXT + " More.", [asked("9", "Who came?", ("Rollo", 0))]))

    assert [q.id for q in read_squad([first, second]).questions] == ["1"]
    assert [q.id for q in read_squad([first, other]).questions] == ["1", "9"]


def test_answers_that_do_not_stand_where_they_should_are_left_out_and_told(tmp_path):
    path = write(
        tmp_path / "bad.json",
        ("N", TEXT, [asked("1", "Who came?", ("Rollo", 1), ("Rollo", 0)), asked("2", "Where to?", ("Rouen", 15))]),
        ("N", TEXT, [asked("3", "Who?", ("", 0)), asked("4", "Whom?", (".", -1))]),
    )
    read = read_squad([path])

    assert [(q.id, q.answers) for q in read.questions] == [("1", (("Rollo", 0),))]
    assert len(read.problems) == 4
    assert read.problems[1] == (
        "bad.json, data[0].paragraphs[0], question 2: the answer 'Rouen' does not stand at character 15 of its context."
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a SQuAD file: the file: should be an object"),
        ("{}", "not a SQuAD file: data: field required"),
        ('{"data": [{"title": "T", "paragraphs": [{"context": "c", "qas": [3]}]}]}', r"qas\[0\]: should be an object"),
        (
            '{"data": [{"title": "T", "paragraphs": [{"context": "c", "qas": [{"id": "1", "question": "q"}]}]}]}',
            r"data\[0\].paragraphs\[0\].qas\[0\].answers: field required",
        ),
        ('{"data": []}', "holds no usable question"),
    ],
)
def test_a_file_of_another_kind_is_named_with_the_place_at_fault(tmp_path, content, told):
    path = tmp_path / "odd.json"
    path.write_text(content)

    with pytest.raises(BertnesiaError, match=f"odd.json.*{told}"):
        read_squad([path])


def test_a_missing_file(tmp_path):
    with pytest.raises(BertnesiaError, match=r"Cannot read .*none.json"):
        read_squad([tmp_path / "none.json"])


def test_no_article_is_on_both_sides_under_any_spelling():
    questions = [question(title, text=str(i)) for i in range(10) for title in ("Oxygen", "Black_Death", "Rhine")]
    questions += [question("black death", text="again"), question("OXYGEN", text="again")]
    train, held_out = split_by_article(questions, 0.3)

    def sides(one):
        return {q.article.casefold().replace("_", " ") for q in one}

    assert sides(train).isdisjoint(sides(held_out))
    assert sorted(map(id, train + held_out)) == sorted(map(id, questions))
    assert split_by_article(questions[::-1], 0.3)[1] == held_out[::-1]


def test_the_share_held_out_is_reached_and_not_exceeded_by_more_than_an_article():
    questions = [question(f"article {i % 40}", text=str(i)) for i in range(400)]
    held_out = split_by_article(questions, 0.12)[1]

    assert len(held_out) == 50


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_neither_side_is_ever_empty(share):
    train, held_out = split_by_article([question("A"), question("B")], share)

    assert len(train) == len(held_out) == 1


def test_a_single_article_cannot_be_split():
    with pytest.raises(BertnesiaError, match="two articles"):
        split_by_article([question("A"), question("a")], 0.5)


def test_normalisation():
    assert normalize_answer("The  U.S.A.'s (an) Army-man!") == "usas armyman"
    assert normalize_answer("Theatre, another A") == "theatre another"


@pytest.mark.parametrize(
    ("prediction", "answers", "exact", "overlap"),
    [
        ("the Duke.", ["duke"], 1, 1),
        ("Duke of Normandy", ["Duke Rollo", "Normandy"], 0, 0.5),  # 1 of 3 and 1 of 1; with Rollo: 1 of 3, 1 of 2
        ("red red car", ["red car car"], 0, 2 / 3),  # shared: red, car; 2 of 3 and 2 of 3
        ("Rollo", [], 0, 0),
        ("", [], 1, 1),
        ("", ["Rollo"], 0, 0),
        ("The", [], 1, 1),
        ("x", ["the", "x y"], 0, 2 / 3),
    ],
)
def test_scores(prediction, answers, exact, overlap):
    assert exact_match(prediction, answers) == exact
    assert f1(prediction, answers) == pytest.approx(overlap)
