"""Vocabularies: pruned to what a text uses, or learned from it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from tokenizers import BertWordPieceTokenizer
from tokenizers.normalizers import BertNormalizer
from transformers import BertTokenizer, PreTrainedTokenizerBase

from bertnesia.corpora import Passage
from bertnesia.errors import BertnesiaError

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def count_tokens(passages: Iterable[Passage], tokenizer: PreTrainedTokenizerBase) -> Counter[int]:
    """How often the text uses each token id."""
    counts: Counter[int] = Counter()
    texts = [passage.text for passage in passages]
    for start in range(0, len(texts), 5000):
        encoded = tokenizer(texts[start : start + 5000], add_special_tokens=False, verbose=False)
        for ids in encoded["input_ids"]:
            counts.update(ids)
    return counts


def prune_wordpiece(
    tokenizer: PreTrainedTokenizerBase, counts: Counter[int], size: int
) -> tuple[BertTokenizer, list[int]]:
    """A tokenizer of at most `size` entries, and for each of them its id in the old vocabulary.

    Special tokens and single-character pieces always stay, so that every word can still be spelled; the other
    places go to the commonest tokens. Entries keep their order.

    Raises:
        BertnesiaError: if the tokenizer is not WordPiece, or `size` has no room for what must stay.
    """
    settings = _wordpiece_settings(tokenizer)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    special = set(tokenizer.all_special_tokens)
    kept = {i for token, i in vocabulary if token in special or len(token.removeprefix("##")) == 1}
    if len(kept) > size:
        raise _no_room(size, len(kept))
    for index, _ in counts.most_common():
        if len(kept) == size:
            break
        kept.add(index)
    old_ids = sorted(kept)
    names = {i: token for token, i in vocabulary}
    return BertTokenizer({names[old]: new for new, old in enumerate(old_ids)}, **settings), old_ids


def _no_room(size: int, needed: int) -> BertnesiaError:
    return BertnesiaError(
        f"A vocabulary of {size:,} has no room for the {needed:,} special tokens and single characters: raise its size."
    )


def _wordpiece_settings(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    if not isinstance(tokenizer, BertTokenizer):
        raise BertnesiaError(
            f"Vocabulary pruning needs a BERT WordPiece tokenizer, this is a {type(tokenizer).__name__}: "
            "keep its vocabulary with vocabulary_size = 0."
        )
    return {
        "do_lower_case": tokenizer.do_lower_case,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": tokenizer.tokenize_chinese_chars,
        "model_max_length": tokenizer.model_max_length,
    }


def learn_wordpiece(passages: Iterable[Passage], size: int, max_length: int) -> BertTokenizer:
    """An uncased WordPiece vocabulary of at most `size` entries learned from the text.

    Raises:
        BertnesiaError: if `size` has no room for the special tokens and the text's single characters.
    """
    texts = [passage.text for passage in passages]
    learner = BertWordPieceTokenizer(lowercase=True)
    # The learner meets the pieces inside words in an order that changes from run to run, and breaks ties by it.
    characters = {character for text in texts for character in _normalise(text) if not character.isspace()}
    pieces = [f"##{character}" for character in sorted(characters)]
    learner.train_from_iterator(texts, vocab_size=size, special_tokens=[*SPECIAL_TOKENS, *pieces], show_progress=False)
    vocabulary = learner.get_vocab()
    if len(vocabulary) > size:
        raise _no_room(size, len(vocabulary))
    return BertTokenizer(vocabulary, do_lower_case=True, model_max_length=max_length)


def _normalise(text: str) -> str:
    return BertNormalizer(lowercase=True).normalize_str(text)


def log_frequencies(counts: Counter[int], tokenizer: PreTrainedTokenizerBase, special: float = -12.0) -> np.ndarray:
    """The log share of each token, add-one smoothed, shape (vocab,); special tokens get `special`.

    As an output bias it lets an untrained head start from the words' frequencies.
    """
    frequencies: np.ndarray = np.ones(len(tokenizer))
    for index, count in counts.items():
        frequencies[index] += count
    logs: np.ndarray = np.log(frequencies / frequencies.sum())
    logs[_ids(tokenizer.all_special_ids)] = special
    return logs


def _ids(ids: Sequence[int]) -> np.ndarray:
    return np.asarray(ids, dtype=np.int64)
