import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bertnesia.probes.facts import Fact
from bertnesia.probes.mentions import find_mentions, mentions_per_fact, naming_a_fact


def fact(subject: str, answer: str, sentence: str | None = None) -> Fact:
    return Fact("test", "r", subject, answer, sentence=sentence)


OSLO = fact("Norway", "Oslo")
TEXTS = [
    "Oslo lies in Norway.",
    "NORWAY's capital is (oslo)",
    "Oslofjord is in Norway",
    "Norway_ and Oslo",
    "Oslo alone",
    "",
]


def test_whole_words_whatever_their_case() -> None:
    assert list(find_mentions(TEXTS, [OSLO])) == [(0, OSLO.id), (1, OSLO.id)]
    assert naming_a_fact(TEXTS, [OSLO]) == {0, 1}
    assert mentions_per_fact(TEXTS, [OSLO]) == {OSLO.id: 2}


def test_names_inside_names_accents_and_folding() -> None:
    club, street, author = (
        fact("Paris Saint-Germain", "Paris"),
        fact("Hauptstraße", "Köln"),
        fact("C. S. Lewis", "Belfast"),
    )
    texts = ["Paris Saint-Germain won", "HAUPTSTRASSE in KO\u0308LN", "In Belfast lived C. S. Lewis."]
    assert list(find_mentions(texts, [club, street, author])) == [(0, club.id), (1, street.id), (2, author.id)]


def test_a_text_that_names_several_facts_names_each_once() -> None:
    facts = [OSLO, fact("Norway", "Bergen"), fact("Bergen", "Norway"), fact("Sweden", "Oslo")]
    found = list(find_mentions(["Oslo, Bergen, Oslo: Norway"], facts))
    assert sorted(found) == sorted((0, each.id) for each in facts[:3])


def test_facts_without_a_named_subject_are_neither_found_nor_counted() -> None:
    question = fact("57273b69_0", "Oslo", "The capital is [MASK].")
    hens = fact("hens", "run", "Hens can [MASK].")
    assert mentions_per_fact(["Oslo is the capital", "hens run"], [question, hens]) == {hens.id: 1}
    assert naming_a_fact(["Oslo is the capital"], [question]) == set()


def test_no_facts_and_no_texts() -> None:
    assert naming_a_fact(TEXTS, []) == set()
    assert mentions_per_fact([], [OSLO]) == {OSLO.id: 0}


words = st.text(alphabet="abAB é_.-1ß", min_size=1, max_size=4).filter(str.strip)


def folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def names(text: str, label: str) -> bool:
    """The obvious way: at each place where the label occurs, look at both of its ends."""
    text, label = folded(text), folded(label)
    places = [i for i in range(len(text) - len(label) + 1) if text.startswith(label, i)]
    return any(
        not any(re.fullmatch(r"\w\w", text[max(edge - 1, 0) : edge + 1]) for edge in (i, i + len(label)) if edge)
        for i in places
    )


@given(
    st.lists(st.text(alphabet="abAB é_.-1ß", max_size=30), max_size=4), st.lists(st.tuples(words, words), max_size=5)
)
def test_same_as_the_slow_obvious_way(texts: list[str], labels: list[tuple[str, str]]) -> None:
    facts = {each.id: each for each in (fact(*pair) for pair in labels)}
    slow = {
        (i, each.id)
        for i, text in enumerate(texts)
        for each in facts.values()
        if names(text, each.subject) and names(text, each.object)
    }
    found = list(find_mentions(texts, facts.values()))
    assert set(found) == slow
    assert len(found) == len(slow)
