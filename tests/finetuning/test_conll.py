"""CoNLL's files, tags as spans, and F1 over spans."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.conll import Entity, Sentence, entities, read_conll, span_scores, tags_of

KINDS = st.sampled_from(["O", "B-person", "I-person", "B-place", "I-place"])


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_two_columns(tmp_path):
    path = write(tmp_path / "two.conll", "Anna\tB-person\nlives\tO\n\t\nin\tO\nNew\tB-place\nArlo\tI-place")

    assert read_conll([path]) == [
        Sentence(("Anna", "lives"), ("B-person", "O"), "anna lives"),
        Sentence(("in", "New", "Arlo"), ("O", "B-place", "I-place"), "in new arlo"),
    ]


def test_four_columns_with_documents_and_tags_in_iob1(tmp_path):
    path = write(
        tmp_path / "eng.train",
        "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\nPeter NNP I-NP I-PER\nAnna NNP I-NP B-PER\n"
        "Berg NNP I-NP I-PER\nBonn NNP I-NP I-LOC\n-DOCSTART- -X- O O\n\n. . O O\n",
    )

    assert read_conll([path]) == [
        Sentence(("EU", "rejects"), ("B-ORG", "O"), "eng.train: 1"),
        Sentence(("Peter", "Anna", "Berg", "Bonn"), ("B-PER", "B-PER", "I-PER", "B-LOC"), "eng.train: 1"),
        Sentence((".",), ("O",), "eng.train: 2"),
    ]


def test_real_files(shared_data):
    """Counts of the WNUT-17 paper (Derczynski et al. 2017, table 1)."""
    train, dev, test = (
        read_conll([shared_data / "wnut17" / name])
        for name in ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated")
    )

    assert [len(part) for part in (train, dev, test)] == [3394, 1009, 1287]
    found = [entity.type for sentence in train for entity in entities(sentence.tags)]
    assert len(found) == 1975
    assert found.count("person") == 660
    assert sum(len(sentence.words) for sentence in train) == 62730


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Anna\n", r"odd.conll, line 1: expected a word and a tag .*found 'Anna'"),
        ("Anna O\n\nBert E-PER\n", "odd.conll, line 3: .*found 'Bert E-PER'"),
        ("Anna B-\n", "line 1"),
        ("\n\n", "holds no sentence"),
    ],
)
def test_a_file_of_another_kind_is_named_with_the_line_at_fault(tmp_path, text, told):
    with pytest.raises(BertnesiaError, match=told):
        read_conll([write(tmp_path / "odd.conll", text)])


def test_unreadable_files(tmp_path):
    with pytest.raises(BertnesiaError, match=r"Cannot read .*none.conll"):
        read_conll([tmp_path / "none.conll"])
    (tmp_path / "latin.conll").write_bytes(b"caf\xe9 O\n")
    with pytest.raises(BertnesiaError, match=r"not UTF-8 text \(byte 3\)"):
        read_conll([tmp_path / "latin.conll"])


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("O O", []),
        ("B-a I-a O B-a", [(0, 1, "a"), (3, 3, "a")]),
        ("B-a B-a", [(0, 0, "a"), (1, 1, "a")]),
        ("I-a I-a", [(0, 1, "a")]),  # begins without a B
        ("B-a I-b I-b", [(0, 0, "a"), (1, 2, "b")]),  # continues nothing of its type
        ("B-a O I-a", [(0, 0, "a"), (2, 2, "a")]),
    ],
)
def test_entities_by_hand(tags, spans):
    assert entities(tags.split()) == [Entity(*span) for span in spans]


@given(st.lists(KINDS, max_size=12))
def test_tags_and_entities_say_the_same(tags):
    found = entities(tags)
    written = tags_of(found, len(tags))

    assert entities(written) == found
    assert [tag == "O" for tag in written] == [tag == "O" for tag in tags]
    assert [tag[2:] for tag in written] == [tag[2:] for tag in tags]


def test_scores_by_hand():
    right = [["B-per", "I-per", "O", "B-loc"], ["B-loc", "O", "B-per"], ["O", "O"]]
    predicted = [["B-per", "I-per", "O", "B-per"], ["B-loc", "I-loc", "O"], ["O", "B-loc"]]
    # Right are 4 entities, predicted 4; only the first is found with its type and both of its ends.

    assert span_scores(right, predicted) == pytest.approx({"precision": 1 / 4, "recall": 1 / 4, "f1": 1 / 4})
    more = [["B-per", "I-per", "O", "B-loc"], ["B-loc", "O", "O"], ["O", "O"]]
    assert span_scores(right, more) == pytest.approx({"precision": 1, "recall": 3 / 4, "f1": 6 / 7})


def test_the_same_span_in_another_sentence_is_not_found():
    assert span_scores([["B-a"], ["O"]], [["O"], ["B-a"]])["f1"] == 0


@pytest.mark.parametrize("tags", [["O"], ["B-a"]])
def test_where_there_is_nothing_the_share_is_0(tags):
    assert span_scores([tags], [["O"]]) == {"precision": 0, "recall": 0, "f1": 0}
    assert span_scores([["O"]], [tags]) == {"precision": 0, "recall": 0, "f1": 0}
