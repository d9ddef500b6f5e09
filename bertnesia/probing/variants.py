"""Other prompts for the same facts: the subject masked, another subject in its place, the relation's paraphrases.

What a model still answers without the subject, or with a wrong one, it did not need to know of the subject. The fact
keeps its id and its right object in every variant.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from transformers import PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.probes.eligibility import MaskWriter, Prompt, make_prompts
from bertnesia.probes.facts import MASK, Fact, ProbeSet, Relation

PLAIN = "plain"
SUBJECT_MASKED = "subject_masked"
SUBJECT_SWAPPED = "subject_swapped"
PARAPHRASES = "paraphrases"
"""Stands for `paraphrase_1`, `paraphrase_2`, ..., as many as a probe set's relations have."""

_BLANKS = re.compile(r"\[X\]|\[Y\]")


def expand_variants(chosen: Iterable[str], probe_set: ProbeSet) -> list[str]:
    """Names of the variants as the store has them, `paraphrases` spelled out for this probe set."""
    most = max((len(relation.paraphrases) for relation in probe_set.relations), default=0)
    numbered = [f"paraphrase_{number + 1}" for number in range(most)]
    return [name for each in chosen for name in (numbered if each == PARAPHRASES else [each])]


def make_variant(
    variant: str,
    probe_set: ProbeSet,
    plain: Sequence[Prompt],
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
) -> list[Prompt]:
    """The prompts of one variant, in the probe set's order.

    Args:
        variant: `subject_masked`: the plain prompt with mask tokens for every token that holds part of the subject;
            `subject_swapped`: with another subject of the relation, which has other objects and does not name this
            one, chosen by the fact's hash; `paraphrase_<n>`: from the relation's n-th paraphrase.
        probe_set: the facts.
        plain: their plain prompts. Masked and swapped ones exist only where the plain one does, and leave the same
            other objects out of the filtered rank; eligibility for a paraphrase is judged anew.
        tokenizer: the model's.
        max_tokens: longest prompt, special tokens included.

    Raises:
        BertnesiaError: if there is no such variant, or the tokenizer cannot say where its tokens stand.
    """
    by_fact = {prompt.fact: prompt for prompt in plain}
    asked = [(fact, by_fact[fact.id]) for fact in probe_set.facts if fact.id in by_fact]
    if variant == SUBJECT_MASKED:
        return _masked(asked, probe_set, tokenizer)
    if variant == SUBJECT_SWAPPED:
        return _swapped(asked, probe_set, tokenizer, max_tokens)
    if number := paraphrase_number(variant):
        prompts, _ = make_prompts(paraphrased(number, probe_set), tokenizer, max_tokens)
        return prompts
    raise BertnesiaError(
        f"There is no prompt variant {variant!r}; there are {SUBJECT_MASKED}, {SUBJECT_SWAPPED} and {PARAPHRASES}."
    )


def paraphrase_number(variant: str) -> int | None:
    """Which of a relation's paraphrases a variant is, from 1; None if it is another kind of variant."""
    number = variant.removeprefix("paraphrase_")
    return int(number) or None if number.isdecimal() and number != variant else None


def paraphrased(number: int, probe_set: ProbeSet) -> ProbeSet:
    """The probe set with every relation's `number`-th paraphrase as its template, where it has so many."""
    said = {
        relation.id: replace(relation, template=relation.paraphrases[number - 1])
        for relation in probe_set.relations
        if len(relation.paraphrases) >= number
    }
    facts = tuple(fact for fact in probe_set.facts if fact.relation in said and fact.sentence is None)
    return replace(probe_set, relations=tuple(said.values()), facts=facts)


@dataclass(frozen=True, slots=True)
class Located:
    """A cloze prompt, with `[MASK]`, and where its subject stands: (start, end) in characters."""

    text: str
    subject: tuple[tuple[int, int], ...]

    def with_subject(self, other: str) -> str:
        """The prompt with another subject."""
        parts, end = [], 0
        for start, stop in self.subject:
            parts += [self.text[end:start], other]
            end = stop
        return "".join([*parts, self.text[end:]])


