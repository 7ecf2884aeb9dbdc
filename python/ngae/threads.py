"""How many threads compute: torch's own operations, the native ops, and numpy's linear algebra.

torch's number is that of the calling thread and of threads that start meanwhile, that of numpy's
linear algebra the process's, so one part of a program at a time should change them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

_NATIVE: ContextVar[int | None] = ContextVar("_NATIVE", default=None)
if hasattr(os, "register_at_fork"):  # in a child torch's number alone counts
    os.register_at_fork(after_in_child=lambda: _NATIVE.set(None))


def native_threads() -> int:
    """Return how many threads the native ops take: as many as torch, but in `small_torch`."""
    return _NATIVE.get() or torch.get_num_threads()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and the native ops compute by one thread; what was comes back."""
    with _threads(1, 1):
        yield


@contextmanager
def small_torch() -> Iterator[None]:
    """Let torch compute by one thread, the native ops by as many as before; what was comes back.

    For work in which torch's operations are small: to wake other threads takes longer than they do.
    """
    with _threads(1, native_threads()):
        yield


@contextmanager
def small_numpy() -> Iterator[None]:
    """Let numpy's linear algebra compute by one thread; what was comes back.

    For matrices of a few hundred rows: two threads take as long alone, and beside another process
    several times as long, since they wait for each other without giving their processors away.
    """
    with _linear_algebra().limit(limits=1, user_api="blas"):
        yield


@cache
def _linear_algebra() -> ThreadpoolController:
    """Find the libraries that are loaded, once: that takes milliseconds."""
    return ThreadpoolController()


@contextmanager
def _threads(of_torch: int, of_ops: int) -> Iterator[None]:
    before = torch.get_num_threads()
    token = _NATIVE.set(of_ops)
    torch.set_num_threads(of_torch)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _NATIVE.reset(token)
