"""The rules by which facts are drawn from WordNet: words a reader knows, in the sense that they commonly have."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from bertnesia.probes.atlas import wordnet_words as words
from bertnesia.probes.atlas.recipe import Pairs, frequency, kept, known, one_word
from bertnesia.probes.atlas.wordnet_files import Synset, wordnet

KNOWN_WORD, KNOWN_NAME = 3.0, 2.9
"""Zipf frequencies (base-10 logarithm per billion words) from which a reader knows a word, or a name."""
_COMMON_WORD = 3.5
_GOT_OF_IT = {
    "noun.animal": frozenset({"noun.food", "noun.substance"}),
    "noun.plant": frozenset({"noun.substance"}),
    "noun.food": frozenset({"noun.animal", "noun.plant"}),
}
"""Fields in which a word names what is got of a thing, or what it is got of: a salmon swims, or lies on the plate."""
_LARGEST_SHARE = 0.36
"""The largest share of a relation's facts that one object keeps; the rarest of its subjects go."""
_ON_THE_MAP = frozenset({"noun.location", "noun.object"})
_NATIONALITIES, _BRITISH = frozenset(words.NATIONALITIES.split()), frozenset(words.BRITISH.split())
_KNOWN_BY_SURNAME, _UNFIT = frozenset(words.KNOWN_BY_SURNAME.split()), frozenset(words.UNFIT.split())


def is_known(word: str, least: float = KNOWN_WORD) -> bool:
    """Whether a word is one that a reader knows: letters only, common enough, and fit to print."""
    return one_word(word) and len(word) > 2 and known(word, least) and word.casefold() not in _UNFIT


@cache
def meanings(word: str, part: str = "n", beside: frozenset[str] = frozenset()) -> tuple[Synset, ...]:
    """What a word stands for: its commonest sense, or, where text tagged with senses does not tell, each of them.

    Senses in the fields `beside` are left out of account.
    """
    net = wordnet()
    senses = [(net.synsets[key], count) for key, count in net.senses.get((word.casefold(), part), [])]
    senses = [(synset, count) for synset, count in senses if synset.field not in beside]
    most = max((count for _, count in senses), default=0)
    return tuple(synset for synset, count in senses if count == most)


def _is_mostly(word: str, part: str) -> bool:
    """Whether tagged text has a word no less often as this part of speech than as any other."""
    counts = {other: sum(count for _, count in wordnet().senses.get((word, other), [])) for other in "anv"}
    return counts[part] == max(counts.values())


def _answers(listed: str) -> dict[str, str]:
    """The answer for each of WordNet's words: "edible_fruit>fruit nut" lists two."""
    pairs = (item.replace("_", " ").partition(">") for item in listed.split())
    return {word: answer or word for word, _, answer in pairs}


def kinds(fields: Iterable[str], listed: str, least: float, countable: bool) -> Iterator[tuple[str, str]]:
    """(word, kind), for each of the kinds that stands above the word in all that it means; `countable`: no plurals."""
    net, fields = wordnet(), frozenset(fields)
    part = min(fields)[0]
    named: dict[str, str] = {}
    for phrase, answer in _answers(listed).items():
        for synset in (net.in_field(phrase, field, part) for field in sorted(fields)):
            if synset:
                named.setdefault(synset.key, answer)
    for word, meant in _words(fields, part, least):
        above = set.intersection(*(set(net.ancestors(synset)) for synset in meant))
        if not (countable and re.search("[^sui]s$", word)):
            yield from ((word, named[key]) for key in above & named.keys())


def _words(fields: frozenset[str], part: str, least: float) -> Iterator[tuple[str, tuple[Synset, ...]]]:
    """Known words, and what they mean, where that lies in the fields."""
    beside = frozenset().union(*(_GOT_OF_IT.get(field, ()) for field in fields)) - fields
    found = {
        word
        for synset in wordnet().synsets.values()
        if synset.field in fields
        for word in synset.words
        if word.islower() and is_known(word, least) and _is_mostly(word, part)
    }
    for word in sorted(found):
        meant = meanings(word, part, beside)
        if all(synset.field in fields and word in synset.words for synset in meant):
            yield word, meant


