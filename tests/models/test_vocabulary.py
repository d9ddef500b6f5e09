"""Vocabularies: pruned, learned, and turned into an output bias."""

import math
from collections import Counter

import numpy as np
import pytest
from transformers import BertTokenizer

from bertnesia.corpora import Passage
from bertnesia.errors import BertnesiaError
from bertnesia.models.vocabulary import count_tokens, learn_wordpiece, log_frequencies, prune_wordpiece
from tests import tiny

WORDS = ("[unused0]", "ant", "bee", "cat", "dog", "##ee", "##nt")
CHARACTERS = ("a", "b", "c", "e", "n", "t", "##e", "##n", "##t")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ENTRIES = (*SPECIAL[:1], *WORDS[:3], *CHARACTERS[4:], *SPECIAL[1:], *WORDS[3:], *CHARACTERS[:4])  # well mixed
OLD = BertTokenizer(
    {token: i for i, token in enumerate(ENTRIES)}, do_lower_case=False, strip_accents=False, model_max_length=77
)
MUST_STAY = {*SPECIAL, *CHARACTERS}


def passages(*texts):
    return [Passage(text, text) for text in texts]


def counted(**counts):
    return Counter({OLD.convert_tokens_to_ids(token): count for token, count in counts.items()})


def test_tokens_are_counted_over_all_passages():
    counts = count_tokens(passages("ant bee ant", "cat", ""), OLD)

    assert counts == counted(ant=2, bee=1, cat=1)


def test_what_is_used_most_stays_with_special_tokens_and_single_characters():
    pruned, kept = prune_wordpiece(OLD, counted(cat=5, ant=7, dog=1, a=99), size=len(MUST_STAY) + 2)

    assert set(pruned.get_vocab()) == MUST_STAY | {"ant", "cat"}
    assert kept == sorted(kept)
    assert [OLD.convert_ids_to_tokens(old) for old in kept] == pruned.convert_ids_to_tokens(range(len(pruned)))


def test_a_dropped_word_is_still_spelled_and_a_kept_one_still_whole():
    pruned, _ = prune_wordpiece(OLD, counted(cat=1), size=len(MUST_STAY) + 1)

    assert pruned.tokenize("cat ant bee") == ["cat", "a", "##n", "##t", "b", "##e", "##e"]
    assert pruned.tokenize("dog") == ["[UNK]"]


def test_a_text_that_uses_little_leaves_places_free():
    pruned, _ = prune_wordpiece(OLD, counted(cat=1), size=21)

    assert set(pruned.get_vocab()) == MUST_STAY | {"cat"}


def test_special_tokens_and_settings_carry_over():
    pruned, _ = prune_wordpiece(OLD, counted(cat=1), size=20)

    assert not pruned.do_lower_case
    assert pruned.model_max_length == 77
    assert pruned.tokenize("Cat")[0] == "[UNK]"
    for name in ("pad", "unk", "cls", "sep", "mask"):
        token = getattr(pruned, f"{name}_token")
        assert pruned.convert_ids_to_tokens(getattr(pruned, f"{name}_token_id")) == token == f"[{name.upper()}]"
    assert pruned("cat")["input_ids"] == pruned.convert_tokens_to_ids(["[CLS]", "cat", "[SEP]"])


def test_too_small_a_size_is_one_clear_sentence():
    with pytest.raises(BertnesiaError, match="A vocabulary of 13 has no room for the 14 special tokens"):
        prune_wordpiece(OLD, Counter(), size=13)


def test_a_learned_vocabulary_knows_the_text_in_few_pieces():
    texts = [f"{person} lives in {tiny.town_of(person)}" for person in tiny.PEOPLE]
    learned = learn_wordpiece(passages(*texts), size=120, max_length=50)

    assert len(learned) <= 120
    assert learned.model_max_length == 50
    assert learned.tokenize("Lives IN") == ["lives", "in"]
    assert learned.unk_token_id not in [i for text in texts for i in learned(text)["input_ids"]]
    assert {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} <= set(learned.get_vocab())


def test_a_size_without_room_for_the_letters_is_one_clear_sentence():
    with pytest.raises(BertnesiaError, match="A vocabulary of 20 has no room"):
        learn_wordpiece(passages("the quick brown fox jumps over the lazy dog"), size=20, max_length=50)


def test_log_frequencies_are_smoothed_shares():
    logs = log_frequencies(counted(ant=3, bee=1), OLD)
    ids = OLD.get_vocab()
    total = 3 + 1 + len(OLD)

    assert logs.shape == (len(OLD),)
    assert logs[ids["ant"]] == pytest.approx(math.log(4 / total))
    assert logs[ids["bee"]] == pytest.approx(math.log(2 / total))
    assert logs[ids["dog"]] == pytest.approx(math.log(1 / total))
    assert np.all(logs[OLD.all_special_ids] == -12)
