"""Many visitors at once: their own answers, no work done twice, bounded memory."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.live import Checkpoint, LiveModels, Request
from bertnesia.live.queue import WorkQueue
from bertnesia.live.service import Workshop
from bertnesia.live.shelf import Loaded, Shelf
from tests import tiny

VISITORS = 20


class CountingShelf(Shelf):
    """A shelf that counts how often a model is taken from it, and how many it holds at most."""

    def __init__(self, most_models: int) -> None:
        super().__init__(most_models=most_models)
        self.taken = 0
        self.most = 0

    def get(self, checkpoint: Checkpoint, kind: str) -> Loaded:
        self.taken += 1
        found = super().get(checkpoint, kind)
        self.most = max(self.most, len(self.loaded))
        return found


def test_twenty_visitors_of_more_models_than_fit(checkpoints: dict[str, Checkpoint]) -> None:
    names = list(checkpoints)
    requests = [
        Request(
            f"{tiny.PEOPLE[visitor % 8]} was born in [MASK] and {tiny.TOWNS[visitor % 12]} .",
            (names[visitor % 4], names[(visitor + 1) % 4]),
            "stock",
            answers=(tiny.TOWNS[visitor % 5],),
        )
        for visitor in range(VISITORS)
    ]
    patient = LiveModels(checkpoints, Workshop())
    alone = [patient.ask(request) for request in requests]
    shelf = CountingShelf(most_models=2)
    live = LiveModels(checkpoints, Workshop(shelf=shelf))
    start = threading.Barrier(VISITORS)

    def visit(request: Request) -> object:
        start.wait()
        return live.ask(request)

    with ThreadPoolExecutor(VISITORS) as pool:
        together = list(pool.map(visit, requests))
    assert together == alone
    assert len({str(reply) for reply in alone}) == VISITORS
    assert shelf.most == 2


def test_the_same_question_of_twenty_visitors_is_worked_out_once(checkpoints: dict[str, Checkpoint]) -> None:
    queue, shelf, gate = WorkQueue(), CountingShelf(most_models=4), threading.Event()
    live = LiveModels(checkpoints, Workshop(queue, shelf))
    queue.submit(lambda: gate.wait(30))
    request = Request("anna was born in [MASK] .", ("model0", "model1"), "stock")
    with ThreadPoolExecutor(VISITORS) as pool:
        waiting = [pool.submit(live.ask, request) for _ in range(VISITORS)]
        gate.set()
        replies = [one.result() for one in waiting]
    assert shelf.taken == 2, "each of the two models once"
    assert all(reply == replies[0] for reply in replies)


def test_the_least_recently_used_model_is_dropped_first(checkpoints: dict[str, Checkpoint]) -> None:
    first, second, third, _ = checkpoints.values()
    shelf = Shelf(most_models=2)
    for checkpoint in (first, second, first, third):
        shelf.get(checkpoint, "stock")
    assert shelf.loaded == (first, third)


def test_loaded_bytes_stay_below_the_limit(checkpoints: dict[str, Checkpoint]) -> None:
    shelf = Shelf()
    shelf.get(checkpoints["model0"], "stock")
    one = shelf.bytes
    small = Shelf(most_bytes=int(2.5 * one))
    for checkpoint in checkpoints.values():
        small.get(checkpoint, "stock")
        assert small.bytes <= 2.5 * one
    assert list(small.loaded) == [*checkpoints.values()][-len(small.loaded) :]
    assert 2 <= len(small.loaded) < 4


def test_siblings_share_one_output_matrix(checkpoints: dict[str, Checkpoint]) -> None:
    shelf = Shelf()
    base, other = (shelf.get(checkpoints[name], "stock").model for name in ("model0", "model1"))
    pointers = {head.output.data_ptr() for model in (base, other) for head in model.of_kind("stock").heads}
    assert len(pointers) == 1


def test_a_full_queue_refuses_with_a_sentence() -> None:
    queue, gate, begun = WorkQueue(most_waiting=1), threading.Event(), threading.Event()
    running = queue.submit(lambda: (begun.set(), gate.wait(30))[0])
    assert begun.wait(30)
    late = queue.submit(lambda: "done")
    with pytest.raises(BertnesiaError, match="1 requests are waiting for the models: try again"):
        queue.submit(lambda: None)
    gate.set()
    running.result()
    assert late.result() == "done"


def test_visitors_go_before_lists() -> None:
    queue, gate, order = WorkQueue(), threading.Event(), list[str]()
    queue.submit(lambda: gate.wait(30))
    tasks = [queue.submit(lambda: order.append("list"), urgent=False), queue.submit(lambda: order.append("visitor"))]
    gate.set()
    for task in tasks:
        task.result()
    assert order == ["visitor", "list"]


def test_one_model_that_cannot_answer_leaves_the_others(checkpoints: dict[str, Checkpoint]) -> None:
    size = len(tiny.tokenizer())
    missing = {**checkpoints, "gone": Checkpoint("./no-such-folder")}
    reply = LiveModels(missing, Workshop()).ask(Request("anna in [MASK] .", ("model0", "gone"), "stock", k=size))
    assert [result.model for result in reply.results] == ["model0"]
    assert [refusal.model for refusal in reply.refusals] == ["gone"]
    too_many = LiveModels(checkpoints, Workshop()).ask(Request("anna in [MASK] .", ("model0",), "stock", k=100))
    assert size < 100
    assert too_many.refusals[0].sentence == f"k is 100, but the vocabulary of model0 has {size} entries."
