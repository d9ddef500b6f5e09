"""Scores of candidates against a version that asks transformers one masked sentence at a time."""

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModelForMaskedLM, BertForMaskedLM

from bertnesia.errors import BertnesiaError
from bertnesia.models.layered import LayeredModel, load_layered
from bertnesia.probes.facts import Fact, ProbeSet, Relation
from bertnesia.probing.choices import ChoiceShard, Sentence, make_choice_shards, make_choices, statement, tokenise
from bertnesia.probing.engine import Shard
from bertnesia.probing.likelihood import (
    SCORINGS,
    MaskedSentence,
    Term,
    masked_sentences,
    probe_choices,
    sentence_scores,
)
from bertnesia.probing.run import ask, probe_to_parts
from bertnesia.probing.shards import cut_shards
from tests import tiny

SPACE = ("arlo", "xyz", "fino bexi", "Kelo", "ARLO")
BORN = Relation("toy", "born", "born", "[X] was born in [Y] .", answer_space=SPACE)
LIVES = Relation("toy", "lives", "lives", "[X] lives in [Y] .", answer_space=("gora", "hixa"))
FACTS = (
    Fact("toy", "born", "anna", "xyz"),
    Fact("toy", "lives", "anna", "hixa"),
    Fact("toy", "born", "bert", "fino bexi"),
    Fact("toy", "born", "carl", "arlo"),
    Fact("toy", "born", "carl", "Kelo"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_masked_lm(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def model(folder: Path) -> LayeredModel:
    return load_layered(str(folder), kinds=["stock"])


@pytest.fixture(scope="module")
def reference(folder: Path) -> BertForMaskedLM:
    return AutoModelForMaskedLM.from_pretrained(folder).eval()


@torch.no_grad()
def slow_score(reference: BertForMaskedLM, text: str, scoring: str, layer: int) -> float:
    """Every word by itself, every token of it masked by itself or with the pieces that follow it in its word."""
    words = tiny.tokenizer()
    pieces = words.tokenize(text)
    total = 0.0
    for i, piece in enumerate(pieces):
        masked = list(pieces)
        masked[i] = "[MASK]"
        after = i + 1
        while scoring == "within_word_l2r" and after < len(pieces) and pieces[after].startswith("##"):
            masked[after] = "[MASK]"
            after += 1
        ids = words.convert_tokens_to_ids(["[CLS]", *masked, "[SEP]"])
        states = reference.bert(torch.tensor([ids]), output_hidden_states=True).hidden_states
        scores = reference.cls(states[layer])[0, i + 1]
        total += float(scores.log_softmax(0)[words.convert_tokens_to_ids(piece)])
    return total


@pytest.mark.parametrize("scoring", SCORINGS)
def test_every_layer_scores_as_the_slow_version_does(
    model: LayeredModel, reference: BertForMaskedLM, scoring: str
) -> None:
    texts = [statement("anna was born in [MASK] .", candidate) for candidate in SPACE]
    scores = sentence_scores(model, ["stock"], tokenise(texts, model.tokenizer), scoring)
    assert set(scores) == {("stock", layer) for layer in (1, 2, 3)}
    for (_, layer), found in scores.items():
        expected = [slow_score(reference, text, scoring, layer) for text in texts]
        assert list(found) == pytest.approx(expected, abs=1e-4)


def test_the_two_ways_of_scoring_differ_only_where_a_word_has_pieces(model: LayeredModel) -> None:
    sentences = tokenise(["anna was born in xyz .", "anna was born in arlo ."], model.tokenizer)
    original, within = (sentence_scores(model, ["stock"], sentences, scoring)["stock", 3] for scoring in SCORINGS)
    assert original[0] != pytest.approx(within[0])
    assert original[1] == pytest.approx(within[1])


def test_masks_by_hand() -> None:
    """Tokens 1 and 9 are special; 4 and 5 are one word, 6 is another one."""
    sentence = Sentence((1, 4, 5, 6, 9), (None, 0, 0, 1, None))
    masked, terms = masked_sentences([sentence], "within_word_l2r", mask=7)
    assert masked == [
        MaskedSentence((1, 7, 7, 6, 9), 1),
        MaskedSentence((1, 4, 7, 6, 9), 2),
        MaskedSentence((1, 4, 5, 7, 9), 3),
    ]
    assert terms == [Term(0, 0, 4), Term(0, 1, 5), Term(0, 2, 6)]
    assert masked_sentences([sentence], "original", mask=7)[0][0] == MaskedSentence((1, 7, 5, 6, 9), 1)
    with pytest.raises(BertnesiaError, match="no scoring 'best' of candidates; there are: original, within_word_l2r"):
        masked_sentences([sentence], "best", mask=7)


def test_candidates_of_one_token_are_asked_with_one_masked_sentence() -> None:
    sentences = [Sentence((1, 4, token, 9), (None, 0, 1, None)) for token in (5, 6, 8)]
    masked, terms = masked_sentences(sentences, "original", mask=7)
    assert len(terms) == 6
    assert len(masked) == 4
    assert {term.token for term in terms if masked[term.masked] == MaskedSentence((1, 4, 7, 9), 2)} == {5, 6, 8}


def probe(model: LayeredModel, probe_set: ProbeSet) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    choices, ineligible = make_choices(probe_set, model.tokenizer, model.max_tokens)
    assert ineligible == []
    pairs = [probe_choices(model, "tiny", ["stock"], shard) for shard in make_choice_shards(choices, probe_set.scoring)]
    return [row for ranks, _ in pairs for row in ranks.to_pylist()], [
        row for _, top in pairs for row in top.to_pylist()
    ]


@pytest.mark.parametrize("scoring", SCORINGS)
def test_ranks_count_candidates(model: LayeredModel, reference: BertForMaskedLM, scoring: str) -> None:
    ranks, predictions = probe(model, ProbeSet("toy", (BORN, LIVES), FACTS, scoring=scoring))
    facts = {fact.id: fact for fact in FACTS}
    assert len(ranks) == len(predictions) == len(FACTS) * 3
    for row, top in zip(ranks, predictions, strict=True):
        fact = facts[row["fact"]]
        relation = BORN if fact.relation == "born" else LIVES
        template = relation.template.replace("[X]", fact.subject)
        scores = {
            candidate: slow_score(reference, template.replace("[Y]", candidate), scoring, row["layer"])
            for candidate in relation.answer_space
        }
        higher = [candidate for candidate, score in scores.items() if score > scores[fact.object] + 1e-4]
        assert row["rank"] == 1 + len(higher)
        assert row["ties"] == (1 if fact.object == "arlo" else 0), "ARLO is the same sentence to an uncased model"
        also_right = {other.object for other in FACTS if other.key[:2] == fact.key[:2]}
        assert row["filtered_rank"] == 1 + len(set(higher) - also_right)
        assert row["log_probability"] == pytest.approx(scores[fact.object], abs=1e-3)
        assert (row["variant"], row["seed"], top["fact"]) == ("plain", 0, row["fact"])
        assert sorted(top["tokens"]) == sorted(relation.answer_space)
        assert sum(top["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert top["tokens"][0] in {
            candidate for candidate in scores if scores[candidate] > max(scores.values()) - 1e-4
        }


def test_the_other_right_objects_are_left_out_of_filtered_ranks(model: LayeredModel) -> None:
    ranks, _ = probe(model, ProbeSet("toy", (BORN, LIVES), FACTS, scoring="original"))
    carl = {row["fact"]: row for row in ranks if row["layer"] == 3 and row["fact"] in {FACTS[3].id, FACTS[4].id}}
    assert sorted(row["rank"] - row["filtered_rank"] for row in carl.values()) == [0, 1]


def test_facts_that_cannot_be_chosen_say_why(model: LayeredModel) -> None:
    special = replace(LIVES, id="special", answer_space=("gora", "[SEP]"))
    facts = (
        Fact("toy", "born", "anna", "norland"),
        Fact("toy", "born", "[MASK] anna", "arlo"),
        Fact("toy", "special", "anna", "gora"),
        Fact("toy", "long", "anna", "gora"),
        Fact("toy", "odd", "anna", "日本"),
        Fact("toy", "long", "anna anna", "gora"),
    )
    relations = (
        BORN,
        special,
        replace(LIVES, id="long", answer_space=("gora", "gora xyz")),
        replace(LIVES, id="odd", answer_space=("日本", "gora")),
    )
    choices, ineligible = make_choices(ProbeSet("toy", relations, facts, scoring="original"), model.tokenizer, 10)
    assert [one.reason for one in ineligible] == [
        "object is not in the answer space",
        "subject contains [MASK]",
        "answer space contains a special token",
        "object is unknown to the vocabulary",
        "prompt is 11 tokens, more than 10",
    ]
    assert [one.fact for one in choices] == [facts[3].id]
    assert choices[0].longest == 10
    assert choices[0].masks == 5 + 8


def test_statements_begin_with_a_capital_letter() -> None:
    assert statement("[MASK] is the capital of x.", "oslo") == "Oslo is the capital of x."
    assert statement("the capital of x is [MASK].", "oslo") == "The capital of x is oslo."


def test_shards_hold_one_relation_each(model: LayeredModel, monkeypatch: pytest.MonkeyPatch) -> None:
    choices, _ = make_choices(ProbeSet("toy", (BORN, LIVES), FACTS, scoring="original"), model.tokenizer, 64)
    shards = make_choice_shards(choices, "original")
    assert [[choice.relation for choice in shard.choices] for shard in shards] == [["born"] * 4, ["lives"]]
    monkeypatch.setattr("bertnesia.probing.choices.SHARD_SENTENCES", 1)
    small = make_choice_shards(choices, "original")
    assert [shard.prompts for shard in small] == [1] * 5
    assert [shard.number for shard in small] == [0, 1, 2, 3, 4]
    assert {choice.fact for shard in small for choice in shard.choices} == {choice.fact for choice in choices}


def test_parts_are_made_once_and_again_when_the_scoring_changes(model: LayeredModel, tmp_path: Path) -> None:
    probe_set = ProbeSet("toy", (BORN, LIVES), FACTS, scoring="original")
    parts = probe_to_parts("tiny", model, ask([probe_set], model), tmp_path)
    assert len(parts.ranks) == len(parts.predictions) == 2
    times = {path: path.stat().st_mtime_ns for path in (*parts.ranks, *parts.predictions)}
    assert probe_to_parts("tiny", model, ask([probe_set], model), tmp_path) == parts
    assert {path: path.stat().st_mtime_ns for path in times} == times
    probe_to_parts("tiny", model, ask([replace(probe_set, scoring="within_word_l2r")], model), tmp_path)
    assert all(path.stat().st_mtime_ns != time for path, time in times.items())


def test_prompts_of_both_kinds_are_asked_together(model: LayeredModel, tmp_path: Path) -> None:
    plain = ProbeSet("plain", (replace(BORN, answer_space=()),), (Fact("plain", "born", "anna", "arlo"),))
    asked = ask([plain, ProbeSet("toy", (LIVES,), (FACTS[1],), scoring="original")], model)
    shards = [cut_shards(one.prompts, one.probe_set.scoring) for one in asked]
    assert [[(type(shard), shard.prompts, shard.longest) for shard in each] for each in shards] == [
        [(Shard, 1, 8)],
        [(ChoiceShard, 1, 7)],
    ]
    assert len(probe_to_parts("tiny", model, asked, tmp_path).ranks) == 2


def test_candidates_are_chosen_in_the_words_of_a_paraphrase(model: LayeredModel, tmp_path: Path) -> None:
    said = replace(BORN, paraphrases=("the town of [X] is [Y] .",))
    probe_set = ProbeSet("toy", (said, LIVES), FACTS, scoring="original")
    (asked,) = ask([probe_set], model, ["subject_masked", "paraphrases"])
    assert {name: [one.text for one in other] for name, other in asked.variants.items()} == {
        "paraphrase_1": [f"the town of {fact.subject} is [MASK] ." for fact in FACTS if fact.relation == "born"]
    }
    parts = probe_to_parts("tiny", model, [asked], tmp_path)
    rows = [row for path in parts.ranks for row in pq.read_table(path).to_pylist() if row["variant"] == "paraphrase_1"]
    other = ProbeSet("toy", (replace(BORN, template=said.paraphrases[0]),), FACTS[:1], scoring="original")
    expected, _ = probe(model, other)
    found = [row for row in rows if row["fact"] == FACTS[0].id]
    assert [(row["layer"], row["rank"]) for row in found] == [(row["layer"], row["rank"]) for row in expected]
    assert {row["fact"] for row in rows} == {fact.id for fact in FACTS if fact.relation == "born"}
