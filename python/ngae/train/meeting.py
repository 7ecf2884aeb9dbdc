"""How processes that were started together find each other, and which of them tells an error."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch.distributed as dist
from torch.distributed import TCPStore  # type: ignore[attr-defined]
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from ngae.errors import NgaeError
from ngae.train.processes import LostError, Processes

# The first process judges the test rows and writes while the others wait; one that ended is
# noticed at once, whatever the limit.
_LONGEST_WAIT = timedelta(hours=1)
_PATIENCE = timedelta(seconds=1)  # for the first process, whose word goes before that of others
_TRIES, _PAUSE_S = 300, 0.1
_PORT, _START = "ngae port", "start"  # keys of the stores
_TOLD, _FIRST, _CODE = "told", "told by the first", "exit code"
_EXPECTED = (NgaeError, OSError, ImportError, KeyboardInterrupt)  # that a command tells in a line


@contextmanager
def connected() -> Iterator[Processes]:
    """Connect with the other processes, by the environment that `torchrun` sets."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    launcher, _, _ = next(rendezvous("env://", rank, size))
    store = _store(launcher, rank)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=_LONGEST_WAIT)
    try:
        with _telling_once(PrefixStore(store.get(_START).decode(), launcher), rank):
            yield Processes(rank, size, int(os.environ.get("LOCAL_RANK", rank)))
    finally:
        dist.destroy_process_group()


def _store(launcher: Store, rank: int) -> Any:
    """A store of this start alone, which the first process has and the others connect to.

    The launcher's keeps what processes before a restart have written: where they waited for each
    other, say, so that a process would wait there for ever. What such a first process has left
    there is the port of a store that ended with it.
    """
    host = os.environ["MASTER_ADDR"]
    if rank == 0:
        own = TCPStore(host, 0, is_master=True, wait_for_workers=False)
        own.set(_START, secrets.token_hex(8))
        launcher.set(_PORT, str(own.port))
        return own
    for _ in range(_TRIES):
        port = int(launcher.get(_PORT))
        with suppress(OSError):
            socket.create_connection((host, port), timeout=_PATIENCE.total_seconds()).close()
            return TCPStore(host, port, is_master=False)
        time.sleep(_PAUSE_S)
    raise LostError(f"expected the first process at {host}:{port}, found no answer there")


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
