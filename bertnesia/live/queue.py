"""One line of work for all visitors: tasks done one after another, and none twice at the same time."""

import itertools
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import PriorityQueue
from typing import Any, Generic, TypeVar

import torch

from bertnesia.errors import BertnesiaError

MOST_WAITING = 64
"""Tasks that may wait; one more is refused."""

T = TypeVar("T")
_Task = tuple[bool, int, "Future[Any]", Callable[[], Any]]


class WorkQueue:
    """Does tasks in one thread, those of visitors who wait before those of long lists, else in the order they came."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._tasks: PriorityQueue[_Task] = PriorityQueue()
        self._numbers = itertools.count()
        self._most_waiting = most_waiting
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="bertnesia-live", initializer=_use_half_the_cores)

    def submit(self, task: Callable[[], T], *, urgent: bool = True) -> "Future[T]":
        """Have a task done; its result or error comes with the future.

        Raises:
            BertnesiaError: if it is urgent and too many tasks wait already.
        """
        if urgent and self._tasks.qsize() >= self._most_waiting:
            raise BertnesiaError(f"{self._most_waiting} requests are waiting for the models: try again in a moment.")
        future: Future[T] = Future()
        self._tasks.put((not urgent, next(self._numbers), future, task))
        self._worker.submit(self._do_next)
        return future

    def _do_next(self) -> None:
        _, _, future, task = self._tasks.get()
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(task())
            except BaseException as error:
                future.set_exception(error)


def _use_half_the_cores() -> None:
    # With more threads than idle cores a small model's prompt takes ten times as long.
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))


class Answers(Generic[T]):
    """Answers to questions that many may ask at once: one that is being worked out is waited for, a late one kept."""

    def __init__(self, queue: WorkQueue, remembered: int = 128) -> None:
        self._queue = queue
        self._remembered = remembered
        self._lock = threading.RLock()
        self._pending: dict[Hashable, Future[T]] = {}
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, question: Hashable, work_out: Callable[[], T]) -> T:
        """The answer to a question; an error is raised for everyone who waits for it, and not kept."""
        with self._lock:
            if question in self._known:
                self._known.move_to_end(question)
                return self._known[question]
            future = self._pending.get(question)
            if future is None:
                future = self._queue.submit(work_out)
                self._pending[question] = future
                future.add_done_callback(lambda done: self._keep(question, done))
        return future.result()

    def _keep(self, question: Hashable, done: "Future[T]") -> None:
        with self._lock:
            self._pending.pop(question, None)
            if done.exception() is None:
                self._known[question] = done.result()
                while len(self._known) > self._remembered:
                    self._known.popitem(last=False)
