"""Runs the CUDA implementations of the ops on the emulated module."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from .emulator import Emulator


class EmulatedOps:
    """Calls a CUDA implementation with guarded inputs, and checks every access that it makes."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def run(self, op: Callable[..., Any], *arguments: Any, order: str = "forward") -> Any:
        """The result of `op`; AssertionError where an access is wrong or an output is unset."""
        guarded = [self._guard(argument) for argument in arguments]
        with self._emulator.clean(order, seed=1):
            found = op(*guarded)
        outputs = [found] if isinstance(found, Tensor) else found
        assert [self._emulator.unwritten(output) for output in outputs] == [0] * len(outputs)
        return found

    def _guard(self, argument: Any) -> Any:
        if isinstance(argument, Tensor):
            return self._emulator.guard(argument.detach())
        if isinstance(argument, Sequence) and any(isinstance(item, Tensor) for item in argument):
            return [self._guard(item) for item in argument]
        return argument