def locate_subject(fact: Fact, relation: Relation) -> Located | None:
    """The fact's prompt with the places of its subject, or None where its own sentence does not contain it."""
    if fact.sentence is not None:
        name = re.compile(rf"(?<!\w){re.escape(fact.subject)}(?!\w)", re.IGNORECASE)
        spans = tuple(match.span() for match in name.finditer(fact.sentence) if match[0])
        return Located(fact.sentence, spans) if spans else None
    if relation.template is None:
        return None
    text, end, found = "", 0, []
    for blank in _BLANKS.finditer(relation.template):
        text += relation.template[end : blank.start()]
        if blank[0] == "[X]":
            found.append((len(text), len(text) + len(fact.subject)))
        text += fact.subject if blank[0] == "[X]" else MASK
        end = blank.end()
    return Located(text + relation.template[end:], tuple(found)) if found else None


def names_object(fact: Fact, subject: str | None = None) -> bool:
    """Whether the fact's subject, or another, contains its object as whole words, whatever their case."""
    return (fact if subject is None else replace(fact, subject=subject)).object_in_subject


def _masked(
    asked: Sequence[tuple[Fact, Prompt]], probe_set: ProbeSet, tokenizer: PreTrainedTokenizerBase
) -> list[Prompt]:
    if not tokenizer.is_fast:
        raise BertnesiaError("The tokenizer does not say where its tokens stand, so subjects cannot be masked with it.")
    write = MaskWriter(tokenizer)
    places = [(prompt, locate_subject(fact, probe_set.relation[fact.relation])) for fact, prompt in asked]
    found = [(prompt, place) for prompt, place in places if place]
    if not found:
        return []
    texts = [write(place.text) for _, place in found]
    offsets = tokenizer(texts, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    prompts = []
    for (prompt, place), tokens in zip(found, offsets, strict=True):
        subject = _written(place, write)
        ids = tuple(
            tokenizer.mask_token_id if i != prompt.mask_position and _overlaps(span, subject) else token
            for i, (token, span) in enumerate(zip(prompt.input_ids, tokens, strict=True))
        )
        prompts.append(replace(prompt, input_ids=ids, text=place.with_subject(MASK)))
    return prompts


def _written(place: Located, write: Callable[[str], str]) -> list[tuple[int, int]]:
    """Where the subject stands once the mask is written as the tokenizer wants it."""
    starts = ((len(write(place.text[:start])), stop - start) for start, stop in place.subject)
    return [(start, start + length) for start, length in starts]


def _overlaps(token: tuple[int, int], spans: Iterable[tuple[int, int]]) -> bool:
    start, end = token
    return any(start < stop and begin < end for begin, stop in spans)


def _swapped(
    asked: Sequence[tuple[Fact, Prompt]], probe_set: ProbeSet, tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> list[Prompt]:
    subjects = _Subjects(probe_set.facts)
    stand_ins: list[tuple[Prompt, Fact]] = []
    for fact, prompt in asked:
        place, other = locate_subject(fact, probe_set.relation[fact.relation]), subjects.instead(fact)
        if place and other:
            stand_ins.append((prompt, replace(fact, subject=other, sentence=place.with_subject(other))))
    facts = tuple({fact.id: fact for _, fact in stand_ins}.values())
    made, _ = make_prompts(replace(probe_set, facts=facts), tokenizer, max_tokens)
    by_fact = {prompt.fact: prompt for prompt in made}
    return [
        replace(by_fact[fact.id], fact=prompt.fact, also_right=prompt.also_right)
        for prompt, fact in stand_ins
        if fact.id in by_fact and by_fact[fact.id].answer == prompt.answer
    ]


class _Subjects:
    """The subjects of every relation, and the objects that are right for each."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._objects: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for fact in facts:
            self._objects[fact.relation][fact.subject].add(fact.object.casefold())
        self._sorted = {relation: sorted(subjects) for relation, subjects in self._objects.items()}

    def instead(self, fact: Fact) -> str | None:
        """Another subject of the fact's relation for which its object is wrong; the same one in every run."""
        objects, subjects = self._objects[fact.relation], self._sorted[fact.relation]
        start = int(hashlib.sha256(f"swap\n{fact.id}".encode()).hexdigest(), 16) % len(subjects)
        for subject in (*subjects[start:], *subjects[:start]):
            if subject.casefold() == fact.subject.casefold() or fact.object.casefold() in objects[subject]:
                continue
            if not names_object(fact, subject):
                return subject
        return None
