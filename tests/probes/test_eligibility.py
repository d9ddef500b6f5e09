from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import BertTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from bertnesia.errors import BertnesiaError
from bertnesia.probes.eligibility import Ineligible, MaskWriter, Prompt, make_prompts
from bertnesia.probes.facts import Fact, ProbeSet, Relation
from bertnesia.probes.lama import read_lama

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ann", "bob", "was", "born", "in", "oslo", "rome", "paris"]
WORDS += ["##ian", "am", "##ster", "##dam", ".", "the", "of"]
BORN = Relation("test", "born", "born in", "[X] was born in [Y] .")
OPENING = Relation("test", "capital", "capital", "[Y] is the capital of [X] .")
OWN = Relation("test", "own", "own sentence", None)


@pytest.fixture
def bert() -> BertTokenizer:
    return BertTokenizer({word: i for i, word in enumerate(WORDS)}, do_lower_case=True)


def fact(subject: str, answer: str, relation: str = "born", uri: str | None = None, text: str | None = None) -> Fact:
    return Fact("test", relation, subject, answer, subject_uri=uri, sentence=text)


def ask(
    tokenizer: PreTrainedTokenizerBase, *facts: Fact, max_tokens: int = 64
) -> tuple[list[Prompt], list[Ineligible]]:
    return make_prompts(ProbeSet("test", (BORN, OPENING, OWN), facts), tokenizer, max_tokens)


def reason(tokenizer: PreTrainedTokenizerBase, one: Fact, max_tokens: int = 64) -> str:
    prompts, ineligible = ask(tokenizer, one, max_tokens=max_tokens)
    assert prompts == []
    assert [each.fact for each in ineligible] == [one.id]
    return ineligible[0].reason


def test_a_prompt_by_hand(bert: BertTokenizer) -> None:
    ann = fact("Ann", "Oslo")
    expected = Prompt(ann.id, "born", "Ann was born in [MASK] .", (2, 5, 7, 8, 9, 4, 17, 3), 5, 10, ())
    assert ask(bert, ann) == ([expected], [])


def test_reasons_by_hand(bert: BertTokenizer) -> None:
    assert reason(bert, fact("Ann", "Amsterdam")) == "object is 3 tokens"
    assert reason(bert, fact("Ann", "xyz")) == "object is unknown to the vocabulary"
    assert reason(bert, fact("Ann", "[SEP]")) == "object contains a special token"
    assert reason(bert, fact("Ann", "\u200b")) == "object has no tokens"
    assert reason(bert, fact("[MASK] Ann", "Oslo")) == "subject contains [MASK]"
    assert reason(bert, fact("Ann [SEP]", "Oslo")) == "subject contains [SEP]"
    assert reason(bert, fact("q", "rome", "own", text="[MASK] of [MASK]")) == "prompt has 2 masks"
    assert reason(bert, fact("q", "rome", "own", text="[MASK] [UNK]")) == "prompt contains a special token"
    assert reason(bert, fact("q", "paris", "own", text="[MASK]ian was born")) == (
        "object does not stand apart from the words beside it"
    )
    assert reason(bert, fact("Ann", "Oslo"), max_tokens=7) == "prompt is 8 tokens, more than 7"
    assert len(ask(bert, fact("Ann", "Oslo"), max_tokens=8)[0]) == 1


def test_other_right_objects_count_by_uri_or_label_eligible_or_not(bert: BertTokenizer) -> None:
    ann_oslo = fact("Ann", "Oslo", uri="Q1")
    ann_rome = fact("Ann the 2nd", "Rome", uri="Q1")
    namesake = fact("Ann", "Paris", uri="Q2")
    bob_oslo, bob_rome = fact("Bob", "Oslo"), fact("BOB", "Rome")
    bob_too_long = fact("Bob", "Amsterdam")
    elsewhere = fact("Bob", "Paris", "capital")
    prompts, ineligible = ask(bert, ann_oslo, ann_rome, namesake, bob_oslo, bob_rome, bob_too_long, elsewhere)
    oslo, rome = WORDS.index("oslo"), WORDS.index("rome")
    others = {prompt.fact: prompt.also_right for prompt in prompts}
    assert others == {
        ann_oslo.id: (rome,),
        ann_rome.id: (oslo,),
        namesake.id: (),
        bob_oslo.id: (rome,),
        bob_rome.id: (oslo,),
        elsewhere.id: (),
    }
    assert [each.fact for each in ineligible] == [bob_too_long.id]


def test_an_ineligible_facts_object_still_counts_as_right(bert: BertTokenizer) -> None:
    long_subject = fact("Ann Ann Ann Ann", "Rome", uri="Q1")
    short = fact("Ann", "Oslo", uri="Q1")
    prompts, ineligible = ask(bert, long_subject, short, max_tokens=8)
    assert [each.fact for each in ineligible] == [long_subject.id]
    assert [prompt.also_right for prompt in prompts] == [(WORDS.index("rome"),)]


