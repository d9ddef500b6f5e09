"""Typed text as a tokenizer reads it: prompts, and words that are looked for in a mask's place."""

from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.probes.eligibility import MaskWriter
from bertnesia.probes.facts import MASK
from bertnesia.sentences import normalise_masks


@dataclass(frozen=True, slots=True)
class Encoded:
    """A prompt for one tokenizer: its text with `[MASK]`s, its token ids with special tokens, where the masks are."""

    text: str
    ids: tuple[int, ...]
    masks: tuple[int, ...]


def encode_prompt(prompt: str, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> Encoded:
    """A prompt that has been checked, as token ids.

    Raises:
        BertnesiaError: if it is longer than the model takes, or the tokenizer does not find the masks.
    """
    text = normalise_masks(prompt)
    ids = _ids(MaskWriter(tokenizer)(text), tokenizer)
    if len(ids) > max_tokens:
        raise BertnesiaError(
            f"The prompt is {len(ids)} tokens long, but the model takes at most {max_tokens}: shorten it."
        )
    masks = tuple(place for place, index in enumerate(ids) if index == tokenizer.mask_token_id)
    if len(masks) != text.count(MASK):
        raise BertnesiaError(f"The prompt holds {tokenizer.mask_token} beside its masks: write every mask as {MASK}.")
    return Encoded(text, tuple(ids), masks)


def token_of(word: str, mask: int, prompt: Encoded, tokenizer: PreTrainedTokenizerBase) -> int | tuple[str, ...]:
    """The token that a word is in the place of one mask (counted from 0), or the tokens it is made of there.

    What a word is depends on its place: behind a space byte-level BPE and SentencePiece have another token for it. As
    with the facts of a probe set, the prompt is filled with the word and must keep its other tokens. Failing that, an
    entry of the vocabulary is taken literally, so that pieces (`##ing`) can be ranked, too.
    """
    parts = prompt.text.split(MASK)
    filled = MASK.join(parts[: mask + 1]) + word + MASK.join(parts[mask + 1 :])
    ids = _ids(MaskWriter(tokenizer)(filled), tokenizer)
    before, after = prompt.ids[: prompt.masks[mask]], prompt.ids[prompt.masks[mask] + 1 :]
    end = len(ids) - len(after)
    apart = len(before) <= end and (*ids[: len(before)], *ids[end:]) == (*before, *after)
    inside = ids[len(before) : end] if apart else _ids(word, tokenizer, special=False)
    if apart and len(inside) == 1 and inside[0] != tokenizer.unk_token_id:
        return inside[0]
    vocabulary = tokenizer.get_vocab()
    if word in vocabulary:
        return int(vocabulary[word])
    return tuple(tokenizer.convert_ids_to_tokens(inside))


def _ids(text: str, tokenizer: PreTrainedTokenizerBase, special: bool = True) -> list[int]:
    ids: list[int] = tokenizer(text, verbose=False, truncation=False, add_special_tokens=special)["input_ids"]
    return ids
