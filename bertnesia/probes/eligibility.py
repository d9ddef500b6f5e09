"""From facts to prompts: which facts a tokenizer lets a model be asked, and which token is the right answer."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from transformers import PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.probes.facts import MASK, Fact, ProbeSet, prompt_of

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Prompt:
    """An eligible fact as a model is asked it.

    `input_ids` has special tokens and the mask, at `mask_position`; `answer` is the right object's token id and
    `also_right` those of the other right objects of this subject and relation, which the filtered rank leaves out.
    """

    fact: int
    relation: str
    text: str
    input_ids: tuple[int, ...]
    mask_position: int
    answer: int
    also_right: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ineligible:
    """A fact that cannot be asked with one mask, and why."""

    fact: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Cloze:
    """A masked prompt that fits: its ids and where the mask stands."""

    input_ids: tuple[int, ...]
    position: int


class MaskWriter:
    """Writes our `[MASK]` as a tokenizer wants it.

    Where the tokenizer keeps the space before its mask token as a token of its own, no word could stand in the mask's
    place as it does in running text (byte-level BPE and SentencePiece put the space into the word), so the space
    goes.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Look at how the tokenizer treats its mask token.

        Raises:
            BertnesiaError: if it has none.
        """
        if tokenizer.mask_token is None:
            raise BertnesiaError("This tokenizer has no mask token, so nothing can be asked with it.")
        self.token: str = tokenizer.mask_token
        apart, joined = _token_ids(tokenizer, [f"a {self.token}", f"a{self.token}"])
        self._pattern = re.compile(rf"\s?{re.escape(MASK)}" if len(apart) > len(joined) else re.escape(MASK))

    def __call__(self, text: str) -> str:
        """The text with every `[MASK]` written as the tokenizer's mask token."""
        return self._pattern.sub(lambda _: self.token, text)


def make_prompts(
    probe_set: ProbeSet, tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> tuple[list[Prompt], list[Ineligible]]:
    """Split a probe set's facts into prompts and ineligible ones, each in the probe set's order.

    A fact is eligible if the prompt filled with its object tokenises to the masked prompt's tokens with exactly one
    token, and not the unknown one, in the mask's place; that token is the answer. The other right objects of its
    subject (by URI where there is one, else by label) and relation are filled into the same prompt to find their
    tokens, whether or not their own facts are eligible. Prompts of more than `max_tokens` tokens, special tokens
    included, are ineligible and never cut.

    Raises:
        BertnesiaError: if the tokenizer has no mask token.
    """
    judge = _Judge(tokenizer, max_tokens)
    others = other_objects(probe_set.facts)
    prompts: list[Prompt] = []
    ineligible: list[Ineligible] = []
    remaining = iter(enumerate(probe_set.facts))
    while batch := list(islice(remaining, _BATCH)):
        facts = [(fact, probe_set.relation[fact.relation]) for _, fact in batch]
        texts = [prompt_of(fact, relation) for fact, relation in facts]
        clozes = judge.clozes([fact.subject for fact, _ in facts], texts)
        fillers = [(i, label) for i, (number, fact) in enumerate(batch) for label in (fact.object, *others[number])]
        filled = _token_ids(tokenizer, [prompt_of(*facts[i], label) for i, label in fillers])
        answers: list[list[int | str]] = [[] for _ in facts]
        for (i, label), ids in zip(fillers, filled, strict=True):
            answers[i].append(judge.token_in_place(label, ids, clozes[i]))
        for (fact, _), text, cloze, (answer, *rest) in zip(facts, texts, clozes, answers, strict=True):
            if isinstance(cloze, str) or isinstance(answer, str):
                ineligible.append(Ineligible(fact.id, str(answer)))
            else:
                right = tuple(sorted({token for token in rest if isinstance(token, int)} - {answer}))
                prompts.append(Prompt(fact.id, fact.relation, text, cloze.input_ids, cloze.position, answer, right))
    return prompts, ineligible


def other_objects(facts: Sequence[Fact]) -> list[list[str]]:
    """The other right objects of each fact's subject and relation."""
    groups: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[_group(fact)].append(fact)
    return [[other.object for other in groups[_group(fact)] if other is not fact] for fact in facts]


def _group(fact: Fact) -> tuple[str, str]:
    return fact.relation, fact.subject_uri or fact.subject.casefold()


class _Judge:
    """Says for one tokenizer what fits and, as a string, why something does not."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> None:
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.write = MaskWriter(tokenizer)
        self.mask: int = tokenizer.mask_token_id
        self.unknown: int | None = tokenizer.unk_token_id
        self.special_tokens: tuple[str, ...] = tuple(tokenizer.all_special_tokens)

    def clozes(self, subjects: Sequence[str], texts: Sequence[str]) -> list[_Cloze | str]:
        """For each prompt how it is asked, or the reason why it cannot be."""
        masked = _token_ids(self.tokenizer, [self.write(text) for text in texts])
        return [self._cloze(*each) for each in zip(subjects, texts, masked, strict=True)]

    def _cloze(self, subject: str, text: str, ids: list[int]) -> _Cloze | str:
        special = next((token for token in (MASK, *self.special_tokens) if token in subject), None)
        if special is not None:
            return f"subject contains {special}"
        if (masks := ids.count(self.mask)) != 1:
            return f"prompt has {masks} masks"
        if self._has_special_token(text.replace(MASK, "")):
            return "prompt contains a special token"
        if len(ids) > self.max_tokens:
            return f"prompt is {len(ids)} tokens, more than {self.max_tokens}"
        return _Cloze(tuple(ids), ids.index(self.mask))

    def token_in_place(self, label: str, ids: Sequence[int], cloze: _Cloze | str) -> int | str:
        """The one token that stands in the mask's place once it is filled, or the reason why there is none."""
        if isinstance(cloze, str):
            return cloze
        before, after = cloze.input_ids[: cloze.position], cloze.input_ids[cloze.position + 1 :]
        end = len(ids) - len(after)
        if self._has_special_token(label):
            return "object contains a special token"
        if end < len(before) or (*before, *after) != (*ids[: len(before)], *ids[end:]):
            return "object does not stand apart from the words beside it"
        tokens = ids[len(before) : end]
        if self.unknown in tokens:
            return "object is unknown to the vocabulary"
        if len(tokens) == 1:
            return tokens[0]
        return f"object is {len(tokens)} tokens" if tokens else "object has no tokens"

    def _has_special_token(self, text: str) -> bool:
        return any(token in text for token in self.special_tokens)


def _token_ids(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    """Ids of each text with special tokens, in full length."""
    encoded = tokenizer(
        texts,
        truncation=False,
        padding=False,
        verbose=False,
        return_attention_mask=False,
        return_token_type_ids=False,
    )
    ids: list[list[int]] = encoded["input_ids"]
    return ids
