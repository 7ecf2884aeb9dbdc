"""Ctrl-C and SIGTERM as a request that a loop looks at between its steps."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

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


@contextmanager
def watching(repeats_s: float = 0.0) -> Iterator[Interrupt]:
    """Take SIGINT and SIGTERM while the block runs; a second one acts as it always does.

    Outside of the main thread, where Python takes no signals, nothing is watched.

    Args:
        repeats_s: Seconds after the first one during which another counts as the same.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.getsignal(number) for number in numbers}
    until = 0.0

    def receive(number: int, frame: FrameType | None) -> None:
        nonlocal until
        again = interrupt.received is not None
        if not again:
            interrupt.received, until = number, time.monotonic() + repeats_s
        if time.monotonic() < until:
            return
        for each in numbers:
            signal.signal(each, previous[each])
        if again:
            signal.raise_signal(number)

    for number in numbers:
        signal.signal(number, receive)
    try:
        yield interrupt
    finally:
        for number in numbers:
            signal.signal(number, previous[number])
