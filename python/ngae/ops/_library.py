"""Chooses the backend of the ops, and hands tensors to the native core as checked addresses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from ngae import _native
from ngae.batch import GRAPH_FIELDS, GraphBatch
from ngae.errors import UsageError
from ngae.threads import native_threads

BACKENDS = ("cpp", "cuda", "torch")
_NATIVE = {"cpu": "cpp", "cuda": "cuda"}  # device type: its native backend

_CPU = torch.device("cpu")


def backend(function: str, device: torch.device) -> str:
    """Return the backend that `function` takes for tensors on `device`.

    The device's own native code, "cpp" or "cuda", unless NGAE_OPS=torch; NGAE_OPS=cpp and cuda
    refuse the other's tensors.

    Raises:
        UsageError: NGAE_OPS names no backend, or there is no native code for the device.
    """
    forced = os.environ.get("NGAE_OPS", "")
    if forced not in ("", *BACKENDS):
        raise UsageError(f"NGAE_OPS: expected one of {', '.join(BACKENDS)}, found {forced}")
    if forced == "torch":
        return forced
    native = _NATIVE.get(device.type, "")
    if not native or forced not in ("", native):
        expected = " or ".join(name for name, by in _NATIVE.items() if forced in ("", by))
        raise UsageError(
            f"{function}: expected tensors on {expected}, found {device}",
            remedy=("unset NGAE_OPS" if native else "set NGAE_OPS=torch for plain PyTorch"),
        )
    if native == "cuda" and not _native.has_cuda():
        raise UsageError(
            f"{function}: expected the CUDA module ngae._cuda for tensors on {device}, found none",
            remedy=f"build it with `{_native.BUILD_CUDA}`, or set NGAE_OPS=torch for plain PyTorch",
        )
    return native


def active_backend(device: torch.device | None = None) -> str:
    """Return the backend of the ops on `device`, by default the CPU.

    Raises:
        UsageError: See `backend`.
    """
    return backend("ops", device or torch.device("cpu"))


@contextmanager
def forced(name: str) -> Iterator[None]:
    """Set NGAE_OPS inside the block; "" is the native code of each device."""
    before = os.environ.get("NGAE_OPS")
    os.environ["NGAE_OPS"] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ["NGAE_OPS"]
        else:
            os.environ["NGAE_OPS"] = before


def cpu_level() -> str:
    """Return the instruction set asked for by NGAE_CPU; "" is the best that the machine has.

    Raises:
        UsageError: The machine has no such level.
    """
    level = os.environ.get("NGAE_CPU", "")
    if level and level not in _native.load().cpu_levels():
        known = ", ".join(_native.load().cpu_levels())
        raise UsageError(f"NGAE_CPU: expected one of {known}, found {level}")
    return level


def active_level() -> str:
    """Return the instruction set that the native core takes on the CPU.

    Raises:
        UsageError: See `cpu_level`.
    """
    level: str = cpu_level() or _native.load().cpu_levels()[-1]
    return level


def machine(bf16: bool) -> tuple[str, bool, int]:
    """Return how the native core is to compute: instruction set, bf16 or not, threads."""
    return cpu_level(), bf16, native_threads()


def graph_tensors(batch: GraphBatch) -> list[Tensor]:
    """List the tensors of `batch` that the ops read, in the order of GRAPH_FIELDS."""
    return [getattr(batch, name) for name in GRAPH_FIELDS]


def addresses(tensors: Sequence[Tensor | None]) -> list[int]:
    """List the addresses of contiguous CPU tensors; 0 stands for None."""
    return [0 if tensor is None else tensor.data_ptr() for tensor in tensors]


def contiguous(tensors: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Copy the tensors that are not contiguous."""
    return [None if tensor is None else tensor.contiguous() for tensor in tensors]


def weight_arguments(weights: Sequence[Tensor | None]) -> tuple[list[int], list[int]]:
    """Return what the native core takes of the weights of a propagation.

    Args:
        weights: The fields of DagGruParameters, contiguous.

    Returns:
        Their addresses; hidden_dim, the number of node types, rows of the index tables.
    """
    w_ih, w_hh = weights[0], weights[2]
    assert w_ih is not None and w_hh is not None
    rows = [table.shape[0] for table in weights[7:9] if table is not None]
    return addresses(weights), [w_hh.shape[1], w_ih.shape[1], min(rows, default=0)]


def function(name: str, dtype: torch.dtype) -> Any:
    """Return the native function `name` for numbers of `dtype`."""
    suffix = "float64" if dtype == torch.float64 else "float32"
    return getattr(_native.load(), f"{name}_{suffix}")


def graph_arguments(
    graph: Sequence[Tensor], device: torch.device = _CPU
) -> tuple[list[int], list[int]]:
    """Check the integer tensors of a batch on `device`, but for level_ptr, which is on the CPU.

    Returns:
        Their addresses; the counts of nodes, edges, graphs and levels.

    Raises:
        ValueError: A tensor is not contiguous, not int32 or elsewhere, or sizes disagree.
    """
    if len(graph) != len(GRAPH_FIELDS):
        raise ValueError(f"graph: expected {len(GRAPH_FIELDS)} tensors, found {len(graph)}")
    if graph[9].numel() == 0:
        raise ValueError("level_ptr: expected at least one entry, found none")
    nodes, graphs = graph[0].numel(), graph[4].numel()
    edges, levels = graph[6].numel(), graph[9].numel() - 1
    expected = (
        *(nodes, nodes, nodes, graphs + 1, graphs, nodes + 1, edges, nodes + 1, edges),
        *(levels + 1, nodes),
    )
    for name, tensor, size in zip(GRAPH_FIELDS, graph, expected, strict=True):
        home = _CPU if name == "level_ptr" else device
        good = tensor.dtype == torch.int32 and tensor.device == home
        if not good or not tensor.is_contiguous() or tensor.shape != (size,):
            raise ValueError(
                f"{name}: expected a contiguous int32 tensor on {home} of shape ({size},), found "
                f"{tensor.dtype} on {tensor.device} of shape {tuple(tensor.shape)}"
            )
    return addresses(graph), [nodes, edges, graphs, levels]
