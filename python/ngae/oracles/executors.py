"""Executors in the manner of `concurrent.futures`: replaced where they break."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from multiprocessing import get_context, parent_process
from typing import Any, Protocol

from ngae.errors import UsageError
from ngae.oracles.base import EvaluationError, ExecutorError

_GRACE_S = 2.0  # what a hanging worker has to end what it started
# How often futures that are not of `concurrent.futures` are looked at: first, and in the end.
_POLL_S = (0.01, 0.5)


class Submits(Protocol):
    """An executor: `submit(function, *arguments)` returns a future."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Start a call elsewhere; the future has `done()`, `result()` and perhaps `cancel()`."""


def processes(workers: int) -> Callable[[], ProcessPoolExecutor]:
    """Return a factory of process pools for `Parallel`; its processes share the cores evenly.

    Processes are started afresh: threads of OpenMP do not survive a fork. Where none of them comes
    up, making a pool raises ExecutorError, and nothing was asked.
    """
    if workers < 1:
        raise UsageError(f"processes: workers: expected a number from 1, found {workers}")
    threads = max(1, (os.cpu_count() or 1) // workers)

    def make() -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (threads,))
        try:
            pool.submit(_is_up).result()
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(error, BrokenExecutor):
                raise ExecutorError(
                    "processes: expected worker processes that start, found that they end at once",
                    remedy="they said why above: too little memory is helped by fewer workers, a "
                    'script needs if __name__ == "__main__":',
                ) from error
            raise
        return pool

    return make


def _is_up() -> None:
    """Show that a process is ready to work."""


def _begin(threads: int) -> None:
    """Prepare a worker: it ends at SIGTERM as at an exception, so that its children end, too."""
    import torch

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    torch.set_num_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker where the process that uses it was killed: it would wait for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE_S)
        os._exit(128 + signal.SIGTERM)


class Pool:
    """An executor with its factory, and how many calls it takes at once."""

    def __init__(
        self, executor: Submits | Callable[[], Submits] | None, workers: int | None
    ) -> None:
        self._factory: Callable[[], Submits] | None = None
        self._executor: Submits | None = None
        self._wanted = workers
        self._late: list[Any] = []
        if executor is None:
            self._factory = _Here
        elif hasattr(executor, "submit") and not isinstance(executor, type):
            self._executor = executor
        else:
            self._factory = executor  # a class of executors makes them, too

    @property
    def free_slots(self) -> int:
        """Calls that it takes at once."""
        workers = self._wanted or getattr(self._get(), "_max_workers", None) or os.cpu_count() or 1
        return int(workers) - len(self._hanging)

    @property
    def _hanging(self) -> list[Any]:
        return [future for future in self._late if not future.done()]

    def forget(self, future: Any) -> None:
        """Take no answer of `future`; its worker is busy until it ends."""
        if not cancelled(future):
            self._late.append(future)

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Start one call."""
        return self._get().submit(function, *arguments)

    def replace(self) -> None:
        """Drop the executor; the next call makes another one.

        Raises:
            EvaluationError: There is no factory.
        """
        if self._factory is None:
            raise EvaluationError(
                "Parallel: expected an executor that works, found a broken one",
                remedy="pass what makes executors, such as ngae.oracles.processes(4)",
            )
        self.close()

    def close(self) -> None:
        """End the executor, where it was made here; workers that hang are killed."""
        if self._factory is not None and self._executor is not None:
            _shut_down(self._executor, hangs=bool(self._hanging))
            self._executor = None
        self._late = []

    def _get(self) -> Submits:
        if self._executor is None:
            assert self._factory is not None
            self._executor = self._factory()
        return self._executor


class _Here:
    """Evaluates in this thread, at once."""

    _max_workers = 1

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Call, and return a future that is done; a Ctrl-C goes through."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def completed(futures: Sequence[Any], patience: float | None) -> list[Any]:
    """Wait until one of `futures` is done, or for `patience` seconds; those that are done."""
    if all(isinstance(future, Future) for future in futures):
        return list(wait(futures, patience, FIRST_COMPLETED).done)
    end = None if patience is None else time.monotonic() + patience
    pause, longest = _POLL_S
    while not (done := [future for future in futures if future.done()]):
        left = pause if end is None else min(pause, end - time.monotonic())
        if left <= 0:
            break
        time.sleep(left)
        pause = min(1.2 * pause, longest)
    return done


def cancelled(future: Any) -> bool:
    """Cancel a call that has not started; whether it had not."""
    cancel = getattr(future, "cancel", None)
    return bool(cancel()) if cancel is not None else False


def _shut_down(executor: Any, *, hangs: bool) -> None:
    """End an executor; one whose workers hang would otherwise keep this process from ending."""
    workers = list((getattr(executor, "_processes", None) or {}).values()) if hangs else []
    shut_down = getattr(executor, "shutdown", None)
    if shut_down is not None:
        shut_down(wait=not hangs, cancel_futures=True)
    for worker in workers:
        worker.terminate()
    end = time.monotonic() + _GRACE_S
    for worker in workers:
        worker.join(max(0.0, end - time.monotonic()))
        worker.kill()
