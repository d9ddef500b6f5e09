"""Where texts name a fact: its subject and its object, both as whole words, whatever their case."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import ahocorasick

from bertnesia.probes.facts import Fact, folded


def find_mentions(texts: Sequence[str], facts: Iterable[Fact]) -> Iterator[tuple[int, int]]:
    """Yield (index of the text, id of the fact) for every text that names a fact's subject and object.

    A name is matched case-folded and between word boundaries: the characters beside it are no letters, digits or
    underscores. An object inside the subject's own name counts as named ("Paris" in "Paris Saint-Germain"), because a
    text with it can teach the answer. Each pair comes once, texts in their order. A fact whose subject is no name, as
    the question ids of SQuAD, is found nowhere.
    """
    labels: dict[str, int] = {}
    objects: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        subject, answer = (labels.setdefault(folded(name), len(labels)) for name in (fact.subject, fact.object))
        objects[subject][answer].append(fact.id)
    labels.pop("", None)
    if not labels:
        return
    automaton = _automaton(labels)
    for index, text in enumerate(texts):
        named = set(_named(folded(text), automaton))
        for subject in named & objects.keys():
            yield from ((index, fact) for fact in _facts_named(objects[subject], named))


def naming_a_fact(texts: Sequence[str], facts: Iterable[Fact]) -> set[int]:
    """Indices of the texts that name subject and object of some fact: decoder training does without these."""
    return {index for index, _ in find_mentions(texts, facts)}


def mentions_per_fact(texts: Sequence[str], facts: Sequence[Fact]) -> dict[int, int]:
    """How many texts name each fact, by fact id.

    Facts that cannot be looked for are left out: those with a sentence of their own in which their subject does not
    occur, as the question ids of SQuAD.
    """
    counts = {fact.id: 0 for fact in facts if _has_a_name(fact)}
    for _, fact in find_mentions(texts, facts):
        if fact in counts:
            counts[fact] += 1
    return counts


def _has_a_name(fact: Fact) -> bool:
    return fact.sentence is None or folded(fact.subject) in folded(fact.sentence)


def _automaton(labels: Mapping[str, int]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for label, number in labels.items():
        automaton.add_word(label, (number, len(label)))
    automaton.make_automaton()
    return automaton


def _named(text: str, automaton: ahocorasick.Automaton) -> Iterator[int]:
    """Numbers of the labels that stand in the text as whole words."""
    for end, (number, length) in automaton.iter(text):
        start = end + 1 - length
        if not (_joined(text, start) or _joined(text, end + 1)):
            yield number


def _joined(text: str, boundary: int) -> bool:
    """Whether two word characters meet at this place between characters."""
    return 0 < boundary < len(text) and _in_word(text[boundary - 1]) and _in_word(text[boundary])


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _facts_named(objects: Mapping[int, list[int]], named: set[int]) -> Iterator[int]:
    both = named & objects.keys() if len(named) < len(objects) else (answer for answer in objects if answer in named)
    for answer in both:
        yield from objects[answer]
