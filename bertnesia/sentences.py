"""Typed sentences with masked words: read, checked, and changed word by word."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from bertnesia.errors import BertnesiaError
from bertnesia.probes.facts import MASK, MASKS

MOSTMASKS = 4
MOST_CHARACTERS = 20_000
"""A sentence of more is refused before any tokenizer reads it."""

_PIECES = re.compile(rf"(?P<mask>{MASKS.pattern})|[^\W_]+(?:['’.\-][^\W_]+)*", re.IGNORECASE)
_OPENING = "([{<\"'“‘«„-/"
_END = re.compile(r"\s*[.!?…。]$")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word or a mask of a sentence, and where it stands in it."""

    text: str
    start: int
    end: int
    masked: bool


@dataclass(frozen=True, slots=True)
class Masking:
    """A sentence, and the words that its masks (by their place among the pieces) were put in place of, where known."""

    sentence: str
    words: Mapping[int, str] = field(default_factory=dict)

    def toggle(self, place: int) -> "Masking":
        """Mask the word at a place, or put the word that was masked there back; what cannot be done changes nothing."""
        pieces = pieces_of(self.sentence)
        if not 0 <= place < len(pieces):
            return self
        piece = pieces[place]
        text = self.words.get(place) if piece.masked else MASK
        if text is None:
            return self
        sentence = self.sentence[: piece.start] + text + self.sentence[piece.end :]
        words = {other: word for other, word in self.words.items() if other != place}
        return Masking(sentence, words if piece.masked else {**words, place: piece.text})


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that no model could answer.

    Raises:
        BertnesiaError: if it is empty or huge, holds control characters, or has no mask or too many.
    """
    if not prompt.strip():
        raise BertnesiaError("The prompt is empty: type a sentence with [MASK] in place of a word.")
    if len(prompt) > MOST_CHARACTERS:
        raise BertnesiaError(
            f"The prompt is {len(prompt):,} characters long, but at most {MOST_CHARACTERS:,} can be asked: shorten it."
        )
    if has_control_characters(prompt):
        raise BertnesiaError("The prompt holds control characters: remove them.")
    masks = len(MASKS.findall(prompt))
    if masks == 0:
        raise BertnesiaError("The prompt has no mask: put [MASK] in place of the word to predict.")
    if masks > MOSTMASKS:
        raise BertnesiaError(f"The prompt has {masks} masks, but at most {MOSTMASKS} can be asked at once.")


def has_control_characters(text: str) -> bool:
    """Whether the text holds control characters other than line ends and tabs, or halves of characters."""
    return any(unicodedata.category(one) in {"Cc", "Cs"} and one not in "\t\n\r" for one in text)


def pieces_of(sentence: str) -> list[Piece]:
    """The words and masks of a sentence, in order; punctuation is not among them."""
    return [
        Piece(match[0], match.start(), match.end(), match["mask"] is not None) for match in _PIECES.finditer(sentence)
    ]


def add_mask(sentence: str) -> str:
    """The sentence with one more mask behind its last word, and a full stop where it has no end."""
    words = sentence.rstrip()
    end = _END.search(words)
    if end is None:
        return f"{words} {MASK} .".lstrip()
    return f"{words[: end.start()]} {MASK}{end[0]}".lstrip()


def insert_mask(before: str, after: str) -> str:
    """The sentence that has a mask between two parts, spaces around it; behind the last word as `add_mask` has it."""
    if not after.strip():
        return add_mask(before)
    left = " " if before and not before[-1].isspace() and before[-1] not in _OPENING else ""
    right = " " if after[0].isalnum() else ""
    return f"{before}{left}{MASK}{right}{after}"


def split_words(text: str) -> tuple[str, ...]:
    """The distinct words of a comma-separated list."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def answers_for(answers: tuple[str, ...], mask: int) -> tuple[str, ...]:
    """The right answer for one mask (counted from 0): its own, or the one that is given for all; or none."""
    return answers if len(answers) == 1 else answers[mask : mask + 1]
