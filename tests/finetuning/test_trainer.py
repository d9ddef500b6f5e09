"""The trainer: a run that was killed gives what an uninterrupted one gives."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.mlm import MaskedLanguageModelling
from bertnesia.finetuning.trainer import Schedule, Visits, train
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


def test_visits_see_the_model_at_their_steps_and_change_nothing(tmp_path, uninterrupted):
    seen = {}

    def visit(step, model):
        seen[step] = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        torch.rand(5)  # a visitor may draw random numbers

    def visited(work, dies_before=None):
        model = masked_lm()
        train(
            model, Recorded(dies_before), SCHEDULE, work, {"run": "test"}, visits=[Visits(frozenset({2, 7, 12}), visit)]
        )
        return model

    with pytest.raises(Killed):
        visited(tmp_path / "killed", dies_before=8)
    assert sorted(seen) == [2, 7]
    first = seen.pop(7)
    assert_same(visited(tmp_path / "killed"), uninterrupted[0])

    assert sorted(seen) == [2, 7, 12]  # step 7 again, as the last checkpoint is of step 6
    assert all(torch.equal(first[name], seen[7][name]) for name in first)
    assert all(torch.equal(seen[12][name], tensor) for name, tensor in uninterrupted[0].state_dict().items())
    assert any((seen[2][name] != first[name]).any() for name in first)


def test_parameters_may_learn_at_rates_of_their_own(tmp_path):
    """AdamW's first step moves every weight with a gradient by its learning rate, whatever the gradient."""
    schedule = Schedule(steps=1, batch_tokens=4000, learning_rate=1e-3, warmup=0, weight_decay=0, evaluations=1)
    before, after = masked_lm(), masked_lm()
    rates = {"bert.embeddings.word_embeddings.weight": 3.0, "cls.predictions.transform.dense.weight": 0.5}
    train(after, Recorded(), schedule, tmp_path / "work", {}, rates=rates)
    old, new = before.state_dict(), after.state_dict()

    for name in (*rates, "bert.encoder.layer.0.attention.self.query.weight"):
        moved = (new[name] - old[name]).abs().max().item()
        assert moved == pytest.approx(1e-3 * rates.get(name, 1), rel=0.01), name


def test_checkpoints_kept_are_two(tmp_path):
    run(tmp_path / "work")

    assert sorted(path.name for path in (tmp_path / "work").glob("checkpoint-*")) == ["checkpoint-12", "checkpoint-9"]


@pytest.mark.parametrize(
    ("options", "rates"),
    [
        ({"warmup_steps": 2}, [0, 0.5, *(1 - k / 10 for k in range(10))]),
        ({"warmup_steps": 0}, [1 - k / 12 for k in range(12)]),
        ({"warmup_steps": 4, "decay": "constant"}, [0, 0.25, 0.5, 0.75, *[1] * 8]),
    ],
)
def test_learning_rates_by_hand(tmp_path, options, rates):
    run(tmp_path / "work", schedule=SCHEDULE.model_copy(update=options))
    log = json.loads((tmp_path / "work" / "checkpoint-12" / "trainer_state.json").read_text())["log_history"]

    assert [entry["learning_rate"] for entry in log if "learning_rate" in entry] == pytest.approx(
        [1e-3 * rate for rate in rates]
    )


IMPATIENT = SCHEDULE.model_copy(update={"evaluations": 12, "patience": 2, "min_delta": 10.0})


def test_training_stops_when_patience_is_over(tmp_path):
    _, objective, history = run(tmp_path / "work", schedule=IMPATIENT)

    assert [entry["step"] for entry in history] == [0, 1, 2]  # step 0 is the best: nothing falls by 10
    assert len(objective.given) == 2


def test_killed_after_stopping_early(tmp_path):
    model, _, history = run(tmp_path / "work", schedule=IMPATIENT)
    again, resumed, same = run(tmp_path / "work", schedule=IMPATIENT)

    assert resumed.given == []
    assert_same(again, model)
    assert same == history


def test_batches_of_so_many_sequences(tmp_path):
    _, objective, _ = run(tmp_path / "work", schedule=SCHEDULE.model_copy(update={"batch_sequences": 8}))
    epoch = -(-len(CHUNKS) // 8)

    assert [len(batch) for batch in objective.given[: epoch - 1]] == [8] * (epoch - 1)
    assert sorted(i for batch in objective.given[:epoch] for i in batch) == list(range(len(CHUNKS)))


_IN_BFLOAT16 = """
import json, pathlib, sys
from tests.finetuning.test_trainer import SCHEDULE, run

model, _, history = run(pathlib.Path(sys.argv[1]), schedule=SCHEDULE.model_copy(update={"precision": "bfloat16"}))
print(json.dumps([sorted({str(p.dtype) for p in model.parameters()}), history]))
"""


def test_matrix_products_in_bfloat16_learn_much_the_same_weights_in_float32(tmp_path, uninterrupted):
    *_, history = uninterrupted
    place = str(tmp_path / "work")
    done = subprocess.run([sys.executable, "-c", _IN_BFLOAT16, place], capture_output=True, text=True, check=False)
    if done.returncode == -signal.SIGILL:
        pytest.skip("this processor has no working bfloat16 products")
    assert done.returncode == 0, done.stderr
    types, coarse = json.loads(done.stdout.splitlines()[-1])

    assert types == ["torch.float32"]
    assert coarse[0] == history[0], "evaluations are in float32"
    assert coarse[-1]["loss"] != history[-1]["loss"]
    assert coarse[-1]["loss"] == pytest.approx(history[-1]["loss"], rel=0.02)


def test_options_that_are_not_used_do_not_show():
    plain = Schedule().model_dump()

    assert set(plain) == {"steps", "batch_tokens", "learning_rate", "warmup", "weight_decay", "seed", "evaluations"}
    used = Schedule(
        batch_sequences=8, warmup_steps=0, decay="constant", patience=15, min_delta=0.01, precision="bfloat16"
    )
    assert Schedule.model_validate(used.model_dump()) == used
    assert set(used.model_dump()) - set(plain) == {
        *("batch_sequences", "warmup_steps", "decay", "patience", "min_delta", "precision")
    }


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
