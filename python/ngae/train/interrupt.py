"""Ctrl-C and SIGTERM as a request that a loop looks at between its steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from ngae.errors import NgaeError


class Interrupted(NgaeError):
    """A signal asked to stop, and what was done is saved."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"interrupted by {signal.Signals(number).name}; the checkpoint is saved",
            remedy="the same command with --resume goes on",
        )
        self.exit_code = 128 + number


class Interrupt:
    """Whether a signal has come.

    Attributes:
        received: The signal's number, or None.
    """

    def __init__(self) -> None:
        self.received: int | None = None

    def stop(self) -> NoReturn:
        """Raise Interrupted for the signal that came."""
        assert self.received is not None
        raise Interrupted(self.received)


@contextmanager
def watching() -> Iterator[Interrupt]:
    """Take SIGINT and SIGTERM while the block runs; a second one acts as it always does.

    Outside of the main thread, where Python takes no signals, nothing is watched.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.getsignal(number) for number in numbers}

    def receive(number: int, frame: FrameType | None) -> None:
        interrupt.received = number
        for each in numbers:
            signal.signal(each, previous[each])

    for number in numbers:
        signal.signal(number, receive)
    try:
        yield interrupt
    finally:
        for number in numbers:
            signal.signal(number, previous[number])
