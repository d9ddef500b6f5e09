"""How much one request may ask for."""

from collections.abc import Sequence

from bertnesia.errors import BertnesiaError
from bertnesia.sentences import has_control_characters

MOST_PREDICTIONS = 100
MOST_MODELS_AT_ONCE = 8
MOST_WORDS = 50
MOST_LETTERS = 100


def check_k(k: int, model: str = "", entries: int = MOST_PREDICTIONS) -> None:
    """Refuse a number of predictions for each layer that is too small or large, also for a model's vocabulary.

    Raises:
        BertnesiaError: if it is.
    """
    if not 1 <= k <= MOST_PREDICTIONS:
        raise BertnesiaError(f"k is {k}, but must be between 1 and {MOST_PREDICTIONS}.")
    if k > entries:
        raise BertnesiaError(f"k is {k}, but the vocabulary of {model} has {entries} entries.")


def check_words(words: Sequence[str]) -> None:
    """Refuse watched words that are too many, or one that is too long or holds control characters.

    Raises:
        BertnesiaError: if there is such a word.
    """
    if len(words) > MOST_WORDS:
        raise BertnesiaError(f"{len(words)} words are watched, but at most {MOST_WORDS} can be.")
    for word in words:
        if len(word) > MOST_LETTERS:
            raise BertnesiaError(f"The word {word[:20]!r}... is longer than {MOST_LETTERS} characters: shorten it.")
        if has_control_characters(word):
            raise BertnesiaError(f"The word {word!r} holds control characters: remove them.")
