import pytest

from bertnesia.probes.facts import Fact, ProbeSet


@pytest.mark.parametrize(
    ("subject", "answer", "inside"),
    [
        ("Panama City", "Panama", True),
        ("PANAMA city", "panama", True),
        ("University of Café", "cafe\u0301", True),
        ("Vatican-City", "City", True),
        ("Panamanian", "Panama", False),
        ("Rome", "Romeo", False),
        ("Ann", "Oslo", False),
        ("C++ (language)", "C++", True),
        ("Guinea", "Guinea", True),
    ],
)
def test_a_subject_that_holds_the_object_as_whole_words(subject: str, answer: str, inside: bool) -> None:
    assert Fact("test", "r", subject, answer).object_in_subject is inside


def test_a_probe_set_is_shown_by_its_label_else_by_its_name() -> None:
    assert ProbeSet("mine", (), ()).label == "mine"
    assert ProbeSet("mine", (), (), label="My facts").label == "My facts"
    assert ProbeSet("mine", (), ()).scoring == "vocabulary"
