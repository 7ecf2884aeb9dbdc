"""The processes that train one model together, and the group of one that trains alone.

Each process takes its part of every batch; what they share is written here as a few functions, of
which a process alone needs none. `ngae.train.processes` has those of several processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ngae.errors import NgaeError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ngae.train.checkpoint import Checkpoint


class Group(Protocol):
    """Processes that take the same steps, each with its part of the batch.

    Attributes:
        rank: Number of this process, from 0. The first one alone writes, shows and evaluates.
        size: Number of processes.
        repeats_s: Seconds during which a repeated signal is taken for the same one: who starts
            several processes may hand on to each what the system sent to all.
    """

    rank: int
    size: int
    repeats_s: float

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes, shows and evaluates."""

    def device_name(self, name: str) -> str:
        """Return which device of those that `name` (such as `cuda`) may mean is this process's."""

    def use(self, device: torch.device) -> None:
        """Make ready for sums of what is on `device`; all processes call it at once."""

    def part(self, count: int) -> slice:
        """Return which of `count` graphs of a batch are this process's, in their order."""

    def total(self, values: Tensor) -> Tensor:
        """Add up `values` over all processes; the gradient is that of this process's alone."""

    def summed(self, parameters: Sequence[Tensor], values: Tensor) -> Tensor:
        """Add up over all processes: gradients in their place, and `values` (n,), returned."""

    def agreed(self, signal: int | None) -> int | None:
        """Return a signal that came to any process; all ask at once and get the same answer."""

    def shared(self, of_first: Callable[[], Checkpoint]) -> Checkpoint | None:
        """Hand the first process's state to all others; None there, where nothing is to be done."""


class Alone:
    """The group of one process."""

    rank, size, repeats_s = 0, 1, 0.0
    is_first = True

    def device_name(self, name: str) -> str:
        """Return `name`."""
        return name

    def use(self, device: torch.device) -> None:
        """Do nothing."""

    def part(self, count: int) -> slice:
        """Return all graphs."""
        return slice(0, count)

    def total(self, values: Tensor) -> Tensor:
        """Return `values`."""
        return values

    def summed(self, parameters: Sequence[Tensor], values: Tensor) -> Tensor:
        """Return `values`; gradients stay as they are."""
        return values

    def agreed(self, signal: int | None) -> int | None:
        """Return `signal`."""
        return signal

    def shared(self, of_first: Callable[[], Checkpoint]) -> Checkpoint | None:
        """Return None: there is nobody to hand it to."""
        return None


ALONE = Alone()
_LAUNCHED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # what torchrun sets


@contextmanager
def joined() -> Iterator[Group]:
    """Give the group that this process was started in: by `torchrun` several, else one alone.

    An error that ends several processes of a group leaves the block as an error in one of them,
    and as SystemExit with the same exit code in the others.

    Raises:
        LostError: Another process ended without a word.
        NgaeError: There are several, and this torch has no means for that.
    """
    if any(name not in os.environ for name in _LAUNCHED) or os.environ["WORLD_SIZE"] == "1":
        yield ALONE
        return
    from torch import distributed

    if not distributed.is_available():
        raise NgaeError("expected a torch with torch.distributed, found one without")
    from ngae.train.meeting import connected

    with connected() as processes:
        yield processes