def parts(fields: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(part, whole) of things in the fields; a part by the first of its names. A toe is a part of leg and body, too."""
    fields = frozenset(fields)
    for word, meant in _words(fields, "n", KNOWN_WORD):
        if len(meant) == 1 and word == meant[0].words[0]:
            for whole in _wholes(meant[0]):
                for name in whole.words:
                    if whole.field in fields and is_known(name, _COMMON_WORD) and meanings(name) == (whole,):
                        yield word, name


def _wholes(synset: Synset) -> list[Synset]:
    found: dict[str, Synset] = {}
    left = synset.to("#p")
    while left:
        if (key := left.pop()) not in found:
            found[key] = wordnet().synsets[key]
            left += found[key].to("#p") if found[key].field == "noun.body" else []
    return list(found.values())


def _antonyms(part: str) -> Iterator[tuple[str, str, Synset]]:
    """(word, antonym, what the latter means), each in its commonest sense."""
    net = wordnet()
    for synset in net.synsets.values():
        for pointer in synset.pointers:
            if synset.key[0] == part and pointer.symbol == "!" and pointer.word:
                target = net.synsets[pointer.target]
                word, other = synset.words[pointer.word - 1], target.words[pointer.target_word - 1]
                if _is_plain(word, synset, KNOWN_WORD) and _is_plain(other, target, _COMMON_WORD):
                    yield word, other, target


def _is_plain(word: str, synset: Synset, least: float) -> bool:
    return is_known(word, least) and synset in meanings(word, synset.key[0])


def opposites(of_parts: str) -> Iterator[tuple[str, str]]:
    """(word, opposite): direct antonyms of the parts of speech, and synonyms of these: large and big for small.

    Unless one is the other with a prefix.
    """
    for part in of_parts:
        for word, other, meant in _antonyms(part):
            for opposite in {other} | {name for name in meant.words if _is_plain(name, meant, _COMMON_WORD)}:
                if word.casefold() not in other.casefold() and word.casefold() not in opposite.casefold():
                    yield word, opposite


def places(listed: str) -> Iterator[tuple[str, str]]:
    """(name, what it names), for names that mean one thing only."""
    for synset, answer in _instances(listed):
        if synset.field != "noun.person":
            for name in synset.words:
                if _means_one_thing(name, synset):
                    yield name, answer


def callings(listed: str) -> Iterator[tuple[str, str]]:
    """(person of the past, calling)."""
    for synset, answer in _instances(listed):
        if name := _person(synset):
            yield name, answer


def nationalities() -> Iterator[tuple[str, str]]:
    """(person of the past, nationality), as the gloss begins with it; the British of one land are British, too."""
    for synset in wordnet().synsets.values():
        name = _person(synset) if synset.to("@i") and "born" not in synset.gloss else None
        told = synset.gloss.replace("United States", "American", 1).split(" ")[0]
        if name and told in _NATIONALITIES:
            yield name, told
            if told in _BRITISH:
                yield name, "British"


def _person(synset: Synset) -> str | None:
    """The name of a dead person known by a surname that is nobody else's: in two words, or the surname alone."""
    dead = synset.field == "noun.person" and re.search(r"\(.*\d.*-.*\d.*\)", synset.gloss)
    if not dead or not _means_one_thing(synset.words[0], synset):
        return None
    full = (name for name in synset.words if re.fullmatch(rf"[A-Z][a-z]+ {synset.words[0]}", name))
    alone = synset.words[0] if synset.words[0] in _KNOWN_BY_SURNAME or len(synset.words) == 1 else None
    return next(full, alone)


def _means_one_thing(name: str, synset: Synset) -> bool:
    senses = wordnet().senses.get((name.casefold(), "n"), [])
    others = [wordnet().synsets[key] for key, _ in senses if key != synset.key]
    works = all(synset.field == "noun.person" and other.field == "noun.communication" for other in others)
    return is_known(name, KNOWN_NAME) and name[0].isupper() and works


def located() -> Iterator[tuple[str, str]]:
    """(region, river, island, ..., country) of names that mean one place; countries and cities are GeoNames' part."""
    net = wordnet()
    country, *towns = (_meant(word, "noun.location") for word in ("country", "city", "town"))
    for synset in net.synsets.values():
        wholes = [net.synsets[key] for key in synset.to("#p")]
        inside = all(country in _is_instance_of(whole) for whole in wholes)
        if synset.field in _ON_THE_MAP and inside and not _is_instance_of(synset) & {country, *towns}:
            for name in (name for name in synset.words if _means_one_thing(name, synset)):
                for whole in wholes:
                    yield name, whole.words[0]


def _meant(word: str, field: str) -> str:
    return next(
        synset.key for key, _ in wordnet().senses[word, "n"] if (synset := wordnet().synsets[key]).field == field
    )


def _is_instance_of(synset: Synset) -> set[str]:
    """Keys of all that a named thing is an instance of."""
    net, direct = wordnet(), synset.to("@i")
    return set(direct).union(*(net.ancestors(net.synsets[key]) for key in direct))


def _instances(listed: str) -> Iterator[tuple[Synset, str]]:
    """(named thing or person, what it is), for each of the answers that it is an instance of."""
    named = {meanings(word)[0].key: answer for word, answer in _answers(listed).items()}
    for synset in wordnet().synsets.values():
        for answer in sorted({named[key] for key in _is_instance_of(synset) & named.keys()}):
            yield synset, answer


def balanced(pairs: Pairs, left_out: str = "") -> list[tuple[str, str]]:
    """The pairs that are kept, without words left out and the rarest subjects of an object that answers too many."""
    out = {name.replace("_", " ") for name in left_out.split()}
    facts = kept(pair for pair in pairs if not out & set(pair))
    while facts:
        answer, times = Counter(answer for _, answer in facts).most_common(1)[0]
        if times <= _LARGEST_SHARE * len(facts):
            break
        rarest = min((subject for subject, other in facts if other == answer), key=lambda name: (frequency(name), name))
        facts = [fact for fact in facts if fact[0] != rarest]
    return facts
