"""Token classification: pieces of sentences, labels on first tokens, and learning to find names."""

import numpy as np
import pytest
import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import BertForTokenClassification, PreTrainedTokenizerFast

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.conll import Sentence, span_scores
from bertnesia.finetuning.mlm import IGNORED
from bertnesia.finetuning.ner import EntityRecognition, all_tags, cut_sentences, tokens_of_words
from bertnesia.finetuning.trainer import Schedule, train
from tests import tiny
from tests.finetuning.toys import TOKENIZER, config

TAGS = ["O", "B-person", "I-person", "B-town", "I-town"]


def sentence(text, tags):
    return Sentence(tuple(text.split()), tuple(tags.split()), text)


NAMES = sentence("Anna xy lives in Arlo .", "B-person I-person O O B-town O")


def model():
    torch.manual_seed(0)
    settings = config()
    settings.num_labels = len(TAGS)
    return BertForTokenClassification(settings)


def test_a_sentence_by_hand():
    (piece,) = cut_sentences(TOKENIZER, [NAMES], TAGS, max_tokens=32)

    words = ["[CLS]", "anna", "x", "##y", "lives", "in", "arlo", ".", "[SEP]"]
    assert TOKENIZER.convert_ids_to_tokens(piece.ids) == words
    assert piece.labels == [IGNORED, 1, 2, IGNORED, 0, 0, 3, 0, IGNORED]
    assert piece.words == [0, 1, 2, 3, 4, 5]


def test_a_long_sentence_is_cut_between_words_and_a_long_word_short():
    long = sentence("anna abcdefgh xy lives", "B-person I-person O O")
    pieces = list(cut_sentences(TOKENIZER, [NAMES, long], TAGS, max_tokens=6))
    seen = [(p.sentence, " ".join(TOKENIZER.convert_ids_to_tokens(p.ids)[1:-1]), p.words) for p in pieces]

    assert seen == [
        (0, "anna x ##y lives", [0, 1, 2]),
        (0, "in arlo .", [3, 4, 5]),
        (1, "anna", [0]),
        (1, "a ##b ##c ##d", [1]),
        (1, "x ##y lives", [2, 3]),
    ]
    assert [len(p.labels) for p in pieces] == [len(p.ids) for p in pieces]
    assert pieces[3].labels == [IGNORED, 2, IGNORED, IGNORED, IGNORED, IGNORED]


def test_words_that_a_tokenizer_drops_have_no_tokens():
    words = ["anna", "\u200b", "arlo"]  # an invisible space
    tokens = [TOKENIZER.convert_ids_to_tokens(ids) for ids in tokens_of_words(TOKENIZER, words)]

    assert tokens == [["anna"], [], ["arlo"]]
    odd = Sentence(tuple(words), ("B-person", "I-person", "O"), "")
    (piece,) = cut_sentences(TOKENIZER, [odd], TAGS, max_tokens=16)
    assert piece.words == [0, 2]
    assert piece.labels == [IGNORED, 1, 0, IGNORED]


def test_a_tokenizer_that_keeps_spaces_in_its_words():
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(["anna lives in arlo"] * 50, vocab_size=300, min_frequency=2, show_progress=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer)
    tokens = [tokenizer.decode(ids) for ids in tokens_of_words(tokenizer, ["anna", "lives", "in", "ärlo"])]

    assert tokens == ["anna", " lives", " in", " ärlo"]


def test_all_tags_of_some_sentences():
    assert all_tags([NAMES, sentence("bexi", "B-place")]) == ["O", *TAGS[1:3], "B-place", "I-place", *TAGS[3:]]


def test_loss_is_that_of_the_model():
    ner = model().eval()
    other = sentence("bert lives", "B-person O")
    objective = EntityRecognition(TOKENIZER, [NAMES, other], [NAMES], TAGS, max_tokens=32)
    batch = objective.batch([0, 1], np.random.default_rng(0))
    with torch.inference_mode():
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}

        assert objective.loss(ner, batch).item() == pytest.approx(ner(**inputs).loss.item(), abs=1e-6)
    assert (batch["labels"][1, 4:] == IGNORED).all()


def test_held_out_scores_against_one_sentence_at_a_time():
    ner = model().train()
    sentences = [NAMES, sentence("bert lives", "B-person O"), sentence("in arlo and bexi", "O B-town O B-town")]
    objective = EntityRecognition(TOKENIZER, sentences, sentences, TAGS, max_tokens=32, batch_tokens=20)
    losses, guesses = [], []
    for one in sentences:
        (piece,) = cut_sentences(TOKENIZER, [one], TAGS, 32)
        with torch.inference_mode():
            logits = ner.eval()(input_ids=torch.tensor([piece.ids])).logits[0]
        begins = [i for i, label in enumerate(piece.labels) if label != IGNORED]
        losses += [float(-logits[i].log_softmax(0)[piece.labels[i]]) for i in begins]
        guesses.append([TAGS[int(logits[i].argmax())] for i in begins])
    scores = objective.evaluate(ner.train())

    expected = span_scores([one.tags for one in sentences], guesses)
    assert scores == pytest.approx({"loss": np.mean(losses), **expected, "sentences": 3}, abs=1e-5)


def test_pieces_of_a_sentence_are_scored_together():
    ner = model().eval()
    with torch.no_grad():  # always the tag B-town
        ner.classifier.weight.zero_()
        ner.classifier.bias.copy_(torch.tensor([0.0, 0, 0, 1, 0]))
    words = sentence("arlo bexi cumo dalu arlo bexi", "B-town B-town B-town B-town B-town O")
    objective = EntityRecognition(TOKENIZER, [words], [words], TAGS, max_tokens=4)

    assert objective.evaluate(ner)["precision"] == pytest.approx(5 / 6)
    assert objective.evaluate(ner)["recall"] == 1


def test_it_learns_to_find_names(tmp_path):
    sentences = [
        sentence(f"{person} lives in {town} and {tiny.TOWNS[i]} .", "B-person O O B-town O B-town O")
        for person in tiny.PEOPLE
        for i, town in enumerate(tiny.TOWNS)
    ]
    objective = EntityRecognition(TOKENIZER, sentences[:60], sentences[60:], TAGS, max_tokens=32)
    schedule = Schedule(steps=40, batch_tokens=500, learning_rate=5e-3, warmup=0.1, evaluations=1)
    history = train(model(), objective, schedule, tmp_path / "work", {})

    assert history[0]["f1"] < 0.3
    assert history[-1]["f1"] > 0.9


def test_without_sentences_there_is_one_clear_sentence():
    with pytest.raises(BertnesiaError, match="no sentence"):
        EntityRecognition(TOKENIZER, [NAMES], [], TAGS, max_tokens=32)
