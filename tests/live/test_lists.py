"""Lists of prompts give what each prompt alone gives."""

import time

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.listfiles import read_lines
from bertnesia.live import Checkpoint, LiveModels, Request
from bertnesia.live.jobs import Job
from bertnesia.live.lists import ListResult, ask_list
from bertnesia.live.service import Workshop
from tests import tiny


@pytest.fixture
def live(checkpoints: dict[str, Checkpoint]) -> LiveModels:
    return LiveModels(checkpoints, Workshop())


def test_a_list_is_its_prompts_one_by_one(live: LiveModels) -> None:
    lines = [f"{person} was born in [MASK] .\t{tiny.town_of(person)}" for person in tiny.PEOPLE]
    lines += ["[MASK] is the capital of [MASK] in a land .\tarlo, norland"]
    prompts = read_lines("\n".join(lines))
    rows = ask_list(live, prompts, ["model0", "model1"], "stock", k=2).rows
    assert len(rows) == 2 * 3 * (len(tiny.PEOPLE) + 2)
    for listed in prompts:
        answers = tuple(word.strip() for word in listed.answer.split(","))
        for result in live.ask(Request(listed.text, ("model0", "model1"), "stock", 2, answers=answers)).results:
            mine = rows[
                (rows["number"] == listed.number) & (rows["model"] == result.model) & (rows["mask"] == result.mask)
            ]
            assert mine["layer"].tolist() == [1, 2, 3]
            assert mine["rank"].tolist() == [layer.answer.rank for layer in result.layers if layer.answer]
            assert mine["word_1"].tolist() == [layer.tokens[0] for layer in result.layers]
            assert mine["probability_2"].tolist() == pytest.approx(
                [layer.probabilities[1] for layer in result.layers], abs=1e-6
            )


def test_bad_prompts_are_named_and_the_others_answered(live: LiveModels) -> None:
    prompts = read_lines("no mask\nanna in [MASK] .\txyz\nbert in [MASK] .\tarlo\n" + "anna " * 70 + "[MASK]")
    result = ask_list(live, prompts, ["model0"], "stock")
    assert result.problems["number"].tolist() == [1, 2, 4]
    for row, fault in zip(
        result.problems.itertuples(), ["no mask", "is not one token", "takes at most 64"], strict=True
    ):
        assert fault in row.problem
    assert sorted(set(result.rows["number"])) == [2, 3]
    assert result.rows.loc[result.rows["number"] == 2, "rank"].isna().all()


def test_unknown_models_and_k_are_refused(live: LiveModels) -> None:
    prompts = read_lines("anna in [MASK] .")
    with pytest.raises(BertnesiaError, match="no model 'nope'"):
        ask_list(live, prompts, ["nope"], "stock")
    with pytest.raises(BertnesiaError, match="the vocabulary of model0 has"):
        ask_list(live, prompts, ["model0"], "stock", k=100)


def test_a_list_can_be_cancelled(live: LiveModels) -> None:
    prompts = read_lines("anna was born in [MASK] .\n" * 3000)
    job: Job[ListResult] = Job(lambda one: ask_list(live, prompts, ["model0"], "stock", 5, one.step))
    job.cancel()
    job.wait(60)
    assert not job.running
    assert job.cancelled
    assert job.result is None
    assert job.failure is None


def test_a_list_whose_visitor_has_left_ends() -> None:
    def work(job: "Job[None]") -> None:
        while True:
            job.step(1, 2)
            time.sleep(0.01)

    job: Job[None] = Job(work, patience=0.05)
    job.wait(30)
    assert job.cancelled
    assert not job.running
