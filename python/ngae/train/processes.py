"""Several processes that train one model: gradients added up, signals agreed on, state handed on.

The gradients go in one block by one all-reduce after the backward. `DistributedDataParallel` is not
used: it wraps the module, hooks each parameter of the autograd graph, and divides by the number of
processes, where parts of unequal size must be weighed. The block is summed in the same order every
time, and holds the terms of the objective as well, so that all processes see the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor

from ngae.errors import NgaeError, UsageError
from ngae.train.checkpoint import Checkpoint, decoded, encoded

_REPEATS_S = 5.0


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

    def total(self, values: Tensor) -> Tensor:
        """Add up `values` over all processes; the gradient is that of this process's alone."""
        summed = values.detach().clone()
        with _noticing():
            dist.all_reduce(summed, group=self._sums)
        return summed + (values - values.detach())

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
        # Gloo: "[file:line] Connection closed by peer [address]. This is ..."
        cause = re.sub(r"^\[[^]]*\] ", "", str(error).splitlines()[0]).split(". ")[0]
        raise LostError(
            f"expected every process to take the next step, found that one is gone ({cause})",
            remedy="see what ended it; the same command with --resume goes on from the last "
            "checkpoint, and `torchrun --max-restarts N` does so by itself",
        ) from error
