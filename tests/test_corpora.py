from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizer

from bertnesia.corpora import Passage, read_corpus, split_corpus, token_chunks
from bertnesia.errors import BertnesiaError
from bertnesia.files import sha256

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "one", "two", "three", "four", ".", "!"]
TOKENIZER = BertTokenizer({word: i for i, word in enumerate(WORDS)}, do_lower_case=True)
ARTICLES = """
 = First =
 Rain @-@ proof coats cost 1 @,@ 000 .
 = = Part = =
 More of the first .
 = Second =
 All of the second .
Still of the second .
"""


def test_plain_text_and_wikitext_are_read_into_groups(tmp_path: Path) -> None:
    plain, wiki = tmp_path / "plain.txt", tmp_path / "wiki.raw"
    plain.write_text("It rained in 1990.\n\nIt RAINED in 1991!\nIt snowed.\n", encoding="utf-8")
    wiki.write_text(ARTICLES, encoding="utf-8")
    corpus = read_corpus([plain, wiki])
    texts = [passage.text for passage in corpus.passages]
    assert texts[:3] == ["It rained in 1990.", "It RAINED in 1991!", "It snowed."]
    assert texts[3:5] == ["Rain-proof coats cost 1,000 .", "More of the first ."]
    assert texts[5:] == ["All of the second .", "Still of the second ."]
    groups = [passage.group for passage in corpus.passages]
    assert groups[0] == groups[1] != groups[2]
    assert groups[3:] == ["wiki.raw: First"] * 2 + ["wiki.raw: Second"] * 2
    assert corpus.describe() == [
        {"name": "plain.txt", "sha256": sha256(plain), "passages": 3},
        {"name": "wiki.raw", "sha256": sha256(wiki), "passages": 4},
    ]


def test_unreadable_text_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BertnesiaError, match="Cannot read"):
        read_corpus([tmp_path / "none.txt"])
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(BertnesiaError, match="holds no text"):
        read_corpus([tmp_path / "empty.txt"])
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(BertnesiaError, match=r"not UTF-8 text \(byte 3\)"):
        read_corpus([tmp_path / "latin.txt"])


@given(st.lists(st.integers(0, 40)), st.floats(0.1, 0.4), st.floats(0.1, 0.4))
def test_no_group_is_in_two_shares_and_nothing_is_lost(numbers: list[int], decoder: float, validation: float) -> None:
    passages = [Passage(f"text {i}", f"group {number}") for i, number in enumerate(numbers)]
    split = split_corpus(passages, decoder, validation)
    shares = [{passage.group for passage in share} for share in (split.base, split.decoder, split.validation)]
    assert sum(len(share) for share in shares) == len(set().union(*shares))
    together = [*split.base, *split.decoder, *split.validation]
    assert sorted(passage.text for passage in together) == sorted(passage.text for passage in passages)


def test_shares_have_their_sizes_and_do_not_depend_on_the_rest() -> None:
    passages = [Passage(str(i), f"group {i}") for i in range(4000)]
    split = split_corpus(passages, decoder=0.2, validation=0.1)
    assert len(split.decoder) / 4000 == pytest.approx(0.2, abs=0.03)
    assert len(split.validation) / 4000 == pytest.approx(0.1, abs=0.03)
    again = split_corpus(passages[::2], decoder=0.2, validation=0.1)
    assert set(again.validation) == set(split.validation) & set(passages[::2])


def test_articles_of_real_text_stay_on_one_side(shared_data: Path) -> None:
    path = shared_data / "wikitext-2-raw/wiki.valid.raw"
    corpus = read_corpus([path])
    assert len({passage.group for passage in corpus.passages}) == 60  # as WikiText's authors count them
    split = split_corpus(corpus.passages, decoder=0.3, validation=0.2)
    groups = [{passage.group for passage in share} for share in (split.base, split.decoder, split.validation)]
    assert all(groups)
    assert sum(map(len, groups)) == len(set().union(*groups))


def test_chunks_by_hand() -> None:
    passage = Passage("One two. Three four! One.", "g")
    chunks = list(token_chunks([passage], TOKENIZER, max_tokens=8))
    assert [TOKENIZER.convert_ids_to_tokens(chunk) for chunk in chunks] == [
        ["[CLS]", "one", "two", ".", "three", "four", "!", "[SEP]"],
        ["[CLS]", "one", ".", "[SEP]"],
    ]


sentences = st.lists(st.sampled_from(["one", "two", "three", "four", "Two.", "One!"]), max_size=40).map(" ".join)


@given(st.lists(sentences, max_size=6), st.integers(3, 12))
def test_chunks_hold_every_token_and_never_too_many(texts: list[str], max_tokens: int) -> None:
    chunks = list(token_chunks([Passage(text, text) for text in texts], TOKENIZER, max_tokens))
    assert all(2 < len(chunk) <= max_tokens for chunk in chunks)
    assert all((chunk[0], chunk[-1]) == (2, 3) for chunk in chunks)
    inside = [token for chunk in chunks for token in chunk[1:-1]]
    assert inside == [token for text in texts for token in TOKENIZER(text, add_special_tokens=False)["input_ids"]]
