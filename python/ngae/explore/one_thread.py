"""`OneThread`: work that many threads ask for, done by one that stays.

Each thread that calls an op has workers of OpenMP of its own; where threads come and go with the
requests, these are started anew for every one, and that takes as long as the answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class OneThread:
    """Does one thing after the other; it does not keep the process at its end."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def do(self, work: Callable[[], T]) -> T:
        """Have `work` done, and wait for what it returns or raises."""
        future: Future[T] = Future()
        self._waiting.put((future, work))
        return future.result()

    def _work(self) -> None:
        while True:
            future, work = self._waiting.get()
            try:
                future.set_result(work())
            except BaseException as error:  # for whoever waits
                future.set_exception(error)
            del future, work  # the next one may be long in coming
