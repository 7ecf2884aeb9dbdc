"""Graphs, weights and right answers for the propagation on a GPU, emulated or real."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.ops import DagGruParameters

TYPES, PLACES = 4, 9


def ragged(counts: list[int], seed: int = 0, density: float = 0.4) -> GraphBatch:
    """Random graphs with the given numbers of nodes; some nodes have no edge at all."""
    rng = np.random.default_rng(seed)
    dags = []
    for n in counts:
        pairs = itertools.combinations(range(n), 2)
        edges = tuple(pair for pair in pairs if rng.random() < density)
        dags.append(Dag(tuple(rng.integers(TYPES, size=n).tolist()), edges))
    return GraphBatch.pack(dags)


def chains(nodes: int, count: int) -> GraphBatch:
    """One graph of `count` chains side by side, and an edge from its first node to its last."""
    edges = [(v, v + count) for v in range(nodes - count)]
    types = tuple(v % TYPES for v in range(nodes))
    return GraphBatch.pack([Dag(types, tuple(sorted([*edges, (0, nodes - 1)])))])


BATCHES = {
    "none": ragged([]),
    "one node": ragged([1]),
    "ragged": ragged([1, 7, 2, 9, 1, 5]),
    "more rows than a tile": ragged([2] * 135 + [3] * 5, density=0.9),
    "200 nodes": chains(200, count=4),
    "many successors": GraphBatch.pack([Dag((0,) * 60, tuple((0, v) for v in range(1, 60)))]),
}

# Name of the batch, hidden size, index tables, initial states, rounded operands: tails, one row and
# more rows than a tile among them.
SIZES = [
    ("none", 5, True, True, False),
    ("one node", 1, True, False, False),
    ("one node", 33, False, True, True),
    ("ragged", 5, True, True, False),
    ("ragged", 70, True, False, False),
    ("ragged", 70, False, True, True),
    ("more rows than a tile", 33, True, True, False),
    ("more rows than a tile", 33, True, False, True),
    ("200 nodes", 5, False, True, False),
    ("many successors", 40, False, False, False),
]


def parameters(hidden: int, index: bool, types: int = TYPES) -> DagGruParameters:
    generator = torch.Generator().manual_seed(hidden)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) / shape[-1] ** 0.5

    tables = (numbers(PLACES, hidden), numbers(PLACES, hidden)) if index else (None, None)
    return DagGruParameters(
        numbers(3 * hidden, types),
        numbers(3 * hidden),
        numbers(3 * hidden, hidden),
        numbers(3 * hidden),
        numbers(hidden, hidden),
        numbers(hidden),
        numbers(hidden, hidden),
        *tables,
    )


def expected(
    op, dtype: torch.dtype, batch: GraphBatch, weights: DagGruParameters, initial: Tensor | None,
    dh: Tensor, bf16: bool,
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """States and gradients by another implementation, in its own number type."""
    leaves = [None if t is None else t.to(dtype, copy=True).requires_grad_()
              for t in (*weights, initial)]  # fmt: skip
    precision = "bf16" if bf16 else "float32"
    h = op(batch, DagGruParameters(*leaves[:-1]), leaves[-1], precision=precision)
    wanted = [leaf for leaf in leaves if leaf is not None]
    if not batch.num_nodes:
        return h.detach(), [torch.zeros_like(leaf) for leaf in wanted]
    gradients = torch.autograd.grad(h, wanted, dh.to(dtype), materialize_grads=True)
    return h.detach(), list(gradients)


def assert_close(found: Tensor, right: Tensor, what: str, tolerance: float) -> None:
    most = tolerance * max(1.0, float(right.abs().max()) if right.numel() else 0)
    assert found.shape == right.shape, what
    error = float((found - right).abs().max()) if right.numel() else 0.0
    assert error <= most, f"{what}: off by {error:.2g}"
