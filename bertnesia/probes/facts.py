"""Facts, relations and probe sets: what a model is asked."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

MASK = "[MASK]"
"""How a masked word is written in prompts, whatever the tokenizer's own mask token is."""

MASKS = re.compile(r"\[MASK\]|<mask>|_{3,}", re.IGNORECASE)
"""The ways in which people write one."""

VOCABULARY = "vocabulary"
"""The scoring of a probe set whose answers are ranked among all entries of the vocabulary."""


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of a probe set, e.g. `P19` "place of birth".

    `template` holds `[X]` for the subject and `[Y]` for the object, or is None where each fact brings its own
    sentence; `paraphrases` are other templates that say the same. `type` is "1-1", "N-1", "N-M" or "" where it is not
    known. `answer_space` lists the objects that may be answered, where a probe set fixes them.
    """

    probe_set: str
    id: str
    label: str
    template: str | None
    description: str = ""
    type: str = ""
    source: str = ""
    paraphrases: tuple[str, ...] = ()
    answer_space: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One (relation, subject, object); `sentence` is its own cloze sentence, with `[MASK]`, where it has one."""

    probe_set: str
    relation: str
    subject: str
    object: str
    subject_uri: str | None = None
    object_uri: str | None = None
    sentence: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes a fact the same fact: relation, subject and object, case-folded."""
        return self.relation, self.subject.casefold(), self.object.casefold()

    @property
    def id(self) -> int:
        """A stable number for the fact in its probe set: 52 bits, so that it is exact in JavaScript, too."""
        text = "\n".join((self.probe_set, *self.key))
        return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16)

    @property
    def object_in_subject(self) -> bool:
        """Whether the subject's name holds the object's as whole words, whatever their case: it gives the answer away.

        The string match of LAMA-UHN (Poerner et al., 2019, arXiv 1911.03681), but between word boundaries.
        """
        return re.search(rf"(?<!\w){re.escape(folded(self.object))}(?!\w)", folded(self.subject)) is not None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a probe file that was left out, and why."""

    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.reason}"


@dataclass(frozen=True)
class ProbeSet:
    """A named set of relations and their facts, in the order they were read, each fact once.

    `problems` lists bad lines and missing optional files; `hashes` maps each file read to its SHA-256; `label` is the
    name to show. `scoring` says what ranks count: `vocabulary`, or the pseudo-log-likelihood (`within_word_l2r`,
    `original`) by which the candidates of each relation's answer space are scored.
    """

    name: str
    relations: tuple[Relation, ...]
    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...] = ()
    hashes: dict[str, str] = field(default_factory=dict)
    licence: str = ""
    label: str = ""
    scoring: str = VOCABULARY

    def __post_init__(self) -> None:
        """Show the name where there is no label."""
        object.__setattr__(self, "label", self.label or self.name)

    @cached_property
    def relation(self) -> dict[str, Relation]:
        """Relations by id."""
        return {relation.id: relation for relation in self.relations}


def distinct(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts without repetitions, the first of equal ones kept."""
    first: dict[tuple[str, str, str], Fact] = {}
    for fact in facts:
        first.setdefault(fact.key, fact)
    return tuple(first.values())


def normalise_masks(text: str) -> str:
    """The text with every spelling of a masked word (`[MASK]`, `<mask>`, `___`, in any case) as `[MASK]`."""
    return MASKS.sub(MASK, text)


def prompt_of(fact: Fact, relation: Relation, filler: str = MASK) -> str:
    """The fact's cloze prompt: its own sentence, or the relation's template, with `filler` in the object's place."""
    if fact.sentence is not None:
        return fact.sentence.replace(MASK, filler)
    if relation.template is None:
        raise ValueError(f"relation {relation.id} has no template and fact {fact.id} no sentence")
    before, _, after = relation.template.partition("[Y]")
    return filler.join(part.replace("[X]", fact.subject) for part in (before, after))


def folded(text: str) -> str:
    """Text as names are compared: composed and without case."""
    return unicodedata.normalize("NFC", text).casefold()
