"""Training text: read, identified, and split so that no group of sentences is on two sides."""

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from transformers import PreTrainedTokenizerBase

from bertnesia.downloads import fetched_by
from bertnesia.errors import BertnesiaError
from bertnesia.files import sha256

T = TypeVar("T")

_HEADING = re.compile(r"^\s*= (.+) =\s*$")
_SUBHEADING = re.compile(r"^= .+ =$")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'“(]?[A-Z0-9])")
_WIKITEXT_JOINER = re.compile(r" @([-,.])@ ")


@dataclass(frozen=True, slots=True)
class Passage:
    """One line of a text file (a sentence, or a WikiText paragraph) and the group it must stay together with."""

    text: str
    group: str


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where training text came from, precise enough to tell whether a file is the same one."""

    name: str
    sha256: str
    passages: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages and the files they were read from."""

    passages: tuple[Passage, ...]
    sources: tuple[TextSource, ...]

    def describe(self) -> list[dict[str, Any]]:
        """The sources as JSON values, for provenance files."""
        return [asdict(source) for source in self.sources]


@dataclass(frozen=True, slots=True)
class Split:
    """Three disjoint shares of a corpus. Masked words are scored on `validation` alone."""

    base: tuple[Passage, ...]
    decoder: tuple[Passage, ...]
    validation: tuple[Passage, ...]


def read_corpus(paths: Iterable[Path]) -> Corpus:
    """Read plain text (a passage a line) and WikiText files (a paragraph a line, articles under headings).

    A passage's group is the WikiText article that it belongs to (`= Title =`, with parts under `= = Part = =`), or else
    the passage itself without case, digits and punctuation, so that sentences told twice stay on one side of a split.

    Raises:
        BertnesiaError: if a file cannot be read as UTF-8 text or holds no passage.
    """
    passages: list[Passage] = []
    sources: list[TextSource] = []
    for path in paths:
        found = list(_read_passages(path))
        if not found:
            raise BertnesiaError(f"{path} holds no text: expected one sentence or paragraph a line.")
        passages.extend(found)
        sources.append(TextSource(path.name, sha256(path), len(found)))
    return Corpus(tuple(passages), tuple(sources))


def _read_passages(path: Path) -> Iterator[Passage]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BertnesiaError(
            f"Cannot read the text file {path}: {error.strerror or error}.{fetched_by(path)}"
        ) from error
    except UnicodeDecodeError as error:
        raise BertnesiaError(f"{path} is not UTF-8 text (byte {error.start}).") from error
    article: str | None = None
    for line in lines:
        if heading := _HEADING.match(line):
            if not _SUBHEADING.match(heading[1]):
                article = f"{path.name}: {heading[1]}"
        elif text := _WIKITEXT_JOINER.sub(r"\1", line).strip():
            yield Passage(text, article or re.sub(r"[\W\d_]+", " ", text.casefold()).strip())


def split_corpus(passages: Sequence[Passage], decoder: float, validation: float) -> Split:
    """Deal groups of passages to the three shares by the hash of the group's name.

    The same group lands in the same share in every corpus and every run; `decoder` and `validation` are the shares'
    fractions, `base` takes the rest.
    """
    shares: tuple[list[Passage], list[Passage], list[Passage]] = ([], [], [])
    for passage in passages:
        position = position_of(passage.group)
        shares[2 if position < validation else 1 if position < validation + decoder else 0].append(passage)
    base, decoders, held_out = (tuple(share) for share in shares)
    return Split(base, decoders, held_out)


def take_share(items: Sequence[T], share: float, key: Callable[[T], str]) -> list[T]:
    """A share of the items, rounded up, whole keys (paragraphs, groups) each.

    Keys are taken in the order of their hashes, so a smaller share is part of every larger one.
    """
    keys = sorted({key(item) for item in items}, key=position_of)
    chosen = set(keys[: math.ceil(share * len(keys) - 1e-9)])
    return [item for item in items if key(item) in chosen]


def position_of(name: str) -> float:
    """A number in [0, 1) that depends on the name alone: what is below a share belongs to it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


def token_chunks(
    passages: Iterable[Passage], tokenizer: PreTrainedTokenizerBase, max_tokens: int, joined: bool = False
) -> Iterator[list[int]]:
    """Token ids of the passages, special tokens included, in chunks of at most `max_tokens`.

    A passage that is too long is cut between sentences, and inside a sentence only where that alone is too long. With
    `joined`, a chunk takes as many sentences as it has room for, of several passages if need be.
    """
    before, after = frame(tokenizer)
    room = max_tokens - len(before) - len(after)
    remaining = iter(passages)
    while batch := list(islice(remaining, 2000)):
        sentences = [_SENTENCE_END.split(passage.text) for passage in batch]
        flat = [sentence for passage in sentences for sentence in passage]
        encoded = iter(tokenizer(flat, add_special_tokens=False, verbose=False)["input_ids"])
        for together in [flat] if joined else sentences:
            for chunk in _pack((next(encoded) for _ in together), room):
                yield [*before, *chunk, *after]


def frame(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """The special tokens that stand before and after a text."""
    framed = tokenizer(tokenizer.mask_token)["input_ids"]
    middle = framed.index(tokenizer.mask_token_id)
    return framed[:middle], framed[middle + 1 :]


def spread(sequences: Sequence[T], most: int) -> list[T]:
    """At most so many of the sequences, taken evenly: texts that come last are among them, too."""
    chosen = min(most, len(sequences))
    return [sequences[i * len(sequences) // chosen] for i in range(chosen)]


def _pack(sentences: Iterable[list[int]], room: int) -> Iterator[list[int]]:
    current: list[int] = []
    for sentence in sentences:
        for start in range(0, len(sentence), room):
            piece = sentence[start : start + room]
            if current and len(current) + len(piece) > room:
                yield current
                current = []
            current = current + piece
    if current:
        yield current
