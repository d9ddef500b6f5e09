"""Short sentences out of long ones."""

import pytest

from bertnesia.corpora import Passage
from bertnesia.shortening import shorten, shortened


@pytest.mark.parametrize(
    ("sentence", "short"),
    [
        (
            "Negrar is a comune (municipality) in the Province of Verona, located about 110 kilometres west of Venice.",
            "Negrar is a comune in the Province of Verona.",
        ),
        ("Ada Lovelace [1] (born 1815) was an English writer who saw further.", "Ada Lovelace was an English writer."),
        ("Arlo borders old Bexi and was founded by Romans in 1021.", "Arlo borders old Bexi."),
        ("Arlo has two rivers . It has no lake .", "Arlo has two rivers."),
        ("Arlo is a town.", None),  # nothing to leave out
        ("By 1967, London was on her way to the north, they say.", None),  # what stands before may matter
        ("the town is large, they say, and very old.", None),  # the middle of a sentence
        ("A song by the band, released in 1967.", None),  # no verb
        ("Arlo is, they say, a town.", None),  # too little is left
        (f"Arlo has {'very ' * 20}old walls, they say.", None),  # too much is left
    ],
)
def test_main_clauses(sentence, short):
    assert shorten(sentence) == short


def test_a_share_of_the_passages_is_shortened_and_a_larger_one_holds_the_smaller():
    passages = [Passage(f"Town {i} is a town in Norland, which is far.", f"group {i}") for i in range(400)]
    some, more, all_of_them = (list(shortened(passages, share)) for share in (0.2, 0.6, 1))

    assert list(shortened(passages, 0)) == []
    assert [passage.text for passage in all_of_them] == [f"Town {i} is a town in Norland." for i in range(400)]
    assert [passage.group for passage in all_of_them] == [passage.group for passage in passages]
    assert set(some) < set(more) < set(all_of_them)
    assert len(some) == pytest.approx(80, abs=30)
    assert len(more) == pytest.approx(240, abs=40)


def test_a_third_of_real_sentences_has_a_short_form(shared_data):
    lines = (shared_data / "text" / "trex_sentences.txt").read_text(encoding="utf-8").splitlines()[:3000]
    short = [clause for line in lines if (clause := shorten(line))]

    assert len(short) > 1000
    assert all(4 <= len(clause.split()) <= 16 and clause.endswith(".") for clause in short)
