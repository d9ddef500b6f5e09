"""Ranking: the right passage first among others, and MRR@10."""

import numpy as np
import pytest
import torch
from transformers import BertForTokenClassification

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.ranking import PassageRanking, pair_scores, rank_of_right, reciprocal_rank
from bertnesia.finetuning.trainer import Schedule, train
from bertnesia.finetuning.triples import Ranking
from tests import tiny
from tests.finetuning.toys import TOKENIZER, config

TOWNS = [f"{town} is a town in {tiny.land_of(town)} ." for town in tiny.TOWNS]


def ranking(town, others=None):
    right = TOWNS[tiny.TOWNS.index(town)]
    return Ranking(f"where is {town} ?", town, right, tuple(others or [text for text in TOWNS if text != right]))


RANKINGS = [ranking(town) for town in tiny.TOWNS]


def model():
    torch.manual_seed(0)
    settings = config()
    settings.num_labels = 1
    return BertForTokenClassification(settings)


def tokens(ids):
    return " ".join(TOKENIZER.convert_ids_to_tokens(ids))


def test_pairs_by_hand():
    only = ranking("arlo", [TOWNS[1]])
    objective = PassageRanking(TOKENIZER, [only], [only], max_tokens=32)
    batch = objective.batch([0], np.random.default_rng(0))

    assert [tokens(ids) for ids in batch["input_ids"]] == [
        "[CLS] where is arlo ? [SEP] arlo is a town in norland . [SEP]",
        "[CLS] where is arlo ? [SEP] bexi is a town in sudland . [SEP]",
    ]
    assert batch["token_type_ids"].tolist() == [[0] * 6 + [1] * 8] * 2
    assert batch["passages"].tolist() == [[0, 1]]
    assert objective.lengths == [2 * 14]


def test_long_texts_are_cut_the_question_at_half():
    only = Ranking("where is arlo " * 9, "a", "arlo is " * 20, ("bexi",))
    objective = PassageRanking(TOKENIZER, [only], [only], max_tokens=20)
    (right, wrong) = objective.train[0]

    assert tokens(right.ids) == "[CLS] where is arlo where is arlo where [SEP] " + "arlo is " * 5 + "[SEP]"
    assert tokens(wrong.ids).endswith("[SEP] bexi [SEP]")
    assert objective.lengths == [2 * 20]


def test_wrong_passages_are_drawn_by_question_and_right_passage_alone():
    three = PassageRanking(TOKENIZER, RANKINGS, RANKINGS, max_tokens=32, negatives=3)
    again = PassageRanking(TOKENIZER, RANKINGS[5:], RANKINGS, max_tokens=32, negatives=3)
    one = PassageRanking(TOKENIZER, RANKINGS, RANKINGS, max_tokens=32)

    assert [len({tuple(pair.ids) for pair in pairs}) for pairs in three.train] == [4] * 12
    assert three.train[5:] == again.train
    assert [pairs[:2] for pairs in three.train] == one.train
    assert len({tuple(pairs[1].ids[6:]) for pairs in one.train}) > 4


def test_loss_by_hand_where_questions_have_different_numbers_of_passages():
    few, many = ranking("arlo", TOWNS[1:3]), ranking("bexi", TOWNS[3:8])
    objective = PassageRanking(TOKENIZER, [few, many], [few], max_tokens=32, negatives=4)
    ranker = model().eval()
    batch = objective.batch([0, 1], np.random.default_rng(0))
    with torch.inference_mode():
        scores = pair_scores(ranker, batch)
        logits = ranker(batch["input_ids"], batch["attention_mask"], batch["token_type_ids"]).logits
        expected = -(scores[:3].log_softmax(0)[0] + scores[3:].log_softmax(0)[0]) / 2

        assert batch["passages"].tolist() == [[0, 1, 2, -1, -1], [3, 4, 5, 6, 7]]
        assert torch.equal(scores, logits[:, 0, 0])
        assert objective.loss(ranker, batch).item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize(
    ("scores", "rank"),
    [([3, 1, 2], 1), ([1, 3, 2], 3), ([2, 2, 1], 1.5), ([0, 0, 0, 0], 2.5), ([1, 2, 1], 2.5), ([1], 1)],
)
def test_the_rank_of_the_right_passage(scores, rank):
    assert rank_of_right(scores) == rank


def test_reciprocal_ranks_end_at_ten():
    assert [reciprocal_rank(rank) for rank in (1, 2, 10, 10.5, 11)] == [1, 0.5, 0.1, 0, 0]


def test_held_out_scores_against_one_pair_at_a_time():
    ranker = model().train()
    objective = PassageRanking(TOKENIZER, RANKINGS, RANKINGS, max_tokens=32, candidates=12, batch_tokens=100)
    losses, reciprocals, first = [], [], 0
    for one in RANKINGS:
        scores = {}
        for passage in (one.right, *one.others):
            inputs = TOKENIZER(one.question, passage, return_tensors="pt")
            with torch.inference_mode():
                scores[passage] = ranker.eval()(**inputs).logits[0, 0, 0].double()
        losses.append(-float(scores[one.right] - torch.stack(list(scores.values())).logsumexp(0)))
        rank = 1 + sum(bool(score > scores[one.right]) for score in scores.values())
        reciprocals.append(1 / rank if rank <= 10 else 0)
        first += rank == 1
    scores = objective.evaluate(ranker.train())

    expected = {"loss": np.mean(losses), "mrr@10": np.mean(reciprocals), "first": first / 12, "questions": 12}
    assert scores == pytest.approx(expected, abs=1e-5)


def test_held_out_questions_and_candidates_can_be_limited():
    objective = PassageRanking(TOKENIZER, RANKINGS, RANKINGS, max_tokens=32, candidates=5, most_held_out=4)

    assert [len(pairs) for pairs in objective.held_out] == [5] * 4
    assert ["arlo" in tokens(objective.held_out[0][0].ids), "dalu" in tokens(objective.held_out[1][0].ids)] == [
        True
    ] * 2
    assert objective.evaluate(model())["questions"] == 4


def test_it_learns_to_rank(tmp_path):
    """Who is asked for? A passage on a person answers one question, a passage on a town the other."""
    persons = [f"{person} lives in a town ." for person in tiny.PEOPLE]
    towns = [f"{town} is of the norland ." for town in tiny.TOWNS]  # of the same length: batches hold both kinds
    questions = [Ranking("who is it ?", "a", person, tuple(towns[:7])) for person in persons]
    questions += [Ranking("where is it ?", "b", town, tuple(persons[:7])) for town in towns]
    objective = PassageRanking(TOKENIZER, questions, questions, max_tokens=32, negatives=2, candidates=8)
    schedule = Schedule(steps=100, batch_tokens=1000, learning_rate=2e-3, warmup=0.1, evaluations=1)
    history = train(model(), objective, schedule, tmp_path / "work", {})

    assert history[0]["mrr@10"] < 0.7
    assert history[-1]["mrr@10"] > 0.95


def test_questions_without_a_wrong_passage_are_left_out_and_none_left_is_one_sentence():
    alone = Ranking("where is arlo ?", "arlo", TOWNS[0], ())

    assert len(PassageRanking(TOKENIZER, [alone, *RANKINGS], RANKINGS, max_tokens=32).train) == 12
    with pytest.raises(BertnesiaError, match="no question with a wrong passage"):
        PassageRanking(TOKENIZER, RANKINGS, [alone], max_tokens=32)
