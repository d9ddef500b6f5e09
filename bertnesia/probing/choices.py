"""Facts with an answer space, as a model is asked them: which of a few candidates makes the likeliest sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from transformers import PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.files import digest
from bertnesia.probes.eligibility import Ineligible, other_objects
from bertnesia.probes.facts import MASK, Fact, ProbeSet, prompt_of

SHARD_SENTENCES = 8192
"""About how many masked sentences one task scores."""

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A fact and the candidates among which its object is looked for.

    `text` is the prompt with `[MASK]`; `answer` is the right candidate's place and `also_right` those of the other
    right objects of this subject and relation. `masks` counts the tokens to score in all filled prompts, `longest` is
    the length of the longest one, and `digest` identifies their tokens.
    """

    fact: int
    relation: str
    text: str
    candidates: tuple[str, ...]
    answer: int
    also_right: tuple[int, ...]
    masks: int
    longest: int
    digest: str


@dataclass(frozen=True, slots=True)
class ChoiceShard:
    """Choices of one relation: what one task scores and one part file holds."""

    number: int
    scoring: str
    choices: tuple[Choice, ...]

    @property
    def prompts(self) -> int:
        """How many facts the shard holds."""
        return len(self.choices)

    @property
    def longest(self) -> int:
        """Tokens of its longest filled prompt."""
        return max(choice.longest for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Token ids with special tokens; for each the word it belongs to, None where it is special and not scored."""

    input_ids: tuple[int, ...]
    words: tuple[int | None, ...]


def make_choices(
    probe_set: ProbeSet, tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> tuple[list[Choice], list[Ineligible]]:
    """Split the facts of a probe set with answer spaces into choices and ineligible ones, in the probe set's order.

    A fact is eligible if its object is in its relation's answer space and known to the vocabulary, however many tokens
    it has, and no filled prompt has more than `max_tokens` tokens, special tokens included.

    Raises:
        BertnesiaError: if the tokenizer does not tell words apart.
    """
    facts = iter(zip(probe_set.facts, other_objects(probe_set.facts), strict=True))
    choices: list[Choice] = []
    ineligible: list[Ineligible] = []
    while batch := list(islice(facts, _BATCH)):
        for (fact, others), sentences in zip(
            batch, _filled(probe_set, [fact for fact, _ in batch], tokenizer), strict=True
        ):
            found = _choice(probe_set, fact, others, sentences, tokenizer, max_tokens)
            if isinstance(found, str):
                ineligible.append(Ineligible(fact.id, found))
            else:
                choices.append(found)
    return choices, ineligible


def make_choice_shards(choices: Sequence[Choice], scoring: str) -> list[ChoiceShard]:
    """Cut choices into shards of one relation each, the same ones whatever scores them."""
    shards: list[list[Choice]] = []
    for choice in sorted(choices, key=lambda choice: choice.relation):
        masks = sum(other.masks for other in shards[-1]) if shards else 0
        if not shards or shards[-1][0].relation != choice.relation or masks + choice.masks > SHARD_SENTENCES:
            shards.append([])
        shards[-1].append(choice)
    return [ChoiceShard(number, scoring, tuple(shard)) for number, shard in enumerate(shards)]


def statement(text: str, candidate: str) -> str:
    """The prompt filled with a candidate; it begins with a capital letter, as BEAR's own code has it."""
    filled = text.replace(MASK, candidate)
    return filled[:1].upper() + filled[1:]


def tokenise(statements: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[Sentence]:
    """The statements' tokens and words.

    Raises:
        BertnesiaError: if the tokenizer does not tell words apart.
    """
    if not tokenizer.is_fast:
        raise BertnesiaError(
            "This tokenizer does not tell words apart, so candidates of an answer space have no score."
        )
    encoded = tokenizer(
        list(statements), truncation=False, padding=False, verbose=False, return_special_tokens_mask=True
    )
    return [
        Sentence(
            tuple(ids),
            tuple(None if special else word for special, word in zip(mask, encoded.word_ids(i), strict=True)),
        )
        for i, (ids, mask) in enumerate(zip(encoded["input_ids"], encoded["special_tokens_mask"], strict=True))
    ]


def _filled(probe_set: ProbeSet, facts: Sequence[Fact], tokenizer: PreTrainedTokenizerBase) -> Iterator[list[Sentence]]:
    """For each fact its prompt filled with each candidate."""
    relations = [probe_set.relation[fact.relation] for fact in facts]
    texts = [prompt_of(*pair) for pair in zip(facts, relations, strict=True)]
    statements = [
        statement(text, candidate)
        for text, relation in zip(texts, relations, strict=True)
        for candidate in relation.answer_space
    ]
    sentences = iter(tokenise(statements, tokenizer) if statements else [])
    return (list(islice(sentences, len(relation.answer_space))) for relation in relations)


def _choice(
    probe_set: ProbeSet,
    fact: Fact,
    others: Sequence[str],
    sentences: Sequence[Sentence],
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
) -> Choice | str:
    """The choice, or the reason why the fact is ineligible."""
    relation = probe_set.relation[fact.relation]
    space = relation.answer_space
    special = (MASK, *tokenizer.all_special_tokens)
    if fact.object not in space:
        return "object is not in the answer space"
    if found := next((token for token in special if token in fact.subject), None):
        return f"subject contains {found}"
    if any(token in candidate for token in special for candidate in space):
        return "answer space contains a special token"
    if tokenizer.unk_token in tokenizer.tokenize(fact.object):
        return "object is unknown to the vocabulary"
    longest = max(len(sentence.input_ids) for sentence in sentences)
    if longest > max_tokens:
        return f"prompt is {longest} tokens, more than {max_tokens}"
    return Choice(
        fact.id,
        fact.relation,
        prompt_of(fact, relation),
        space,
        space.index(fact.object),
        tuple(sorted({space.index(other) for other in others if other in space} - {space.index(fact.object)})),
        sum(word is not None for sentence in sentences for word in sentence.words),
        longest,
        digest([(sentence.input_ids, sentence.words) for sentence in sentences]),
    )
