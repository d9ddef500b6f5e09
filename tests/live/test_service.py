"""The service under live prompts: one queue, nothing worked out twice, a bounded number of models in memory."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from bertnesia.errors import BertnesiaError
from bertnesia.live import Checkpoint, LiveModels, Reply, Request
from bertnesia.live import service as service_module
from bertnesia.live.predict import prepare, scores_of
from bertnesia.live.queue import Answers, WorkQueue
from bertnesia.live.service import Workshop
from bertnesia.live.shelf import Shelf, kinds_of, stamp
from tests import tiny
from tests.livemodels import save_trained

PROMPT = "anna was born in [MASK] ."


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """A base and four siblings, all with trained decoders."""
    root = tmp_path_factory.mktemp("models")
    base = save_trained(tiny.save_masked_lm(root / "base"), root / "base")
    siblings = [save_trained(tiny.save_masked_lm(root / f"s{i}", seed=i), base, seed=i) for i in range(1, 5)]
    return {"base": Checkpoint(str(base))} | {one.name: Checkpoint(str(one), str(base)) for one in siblings}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every request that is really worked out."""
    worked_out: list[Request] = []
    reply: Callable[..., Reply] = service_module._reply

    def counting(request: Request, *rest: Any) -> Reply:
        worked_out.append(request)
        return reply(request, *rest)

    monkeypatch.setattr(service_module, "_reply", counting)
    return worked_out


def until_waiting(answers: Answers[Any], count: int) -> None:
    """Wait until so many threads wait for answers."""
    deadline = time.monotonic() + 60
    while sum(len(future._condition._waiters) for future in list(answers._pending.values())) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_all_layers_of_all_siblings_come_from_one_matrix_product(
    checkpoints: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf()
    request = Request(PROMPT, tuple(checkpoints))
    with torch.inference_mode():
        prepared = [prepare(name, shelf.get(one, "trained"), request) for name, one in checkpoints.items()]
        shapes: list[tuple[int, ...]] = []
        product = torch.Tensor.__matmul__

        def noted(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
            shapes.append((*left.shape, right.shape[1]))
            return product(left, right)

        monkeypatch.setattr(torch.Tensor, "__matmul__", noted)
        scores = scores_of(prepared, 0)
    assert shapes == [(5 * 3, 32, len(tiny.tokenizer()))]
    assert [table.shape for table in scores] == [(3, len(tiny.tokenizer()))] * 5


def test_identical_requests_at_the_same_time_are_worked_out_once(
    checkpoints: dict[str, Checkpoint], counted: list[Request]
) -> None:
    live = LiveModels(checkpoints, Workshop())
    release = threading.Event()
    live.workshop.queue.submit(release.wait)  # holds the line until all have asked
    asked = [Request(PROMPT, ("base", "s1")), Request(PROMPT, ("base",))]
    with ThreadPoolExecutor(20) as pool:
        futures = [pool.submit(live.ask, asked[i % 2]) for i in range(20)]
        until_waiting(live.workshop.answers, 20)
        release.set()
        replies = [future.result() for future in futures]
    assert sorted(counted, key=str) == sorted(asked, key=str)
    assert all(reply is replies[i % 2] for i, reply in enumerate(replies))


def test_a_late_request_is_answered_from_memory_until_the_files_change(tmp_path: Path, counted: list[Request]) -> None:
    folder = tiny.save_masked_lm(tmp_path / "model")
    live = LiveModels({"model": Checkpoint(str(folder))}, Workshop())
    request = Request(PROMPT, ("model",), "stock")
    first = live.ask(request)
    assert live.ask(request) is first
    assert len(counted) == 1
    tiny.save_masked_lm(folder, seed=5)
    assert live.ask(request) != first, "a model that was trained anew is loaded anew"
    assert len(live.workshop.shelf.loaded) == 1


def test_an_error_is_told_to_all_who_wait_and_then_forgotten() -> None:
    queue = WorkQueue()
    answers: Answers[int] = Answers(queue)
    release, tries = threading.Event(), iter((1, 2))

    def work() -> int:
        release.wait()
        if next(tries) == 1:
            raise BertnesiaError("no")
        return 7

    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(answers.get, "question", work) for _ in range(3)]
        until_waiting(answers, 3)
        release.set()
        for future in futures:
            with pytest.raises(BertnesiaError, match="no"):
                future.result()
    assert answers.get("question", work) == 7


def test_only_so_many_answers_are_remembered() -> None:
    answers: Answers[int] = Answers(WorkQueue(), remembered=2)
    worked_out: list[int] = []

    def ask(number: int) -> int:
        return answers.get(number, lambda: worked_out.append(number) or number)

    assert [ask(number) for number in (1, 2, 1, 3, 1, 2)] == [1, 2, 1, 3, 1, 2]
    assert worked_out == [1, 2, 3, 2], "2 was asked for longest ago"


@pytest.fixture
def held() -> Iterator[tuple[WorkQueue, threading.Event]]:
    """A queue whose worker is busy until the event is set."""
    queue, release, started = WorkQueue(most_waiting=2), threading.Event(), threading.Event()

    def wait() -> None:
        started.set()
        release.wait()

    queue.submit(wait)
    started.wait()
    yield queue, release
    release.set()


def test_lists_are_not_refused_by_a_full_queue(held: tuple[WorkQueue, threading.Event]) -> None:
    queue, release = held
    futures = [queue.submit(lambda: 1, urgent=False) for _ in range(5)]
    release.set()
    assert [future.result() for future in futures] == [1] * 5


def test_kinds_are_loaded_as_they_are_asked_for(checkpoints: dict[str, Checkpoint]) -> None:
    shelf = Shelf()
    assert kinds_of(checkpoints["s1"]) == ("trained", "stock", "base")
    first = shelf.get(checkpoints["s1"], "stock")
    assert list(first.model.decoders) == ["stock"]
    second = shelf.get(checkpoints["s1"], "trained")
    assert set(second.model.decoders) == {"stock", "trained"}
    assert second.model.encoder is first.model.encoder
    assert shelf.get(checkpoints["s1"], "stock") is second


def test_a_model_is_not_loaded_again_while_its_next_decoders_are_trained(
    checkpoints: dict[str, Checkpoint], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoints["base"].folder, folder)
    checkpoint = Checkpoint(str(folder))
    before = stamp(checkpoint)
    training = folder / "decoders/.full.training"
    training.mkdir()
    (training / "checkpoint.safetensors").write_bytes(b"half")
    assert stamp(checkpoint) == before
    (folder / "decoders/full").mkdir()
    (folder / "decoders/full/config.json").write_text("{}")
    assert stamp(checkpoint) != before


def test_too_many_models_at_once_are_refused(checkpoints: dict[str, Checkpoint]) -> None:
    many = {f"m{i}": checkpoints["base"] for i in range(9)}
    with pytest.raises(BertnesiaError, match="9 models are chosen, but at most 8 can be"):
        LiveModels(many, Workshop()).ask(Request(PROMPT, tuple(many)))