def test_the_answer_itself_under_another_spelling_is_not_left_out(bert: BertTokenizer) -> None:
    plain, accented = fact("Ann", "Rome"), fact("Ann", "Romé")
    assert [prompt.also_right for prompt in ask(bert, plain, accented)[0]] == [(), ()]


def byte_level(lstrip: bool) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    specials = ["<s>", "</s>", "<unk>", "<pad>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=specials, initial_alphabet=alphabet)
    lines = [
        "Ann was born in Oslo .",
        "Ann was born in Rome .",
        "Oslo is the capital of Norway .",
        "Rome is the capital",
    ]
    tokenizer.train_from_iterator(lines * 20, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        mask_token=AddedToken("<mask>", lstrip=lstrip, special=True),
    )


def unigram(lstrip: bool) -> PreTrainedTokenizerFast:
    pieces = [
        "▁",
        "▁Ann",
        "▁was",
        "▁born",
        "▁in",
        "▁Oslo",
        "▁Rome",
        "▁is",
        "▁the",
        "▁capital",
        "▁of",
        "▁Norway",
        "▁.",
        "Os",
    ]
    tokenizer = Tokenizer(
        models.Unigram([("<unk>", 0.0), *((piece, -1.0) for piece in pieces), ("lo", -3.0)], 0, False)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        mask_token=AddedToken("<mask>", lstrip=lstrip, special=True),
    )


@pytest.mark.parametrize("lstrip", [True, False])
@pytest.mark.parametrize(("make", "inside", "opening"), [(byte_level, "ĠOslo", "Oslo"), (unigram, "▁Oslo", "▁Oslo")])
def test_word_starts_of_byte_level_bpe_and_sentencepiece(
    make: Callable[[bool], PreTrainedTokenizerFast], lstrip: bool, inside: str, opening: str
) -> None:
    tokenizer = make(lstrip)
    prompts, ineligible = ask(tokenizer, fact("Ann", "Oslo"), fact("Norway", "Oslo", "capital"))
    assert ineligible == []
    assert [tokenizer.convert_ids_to_tokens(prompt.answer) for prompt in prompts] == [inside, opening]
    assert [prompt.text for prompt in prompts] == ["Ann was born in [MASK] .", "[MASK] is the capital of Norway ."]
    for prompt, text in zip(prompts, ["Ann was born in Oslo .", "Oslo is the capital of Norway ."], strict=True):
        filled = list(prompt.input_ids)
        assert filled[prompt.mask_position] == tokenizer.mask_token_id
        filled[prompt.mask_position] = prompt.answer
        assert filled == tokenizer(text)["input_ids"]


def test_other_reasons_in_byte_level_bpe() -> None:
    tokenizer = byte_level(True)
    assert reason(tokenizer, fact("Ann", "Rom")).startswith("object is ")
    assert reason(tokenizer, fact("<mask> Ann", "Oslo")) == "subject contains <mask>"
    assert reason(tokenizer, fact("Ann </s>", "Oslo")) == "subject contains </s>"


def test_the_mask_is_written_as_the_tokenizer_wants_it(bert: BertTokenizer) -> None:
    assert MaskWriter(bert)("a [MASK] .") == "a [MASK] ."
    assert MaskWriter(byte_level(True))("[MASK] a [MASK] .") == "<mask> a <mask> ."
    assert MaskWriter(byte_level(False))("[MASK] a [MASK] .") == "<mask> a<mask> ."


def test_a_tokenizer_without_mask_is_refused() -> None:
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0}, "a")))
    with pytest.raises(BertnesiaError, match="no mask token"):
        ask(tokenizer, fact("Ann", "Oslo"))


def test_the_real_facts_are_eligible_for_bert(shared_data: Path) -> None:
    tokenizer = BertTokenizer(vocab=str(shared_data / "vocab/bert-base-uncased.txt"), do_lower_case=True)
    sets = read_lama(shared_data, ["trex", "google_re", "squad"])
    some = [fact for fact in sets["trex"].facts if fact.relation in {"P138", "P178", "P264", "P463"}]
    prompts, ineligible = make_prompts(replace(sets["trex"], facts=tuple(some)), tokenizer, 64)
    assert (len(prompts), ineligible) == (642 + 591 + 429 + 225, [])
    labels = dict(zip((fact.id for fact in some), (fact.object.lower() for fact in some), strict=True))
    assert all(tokenizer.convert_ids_to_tokens(prompt.answer) == labels[prompt.fact] for prompt in prompts)
    assert len(make_prompts(sets["google_re"], tokenizer, 64)[0]) == 5_527
    asked, ineligible = make_prompts(sets["squad"], tokenizer, 64)
    assert len(asked) == 302
    assert [each.reason for each in ineligible] == ["prompt has 2 masks"] * 3
