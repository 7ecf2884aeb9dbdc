"""Architectures as short texts for a page, and as arrays in a file; nothing is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.dags import Dags

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_FIELDS = ("node_type", "graph_ptr", "edge_src", "edge_dst", "edge_ptr")


def arrays_of(dags: Dags) -> dict[str, NDArray[Any]]:
    """Return the arrays of `Dags`, by names for a file."""
    return {f"graph_{name}": getattr(dags, name) for name in _FIELDS}


def dags_of(arrays: Mapping[str, NDArray[Any]]) -> Dags:
    """Return what `arrays_of` was given, without its space."""
    node_type, graph_ptr, edge_src, edge_dst, edge_ptr = (arrays[f"graph_{n}"] for n in _FIELDS)
    return Dags(node_type, graph_ptr, edge_src, edge_dst, edge_ptr)


def code_of(types: NDArray[Any], source: NDArray[Any], target: NDArray[Any]) -> str:
    """Write a graph in a few letters: `0.3.2.1|AbC`.

    Args:
        types: (num_nodes,) type of each node.
        source: (num_edges,) where each edge begins.
        target: (num_edges,) where it ends, always later.

    Returns:
        Types with dots between; then the pairs (0, 1), (0, 2), (1, 2), (0, 3), ... as bits, six
        of them a letter, the first the highest.
    """
    count = len(types)
    bits = [0] * (count * (count - 1) // 2)
    for u, v in zip(source.tolist(), target.tolist(), strict=True):
        bits[v * (v - 1) // 2 + u] = 1
    bits += [0] * (-len(bits) % 6)
    letters = [
        _DIGITS[int("".join(map(str, bits[at : at + 6])), 2)] for at in range(0, len(bits), 6)
    ]
    return ".".join(map(str, types.tolist())) + "|" + "".join(letters)


def codes_of(dags: Dags) -> list[str]:
    """Write every graph as `code_of` does."""
    return [
        code_of(
            dags.node_type[dags.graph_ptr[row] : dags.graph_ptr[row + 1]],
            dags.edge_src[dags.edge_ptr[row] : dags.edge_ptr[row + 1]],
            dags.edge_dst[dags.edge_ptr[row] : dags.edge_ptr[row + 1]],
        )
        for row in range(len(dags))
    ]


def mean_code_length(dags: Dags) -> float:
    """Return about how many letters `code_of` takes for a graph of `dags`."""
    sizes = np.diff(dags.graph_ptr).astype(np.float64)
    return float((2.5 * sizes + sizes * (sizes - 1) / 12 + 1).mean()) if len(sizes) else 0.0
