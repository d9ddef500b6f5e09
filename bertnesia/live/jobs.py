"""Long work in a thread of its own, that can be watched from the page and cancelled."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from bertnesia.errors import BertnesiaError

MOST_JOBS = 4
"""Jobs of all visitors at the same time."""

PATIENCE = 60.0
"""Seconds after which a job that nobody has looked at is cancelled: its visitor has left."""

T = TypeVar("T")
_running = threading.BoundedSemaphore(MOST_JOBS)


class CancelledError(Exception):
    """Raised inside the work when it is to end."""


class Job(Generic[T]):
    """One piece of work: how far it is, and its result, or the sentence that says why there is none."""

    def __init__(self, work: "Callable[[Job[T]], T]", patience: float = PATIENCE) -> None:
        """Start the work.

        Raises:
            BertnesiaError: if too many jobs are running.
        """
        self.done = 0.0
        self.total = 0.0
        self.note = ""
        self.result: T | None = None
        self.failure: BaseException | None = None
        self._patience = patience
        self._looked_at = time.monotonic()
        self._cancelled = threading.Event()
        if not _running.acquire(blocking=False):
            raise BertnesiaError(f"{MOST_JOBS} long tasks are running for other visitors: try again in a few minutes.")
        self._thread = threading.Thread(target=self._run, args=(work,), name="bertnesia-job", daemon=True)
        self._thread.start()

    def look(self) -> float:
        """The share that is done; looking keeps the job alive."""
        self._looked_at = time.monotonic()
        return min(1.0, self.done / self.total) if self.total else 0.0

    def cancel(self) -> None:
        """Have the work end at its next step."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work was told to end."""
        return self._cancelled.is_set()

    @property
    def running(self) -> bool:
        """Whether the work still goes on."""
        return self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the end of the work."""
        self._thread.join(timeout)

    def step(self, done: float, total: float, note: str = "") -> None:
        """Called by the work: say how far it is.

        Raises:
            CancelledError: if it is to end, because someone said so or nobody looks any more.
        """
        self.done, self.total, self.note = done, total, note
        if self._cancelled.is_set() or time.monotonic() - self._looked_at > self._patience:
            self._cancelled.set()
            raise CancelledError

    def _run(self, work: "Callable[[Job[T]], T]") -> None:
        try:
            self.result = work(self)
        except CancelledError:
            pass
        except BaseException as error:
            self.failure = error
        finally:
            _running.release()
