"""Several processes that train one model: gradients added up, signals agreed on, errors told once.

The gradients go in one block by one all-reduce after the backward. `DistributedDataParallel` is not
used: it wraps the module, hooks each parameter of the autograd graph, and divides by the number of
processes, where parts of unequal size must be weighed. The block is summed in the same order every
time, and holds the terms of the objective as well, so that all processes see the same numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from ngae.errors import NgaeError, UsageError
from ngae.train.checkpoint import Checkpoint, decoded, encoded

# The first process judges the test rows and writes while the others wait; one that ended is
# noticed at once, whatever the limit.
_LONGEST_WAIT = timedelta(hours=1)
_PATIENCE = timedelta(seconds=1)  # for the first process, whose word goes before that of others
_REPEATS_S = 5.0
_TOLD, _FIRST, _CODE = "told", "told by the first", "exit code"  # keys of the store
_EXPECTED = (NgaeError, OSError, ImportError, KeyboardInterrupt)  # that a command tells in a line


class LostError(NgaeError):
    """Another process ended, so that no more steps can be taken together."""


class Processes:
    """Processes that `torchrun` or the like has started; made by `connected`.

    Args:
        rank: Number of this process, from 0.
        size: Number of processes.
        local_rank: Number of this process on its machine, from 0.
    """

    repeats_s = _REPEATS_S

    def __init__(self, rank: int, size: int, local_rank: int) -> None:
        self.rank, self.size, self.local_rank = rank, size, local_rank
        self._sums: dist.ProcessGroup | None = None  # None: by that of the CPU

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes, shows and evaluates."""
        return self.rank == 0

    def device_name(self, name: str) -> str:
        """Return this process's device: of GPUs the one of its number on the machine.

        Raises:
            UsageError: One GPU is named for all.
        """
        if name.startswith("cuda:"):
            raise UsageError(
                f"--device: expected cuda, a GPU for each of {self.size} processes, found {name}"
            )
        return f"cuda:{self.local_rank}" if name == "cuda" else name

    def use(self, device: torch.device) -> None:
        """Make ready for sums of what is on `device`: on GPUs by NCCL."""
        if device.type == "cuda":
            with _noticing():
                self._sums = dist.new_group(backend="nccl")

    def part(self, count: int) -> slice:
        """Return a run of graphs, about `count / size`; none where there are too few."""
        return slice(self.rank * count // self.size, (self.rank + 1) * count // self.size)

    def summed(self, parameters: Sequence[Tensor], values: Tensor) -> Tensor:
        """Add up gradients and `values` (n,) over all processes, in one block."""
        learned = [p for p in parameters if p.grad is not None]
        block = torch.cat([*(p.grad.reshape(-1) for p in learned if p.grad is not None), values])
        with _noticing():
            dist.all_reduce(block, group=self._sums)
        total: Tensor
        *parts, total = block.split([*(p.numel() for p in learned), len(values)])
        for parameter, part in zip(learned, parts, strict=True):
            parameter.grad = part.view_as(parameter)
        return total

    def agreed(self, signal: int | None) -> int | None:
        """Return the greatest signal that came to any process; waits for the slowest."""
        number = torch.tensor(signal or 0)
        with _noticing():
            dist.all_reduce(number, dist.ReduceOp.MAX)
        return int(number) or None

    def shared(self, of_first: Callable[[], Checkpoint]) -> Checkpoint | None:
        """Hand the first process's state to all others."""
        content = encoded(of_first()) if self.is_first else b""
        size = torch.tensor(len(content))
        with _noticing():
            dist.broadcast(size, 0)
            block = torch.frombuffer(bytearray(content or bytes(int(size))), dtype=torch.uint8)
            dist.broadcast(block, 0)
        return None if self.is_first else decoded(block.numpy().tobytes(), "process 0")


@contextmanager
def _noticing() -> Iterator[None]:
    """Turn the answer that another process is gone into a LostError."""
    try:
        yield
    except RuntimeError as error:
        cause = str(error).splitlines()[0]
        raise LostError(
            f"expected every process to take the next step, found that one is gone ({cause})",
            remedy="see what ended it; the same command with --resume goes on from the last "
            "checkpoint, and `torchrun --max-restarts N` does so by itself",
        ) from error


@contextmanager
def connected() -> Iterator[Processes]:
    """Connect with the other processes, by the environment that `torchrun` sets."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if not dist.is_available():
        raise NgaeError(f"expected a torch that can train by {size} processes, found one without")
    store, _, _ = next(rendezvous("env://", rank, size))
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=_LONGEST_WAIT)
    try:
        with _telling_once(store, rank):
            yield Processes(rank, size, int(os.environ.get("LOCAL_RANK", rank)))
    finally:
        dist.destroy_process_group()


@contextmanager
def _telling_once(store: Store, rank: int) -> Iterator[None]:
    """Let one process of those that fail raise its error, the first one where it fails, too."""
    try:
        yield
    except BaseException as error:
        code = _told_elsewhere(store, rank, error)
        if code is None or not isinstance(error, _EXPECTED):
            raise
    else:
        return
    raise SystemExit(code)


def _told_elsewhere(store: Store, rank: int, error: BaseException) -> int | None:
    """The exit code of the process that tells its error; None where this one is to."""
    with suppress(RuntimeError):  # a store of the first process's own ends with it
        if rank and not isinstance(error, LostError):
            with suppress(RuntimeError):
                store.wait([_FIRST], _PATIENCE)
        is_told = store.add(_TOLD, 1) > 1
        if not is_told:
            store.set(_CODE, str(_code(error)))
        if not rank:
            store.set(_FIRST, "")
        if is_told:
            store.wait([_CODE], _PATIENCE)
            return int(store.get(_CODE))
    return None


def _code(error: BaseException) -> int:
    """The exit code that a command ends with after `error`."""
    if isinstance(error, NgaeError):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return 130
    code = error.code if isinstance(error, SystemExit) else 1
    return code if isinstance(code, int) else 1
