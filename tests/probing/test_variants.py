"""Prompt variants worked out by hand, for WordPiece and for byte-level BPE."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import BertTokenizer, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.probes.eligibility import Prompt, make_prompts
from bertnesia.probes.facts import Fact, ProbeSet, Relation
from bertnesia.probes.lama import read_lama
from bertnesia.probing.variants import expand_variants, locate_subject, make_variant, names_object
from tests.probes.test_eligibility import byte_level, unigram

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ann", "bob", "cara", "was", "born", "in", "oslo", "rome"]
WORDS += ["##ian", "##na", ".", "of", "the", "town", "is"]
BORN = Relation("test", "born", "born in", "[X] was born in [Y] .")
TOWN = Relation("test", "town", "town", "[Y] is the town of [X] .", paraphrases=("the town of [X] is [Y] .",))
TWICE = Relation("test", "twice", "twice", "[X] of [X] was in [Y] .")
OWN = Relation("test", "own", "own sentence", None)


@pytest.fixture
def bert() -> BertTokenizer:
    return BertTokenizer({word: i for i, word in enumerate(WORDS)}, do_lower_case=True)


def fact(subject: str, answer: str, relation: Relation = BORN, text: str | None = None) -> Fact:
    return Fact("test", relation.id, subject, answer, sentence=text)


def variant(name: str, words: PreTrainedTokenizerBase, *facts: Fact, max_tokens: int = 64) -> list[Prompt]:
    probe_set = ProbeSet("test", (BORN, TOWN, TWICE, OWN), facts)
    plain, _ = make_prompts(probe_set, words, max_tokens)
    return make_variant(name, probe_set, plain, words, max_tokens)


def tokens(words: PreTrainedTokenizerBase, prompt: Prompt) -> str:
    return " ".join(words.convert_ids_to_tokens(list(prompt.input_ids)))


def test_every_token_of_the_subject_is_masked_and_the_object_is_still_asked(bert: BertTokenizer) -> None:
    one = fact("Annian Bob", "Oslo")
    (prompt,) = variant("subject_masked", bert, one)
    assert tokens(bert, prompt) == "[CLS] [MASK] [MASK] [MASK] was born in [MASK] . [SEP]"
    assert prompt.fact == one.id
    assert prompt.mask_position == 7
    assert prompt.answer == WORDS.index("oslo")
    assert prompt.text == "[MASK] was born in [MASK] ."


def test_the_subject_is_masked_wherever_it_stands(bert: BertTokenizer) -> None:
    (behind,) = variant("subject_masked", bert, fact("Annian", "Rome", TOWN))
    assert tokens(bert, behind) == "[CLS] [MASK] is the town of [MASK] [MASK] . [SEP]"
    assert behind.mask_position == 1
    (twice,) = variant("subject_masked", bert, fact("Bob", "Rome", TWICE))
    assert tokens(bert, twice) == "[CLS] [MASK] of [MASK] was in [MASK] . [SEP]"


def test_in_a_sentence_of_its_own_the_subject_is_found_as_a_whole_word(bert: BertTokenizer) -> None:
    inside = fact("Ann", "Rome", OWN, "Annian was in [MASK] .")
    there = fact("BOB", "Rome", OWN, "In the town of bob , Bob was in [MASK] .")
    (prompt,) = variant("subject_masked", bert, inside, there)
    assert prompt.fact == there.id
    assert tokens(bert, prompt) == "[CLS] in the town of [MASK] [UNK] [MASK] was in [MASK] . [SEP]"


@pytest.mark.parametrize("lstrip", [True, False])
@pytest.mark.parametrize("make", [byte_level, unigram])
def test_masking_where_the_space_belongs_to_the_word(
    make: Callable[[bool], PreTrainedTokenizerBase], lstrip: bool
) -> None:
    words = make(lstrip)
    opening = Relation("test", "opening", "opening", "[Y] is the capital of [X] .")
    facts = (Fact("test", "opening", "Norway", "Oslo"), fact("Ann", "Oslo"))
    probe_set = ProbeSet("test", (opening, BORN), facts)
    plain, _ = make_prompts(probe_set, words, 64)
    masked = make_variant("subject_masked", probe_set, plain, words, 64)
    for before, after, text in zip(plain, masked, ["Norway", "Ann"], strict=True):
        subject = {i for i, token in enumerate(before.input_ids) if text in words.convert_ids_to_tokens(token)}
        assert len(subject) == 1
        expected = [words.mask_token_id if i in subject else token for i, token in enumerate(before.input_ids)]
        assert list(after.input_ids) == expected
        assert after.mask_position == before.mask_position


def test_another_subject_takes_the_place_and_the_right_object_stays(bert: BertTokenizer) -> None:
    facts = [fact("Ann", "Oslo"), fact("Bob", "Rome"), fact("Cara", "Oslo")]
    prompts = variant("subject_swapped", bert, *facts)
    by_fact = {prompt.fact: prompt for prompt in prompts}
    # Ann and Cara share their object, so only Bob can stand in for them.
    for one in (facts[0], facts[2]):
        assert tokens(bert, by_fact[one.id]) == "[CLS] bob was born in [MASK] . [SEP]"
        assert by_fact[one.id].answer == WORDS.index("oslo")
    assert by_fact[facts[1].id].answer == WORDS.index("rome")
    assert tokens(bert, by_fact[facts[1].id]) in {
        "[CLS] ann was born in [MASK] . [SEP]",
        "[CLS] cara was born in [MASK] . [SEP]",
    }
    assert variant("subject_swapped", bert, *facts[::-1])[::-1] == prompts, "whatever the order of the facts"


def test_no_stand_in_has_the_object_among_its_own_or_in_its_name(bert: BertTokenizer) -> None:
    both = [fact("Ann", "Oslo"), fact("Bob", "Oslo"), fact("Bob", "Rome")]
    swapped = {prompt.fact: tokens(bert, prompt) for prompt in variant("subject_swapped", bert, *both)}
    assert both[0].id not in swapped, "Oslo is right for Bob, too"
    assert swapped[both[2].id] == "[CLS] ann was born in [MASK] . [SEP]"
    named = [fact("Ann", "Oslo"), fact("Oslo", "Rome")]
    assert [prompt.fact for prompt in variant("subject_swapped", bert, *named)] == [named[1].id]


def test_the_filtered_rank_leaves_out_the_same_objects(bert: BertTokenizer) -> None:
    facts = [fact("Ann", "Oslo"), fact("Ann", "Rome"), fact("Bob", "of")]
    for name in ("subject_masked", "subject_swapped"):
        by_fact = {prompt.fact: prompt.also_right for prompt in variant(name, bert, *facts)}
        assert by_fact[facts[0].id] == (WORDS.index("rome"),)
        assert by_fact[facts[1].id] == (WORDS.index("oslo"),)


def test_a_paraphrase_asks_for_the_same_fact(bert: BertTokenizer) -> None:
    facts = [fact("Ann", "Rome", TOWN), fact("Ann", "Oslo")]
    (prompt,) = variant("paraphrase_1", bert, *facts)
    assert tokens(bert, prompt) == "[CLS] the town of ann is [MASK] . [SEP]"
    assert prompt.fact == facts[0].id
    assert variant("paraphrase_2", bert, *facts) == []


def test_eligibility_for_a_paraphrase_is_judged_anew(bert: BertTokenizer) -> None:
    longer = replace(BORN, paraphrases=("in the town of [Y] was the born [X] .",))
    probe_set = ProbeSet("test", (longer,), (fact("Ann", "Rome"),))
    assert make_variant("paraphrase_1", probe_set, [], bert, 12)
    assert make_variant("paraphrase_1", probe_set, [], bert, 11) == []


def test_names_of_variants(bert: BertTokenizer) -> None:
    probe_set = ProbeSet("test", (BORN, TOWN, replace(BORN, id="b", paraphrases=("[X] [Y]", "[Y] [X]"))), ())
    chosen = ["subject_masked", "paraphrases"]
    assert expand_variants(chosen, probe_set) == ["subject_masked", "paraphrase_1", "paraphrase_2"]
    with pytest.raises(BertnesiaError, match="There is no prompt variant 'backwards'"):
        variant("backwards", bert, fact("Ann", "Oslo"))


@pytest.mark.parametrize(
    ("subject", "answer", "named"),
    [
        ("Paris Saint-Germain", "paris", True),
        ("Russia", "US", False),
        ("Apple Watch", "Apple", True),
        ("Ann", "N", False),
    ],
)
def test_whether_a_subject_names_its_object(subject: str, answer: str, named: bool) -> None:
    assert names_object(fact(subject, answer)) is named


def test_the_subjects_of_real_facts_are_found(shared_data: Path) -> None:
    words = BertTokenizer(vocab=str(shared_data / "vocab/bert-base-uncased.txt"), do_lower_case=True)
    conceptnet = read_lama(shared_data, ["conceptnet"])["conceptnet"]
    plain, _ = make_prompts(conceptnet, words, 128)
    masked = make_variant("subject_masked", conceptnet, plain, words, 128)
    assert 0.5 < len(masked) / len(plain) <= 1
    before = {prompt.fact: prompt for prompt in plain}
    for prompt in masked:
        assert prompt.input_ids.count(words.mask_token_id) >= 2
        assert len(prompt.input_ids) == len(before[prompt.fact].input_ids)
    facts = {one.id: one for one in conceptnet.facts}
    for prompt in plain[:50]:
        place = locate_subject(facts[prompt.fact], conceptnet.relation[prompt.relation])
        found = place is not None and all(
            place.text[a:b].casefold() == facts[prompt.fact].subject.casefold() for a, b in place.subject
        )
        assert found == (prompt.fact in {one.fact for one in masked})
