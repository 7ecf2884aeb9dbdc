"""Graphs and models that the benchmarks share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.models.propagation import Propagation
from ngae.spaces.enas import EnasSpace

ENAS = EnasSpace(6)


def enas_batch(graphs: int, seed: int = 0) -> GraphBatch:
    """Random six-layer ENAS graphs: 8 nodes each."""
    rng = np.random.default_rng(seed)
    return GraphBatch.pack([ENAS.sample(rng) for _ in range(graphs)])


def ragged_batch(graphs: int, seed: int = 0) -> GraphBatch:
    """Random graphs of 2 to 7 nodes with 5 types, as ragged as NAS-Bench-101's."""
    rng = np.random.default_rng(seed)
    return GraphBatch.pack([random_dag(int(rng.integers(2, 8)), rng) for _ in range(graphs)])


def random_dag(nodes: int, rng: np.random.Generator, degree: float = 2.0) -> Dag:
    """A random DAG in which every node but the first has a predecessor."""
    edges = set()
    for v in range(1, nodes):
        count = min(v, 1 + rng.poisson(degree - 1))
        edges |= {(int(u), v) for u in rng.choice(v, size=count, replace=False)}
    return Dag(tuple(int(t) for t in rng.integers(0, 5, nodes)), tuple(edges))


def random_batch(graphs: int, nodes: int, seed: int = 0) -> GraphBatch:
    """Random DAGs of the same number of nodes."""
    rng = np.random.default_rng(seed)
    return GraphBatch.pack([random_dag(nodes, rng) for _ in range(graphs)])


def propagation(hidden_dim: int, num_node_types: int = 8) -> Propagation:
    """A propagation with seeded weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Propagation(num_node_types, hidden_dim, 8, vertex_index=False)


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Use one backend of the ops inside the block."""
    before = os.environ.get("NGAE_OPS")
    os.environ["NGAE_OPS"] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ["NGAE_OPS"]
        else:
            os.environ["NGAE_OPS"] = before


def propagation_flops(batch: GraphBatch, hidden_dim: int) -> int:
    """Operations of one forward propagation: GRU 3 H^2, gate and map 2 H^2 a node, times 2."""
    return 2 * 5 * hidden_dim * hidden_dim * batch.num_nodes
