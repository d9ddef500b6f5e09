"""Named entities: CoNLL's files, tags as spans, and F1 over spans."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertnesia.errors import BertnesiaError

_DOCUMENT = "-DOCSTART-"
OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words with a tag each (`O`, `B-person`, `I-person`, ...) and the document that they must stay together with."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    document: str


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity of some type from word `first` up to and including word `last`."""

    first: int
    last: int
    type: str


def read_conll(paths: Iterable[Path]) -> list[Sentence]:
    """Read sentences of a word and its tag a line, with a blank line between sentences.

    The word is the first column, the tag the last (WNUT-17 has two columns, CoNLL-2003 four). Tags in IOB1, in which an
    entity begins with `I-` unless another of its type ends just before, come out as BIO. A document begins at a line
    `-DOCSTART-`; without such lines a document is a sentence, in whatever case, so that one told twice stays on one
    side.

    Raises:
        BertnesiaError: naming the line at fault, or the file that holds no sentence.
    """
    sentences: list[Sentence] = []
    for path in paths:
        found = list(_read_file(path))
        if not found:
            raise BertnesiaError(f"{path} holds no sentence: expected a word and its tag a line.")
        sentences.extend(found)
    return sentences


def _read_file(path: Path) -> Iterator[Sentence]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise BertnesiaError(f"Cannot read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise BertnesiaError(f"{path} is not UTF-8 text (byte {error.start}).") from error
    words: list[str] = []
    tags: list[str] = []
    document = 0
    for number, line in enumerate([*lines, ""], 1):
        columns = line.split()
        begins_document = bool(columns) and columns[0] == _DOCUMENT
        if columns and not begins_document:
            words.append(columns[0])
            tags.append(_tag(columns, path, number))
        elif words:
            yield _sentence(words, tags, f"{path.name}: {document}" if document else "")
            words, tags = [], []
        document += begins_document


def _tag(columns: Sequence[str], path: Path, number: int) -> str:
    tag = columns[-1]
    if len(columns) < 2 or (tag != OUTSIDE and (tag[:2] not in {"B-", "I-"} or len(tag) < 3)):
        raise BertnesiaError(
            f"{path}, line {number}: expected a word and a tag (O, B-type or I-type), found {' '.join(columns)!r}."
        )
    return tag


def _sentence(words: Sequence[str], tags: Sequence[str], document: str) -> Sentence:
    return Sentence(tuple(words), tuple(tags_of(entities(tags), len(tags))), document or " ".join(words).casefold())


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities that tags mark; an `I-` that continues nothing of its type begins one, as in CoNLL's script."""
    found: list[Entity] = []
    for position, tag in enumerate(tags):
        if tag == OUTSIDE:
            continue
        kind = tag[2:]
        if tag[0] == "I" and found and found[-1].last == position - 1 and found[-1].type == kind:
            found[-1] = Entity(found[-1].first, position, kind)
        else:
            found.append(Entity(position, position, kind))
    return found


def tags_of(found: Iterable[Entity], words: int) -> list[str]:
    """Entities as BIO tags of so many words."""
    tags = [OUTSIDE] * words
    for entity in found:
        tags[entity.first : entity.last + 1] = [f"I-{entity.type}"] * (entity.last + 1 - entity.first)
        tags[entity.first] = f"B-{entity.type}"
    return tags


def span_scores(right: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """`precision`, `recall` and `f1` over the entities of all sentences: type and both ends must be right.

    A share of nothing counts as 0 (Tjong Kim Sang and De Meulder 2003).
    """
    gold = {(i, entity) for i, tags in enumerate(right) for entity in entities(tags)}
    guesses = {(i, entity) for i, tags in enumerate(predicted) for entity in entities(tags)}
    hits = len(gold & guesses)
    return {
        "precision": hits / len(guesses) if guesses else 0.0,
        "recall": hits / len(gold) if gold else 0.0,
        "f1": 2 * hits / (len(gold) + len(guesses)) if gold or guesses else 0.0,
    }
