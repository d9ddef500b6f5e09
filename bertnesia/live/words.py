"""Typed text as a tokenizer reads it: prompts, and words that are looked for in a mask's place."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.probes.eligibility import MaskWriter
from bertnesia.probes.facts import MASK, normalise_masks


@dataclass(frozen=True, slots=True)
class Encoded:
    """A prompt for one tokenizer: its text with `[MASK]`s, its token ids with special tokens, where the masks are."""

    text: str
    ids: tuple[int, ...]
    masks: tuple[int, ...]


class Reader:
    """Reads typed text as one tokenizer does; made once for each loaded model."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Look at the tokenizer.

        Raises:
            BertnesiaError: if it has no mask token.
        """
        self.vocabulary: dict[str, int] = tokenizer.get_vocab()
        self._tokenizer = tokenizer
        self._write = MaskWriter(tokenizer)

    def prompt(self, prompt: str, max_tokens: int) -> Encoded:
        """A prompt that has been checked, as token ids.

        Raises:
            BertnesiaError: if it is longer than the model takes, or the tokenizer does not find the masks.
        """
        text = normalise_masks(prompt)
        (ids,) = self._ids([self._write(text)])
        if len(ids) > max_tokens:
            raise BertnesiaError(
                f"The prompt is {len(ids)} tokens long, but the model takes at most {max_tokens}: shorten it."
            )
        mask_token = self._tokenizer.mask_token
        masks = tuple(place for place, index in enumerate(ids) if index == self._tokenizer.mask_token_id)
        if len(masks) != text.count(MASK):
            raise BertnesiaError(f"The prompt holds {mask_token} beside its masks: write every mask as {MASK}.")
        return Encoded(text, tuple(ids), masks)

    def tokens(self, words: Sequence[str], mask: int, prompt: Encoded) -> list[int | tuple[str, ...]]:
        """The token that each word is in the place of one mask (counted from 0), or the tokens it is made of there.

        What a word is depends on its place: behind a space byte-level BPE and SentencePiece have another token for it.
        As with the facts of a probe set, the prompt is filled with the word and must keep its other tokens. Failing
        that, an entry of the vocabulary is taken literally, so that pieces (`##ing`) can be ranked, too.
        """
        parts = prompt.text.split(MASK)
        before, after = MASK.join(parts[: mask + 1]), MASK.join(parts[mask + 1 :])
        filled = self._ids([self._write(before + word + after) for word in words])
        return [self._token(word, ids, mask, prompt) for word, ids in zip(words, filled, strict=True)]

    def _token(self, word: str, filled: list[int], mask: int, prompt: Encoded) -> int | tuple[str, ...]:
        before, after = prompt.ids[: prompt.masks[mask]], prompt.ids[prompt.masks[mask] + 1 :]
        end = len(filled) - len(after)
        apart = len(before) <= end and (*filled[: len(before)], *filled[end:]) == (*before, *after)
        inside = filled[len(before) : end] if apart else self._ids([word], special=False)[0]
        if apart and len(inside) == 1 and inside[0] != self._tokenizer.unk_token_id:
            return inside[0]
        if word in self.vocabulary:
            return self.vocabulary[word]
        return tuple(self._tokenizer.convert_ids_to_tokens(inside))

    def _ids(self, texts: list[str], special: bool = True) -> list[list[int]]:
        if not texts:
            return []
        encoded = self._tokenizer(
            texts,
            verbose=False,
            truncation=False,
            add_special_tokens=special,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        ids: list[list[int]] = encoded["input_ids"]
        return ids
