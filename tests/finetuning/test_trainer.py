"""The trainer: a run that was killed gives what an uninterrupted one gives."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.mlm import MaskedLanguageModelling
from bertnesia.finetuning.trainer import Schedule, train
from tests.finetuning.toys import CHUNKS, TOKENIZER, masked_lm

SCHEDULE = Schedule(steps=12, batch_tokens=128, learning_rate=1e-3, warmup=0.25, evaluations=4)


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class Recorded(MaskedLanguageModelling):
    """Notes the batches it gives, and dies before a given one."""

    def __init__(self, dies_before: int | None = None) -> None:
        super().__init__(TOKENIZER, CHUNKS, CHUNKS[:8])
        self.given: list[list[int]] = []
        self.dies_before = dies_before

    def batch(self, indices, random):
        if len(self.given) == self.dies_before:
            raise Killed
        self.given.append(list(indices))
        return super().batch(indices, random)


def run(work: Path, dies_before: int | None = None, schedule: Schedule = SCHEDULE):
    """Train (with dropout, so that torch's random numbers matter); returns model, objective and history."""
    model, objective = masked_lm(), Recorded(dies_before)
    torch.manual_seed(len(str(work)))  # what went on before must not matter
    return model, objective, train(model, objective, schedule, work, {"run": "test"})


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole") / "work")


def kill(work: Path, before: int) -> None:
    with pytest.raises(Killed):
        run(work, dies_before=before)


def assert_same(one: nn.Module, other: nn.Module) -> None:
    weights = other.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in one.state_dict().items())


def test_history_and_batches_of_a_whole_run(uninterrupted):
    model, objective, history = uninterrupted

    assert [entry["step"] for entry in history] == [0, 3, 6, 9, 12]
    assert len(objective.given) == 12
    assert history[-1] == {"step": 12, **objective.evaluate(model)}
    assert history[-1]["loss"] < history[0]["loss"]


@pytest.mark.parametrize(("before", "resumed_at"), [(2, 0), (3, 3), (8, 6), (11, 9)])
def test_a_killed_run_resumes_to_the_same_weights(tmp_path, uninterrupted, before, resumed_at):
    whole, objective, history = uninterrupted
    kill(tmp_path / "work", before)
    model, resumed, again = run(tmp_path / "work")

    assert resumed.given == objective.given[resumed_at:]
    assert_same(model, whole)
    assert again == history


def test_twice_killed(tmp_path, uninterrupted):
    kill(tmp_path / "work", 4)
    kill(tmp_path / "work", 5)  # of the second run: step 8

    assert_same(run(tmp_path / "work")[0], uninterrupted[0])


def test_killed_after_the_last_step(tmp_path, uninterrupted):
    run(tmp_path / "work")  # ends without removing the checkpoints: that comes after saving
    model, resumed, history = run(tmp_path / "work")

    assert resumed.given == []
    assert_same(model, uninterrupted[0])
    assert history == uninterrupted[2]


def test_learning_rate_follows_the_same_schedule(tmp_path):
    kill(tmp_path / "killed", 8)
    run(tmp_path / "killed")
    run(tmp_path / "whole")
    killed, whole = (
        json.loads((tmp_path / name / "checkpoint-12" / "trainer_state.json").read_text())["log_history"]
        for name in ("killed", "whole")
    )
    rates = [entry["learning_rate"] for entry in whole if "learning_rate" in entry]

    assert rates == [entry["learning_rate"] for entry in killed if "learning_rate" in entry]
    # Three steps of warm-up to 1e-3, then down to 0 in nine; logged is the rate with which a step was made.
    expected = [0, *(1e-3 * k / 3 for k in (1, 2)), *(1e-3 * (12 - k) / 9 for k in range(3, 12))]
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize("damage", ["no marker", "truncated", "missing file"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path, uninterrupted, damage):
    work = tmp_path / "work"
    kill(work, 8)
    checkpoint = work / "checkpoint-6"
    optimizer = checkpoint / "optimizer.pt"
    if damage == "missing file":
        (checkpoint / "scheduler.pt").unlink()
    else:
        optimizer.write_bytes(optimizer.read_bytes()[:100])
    if damage == "no marker":
        (checkpoint / "complete.json").unlink()
    model, resumed, _ = run(work)

    assert resumed.given == uninterrupted[1].given[3:]
    assert_same(model, uninterrupted[0])


def test_checkpoints_kept_are_two(tmp_path):
    run(tmp_path / "work")

    assert sorted(path.name for path in (tmp_path / "work").glob("checkpoint-*")) == ["checkpoint-12", "checkpoint-9"]


def test_other_settings_in_the_same_folder_are_refused(tmp_path):
    work = tmp_path / "work"
    kill(work, 4)
    with pytest.raises(BertnesiaError, match="other settings or data"):
        train(masked_lm(), Recorded(), SCHEDULE, work, {"run": "another"})
    assert (work / "checkpoint-3" / "complete.json").exists()


def test_the_last_evaluation_is_after_the_last_step_even_if_evaluations_do_not_divide_it(tmp_path):
    schedule = SCHEDULE.model_copy(update={"steps": 7, "evaluations": 3})
    model, objective, history = run(tmp_path / "work", schedule=schedule)

    assert [entry["step"] for entry in history] == [0, 3, 6, 7]
    assert history[-1]["loss"] == objective.evaluate(model)["loss"]
