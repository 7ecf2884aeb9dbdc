"""Graphs that the benchmarks share, as arrays and as batches; no Dag object is made on the way.

Sizes: 8 nodes (ENAS), up to 7 (NAS-Bench-101, ragged), random DAGs of any number of nodes.
"""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ngae.batch import GraphBatch
from ngae.spaces.enas import EnasSpace

Ints = NDArray[np.int32]

ENAS = EnasSpace(6)
NODE_TYPES, MOST_NODES = {"enas": 8, "nasbench101": 5}, {"enas": 8, "nasbench101": 7}
NASBENCH101_FILE = "nas-bench-101/nasbench101_space_423624_graphs_only.csv.gz"


@dataclass(frozen=True, eq=False)
class GraphArrays:
    """Graphs one after the other, in the form that `GraphBatch.from_arrays` takes.

    Attributes:
        node_type: (num_nodes,).
        graph_ptr: (num_graphs + 1,) first node of each graph.
        edge_src: (num_edges,) numbered from 0 in each graph.
        edge_dst: (num_edges,).
        edge_ptr: (num_graphs + 1,) first edge of each graph.
    """

    node_type: Ints
    graph_ptr: Ints
    edge_src: Ints
    edge_dst: Ints
    edge_ptr: Ints

    @property
    def num_graphs(self) -> int:
        """Number of graphs."""
        return len(self.graph_ptr) - 1

    def pack(self, begin: int = 0, end: int | None = None) -> GraphBatch:
        """Pack graphs [begin, end)."""
        end = self.num_graphs if end is None else min(end, self.num_graphs)
        nodes, edges = self.graph_ptr[begin : end + 1], self.edge_ptr[begin : end + 1]
        return GraphBatch.from_arrays(
            self.node_type[nodes[0] : nodes[-1]],
            nodes - nodes[0],
            self.edge_src[edges[0] : edges[-1]],
            self.edge_dst[edges[0] : edges[-1]],
            edges - edges[0],
        )

    @classmethod
    def of_matrices(cls, node_types: Ints, feeds: NDArray[np.bool_], sizes: Ints) -> GraphArrays:
        """Make them of padded types (graphs, nodes), `feeds[g, u, v]`, and nodes of each graph."""
        present = np.arange(node_types.shape[1]) < sizes[:, None]
        graph, source, target = (feeds & present[:, :, None] & present[:, None]).nonzero()
        edges = np.bincount(graph, minlength=len(sizes))
        return cls(
            node_types[present].astype(np.int32),
            _pointers(sizes),
            source.astype(np.int32),
            target.astype(np.int32),
            _pointers(edges),
        )


@lru_cache(maxsize=4)
def graph_batch(kind: str, graphs: int) -> GraphBatch:
    """Pack graphs of a kind: "enas", "nasbench101" or "random<nodes>"; the same every time."""
    if kind == "enas":
        return enas(graphs).pack()
    if kind == "nasbench101":
        return nasbench101_like(graphs).pack()
    return random_graphs(graphs, int(kind.removeprefix("random"))).pack()


def most_nodes(kind: str) -> int:
    """Most nodes that a graph of this kind has."""
    return MOST_NODES.get(kind) or int(kind.removeprefix("random"))


def enas(graphs: int, seed: int = 0) -> GraphArrays:
    """Draw six-layer ENAS graphs: each operation and each skip edge uniformly."""
    rng = np.random.default_rng(seed)
    types = np.ones((graphs, 8), dtype=np.int32)
    types[:, 0] = 0
    types[:, 1:7] = rng.integers(2, 8, (graphs, 6))
    feeds = np.triu(rng.integers(0, 2, (graphs, 8, 8), dtype=np.bool_), 1)
    feeds[:, np.arange(7), np.arange(1, 8)] = True
    feeds[:, :6, 7] = False
    return GraphArrays.of_matrices(types, feeds, np.full(graphs, 8, dtype=np.int32))


def nasbench101_like(graphs: int, seed: int = 0) -> GraphArrays:
    """Draw graphs of 7 vertices and at most 9 edges; vertices off the way to the output go."""
    rng = np.random.default_rng(seed)
    pairs = np.array(np.triu_indices(7, 1))
    types, feeds = np.zeros((graphs, 7), np.int32), np.zeros((graphs, 7, 7), np.bool_)
    sizes = np.zeros(graphs, np.int32)
    for g in range(graphs):
        kept: list[int] = []
        while len(kept) < 2:
            matrix = np.zeros((7, 7), np.bool_)
            matrix[tuple(pairs[:, rng.choice(21, rng.integers(6, 10), replace=False)])] = True
            reach = np.linalg.matrix_power(matrix + np.eye(7), 6) > 0
            kept = [v for v in range(7) if reach[0, v] and reach[v, 6]]
        sizes[g] = len(kept)
        types[g, 1 : len(kept) - 1] = rng.integers(2, 5, len(kept) - 2)
        types[g, len(kept) - 1] = 1
        feeds[g, : len(kept), : len(kept)] = matrix[np.ix_(kept, kept)]
    return GraphArrays.of_matrices(types, feeds, sizes)


def random_graphs(graphs: int, nodes: int, degree: float = 2.0, seed: int = 0) -> GraphArrays:
    """Draw DAGs of 5 types in which every node but the first has a predecessor, 2 on average."""
    rng = np.random.default_rng(seed)
    types = rng.integers(0, 5, (graphs, nodes)).astype(np.int32)
    feeds = np.zeros((graphs, nodes, nodes), dtype=np.bool_)
    for v in range(1, nodes):
        count = np.minimum(v, 1 + rng.poisson(degree - 1, graphs))
        rank = rng.random((graphs, v)).argsort(axis=1).argsort(axis=1)
        feeds[:, :v, v] = rank < count[:, None]
    return GraphArrays.of_matrices(types, feeds, np.full(graphs, nodes, dtype=np.int32))


def data_folder() -> Path:
    """Where real tables are: NGAE_TEST_DATA, else `../shared/data` beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("NGAE_TEST_DATA") or beside)


def read_nasbench101(path: Path) -> GraphArrays:
    """Read the graphs of a table `num_vertices,edge_bits,ops` (gzip).

    Bit `x + y (y - 1) / 2` of `edge_bits` is the edge from x to y; `ops` has a digit for each
    inner vertex, which becomes the type 2 + digit. The input has type 0, the output 1.
    """
    with gzip.open(path, "rt") as file:
        if file.readline().strip() != "num_vertices,edge_bits,ops":
            raise ValueError(f"{path}: expected the columns num_vertices, edge_bits, ops")
        rows = [line.rstrip("\n").split(",") for line in file]
    sizes = np.array([row[0] for row in rows], dtype=np.int32)
    bits = np.array([row[1] for row in rows], dtype=np.int32)
    digits = np.frombuffer("".join(row[2] for row in rows).encode(), np.uint8)
    graph_ptr = _pointers(sizes)
    inner = np.ones(graph_ptr[-1], dtype=np.bool_)
    inner[graph_ptr[:-1]] = inner[graph_ptr[1:] - 1] = False
    node_type = np.zeros(graph_ptr[-1], dtype=np.int32)
    node_type[graph_ptr[1:] - 1] = 1
    node_type[inner] = digits - ord("0") + 2
    target, source = np.tril_indices(7, -1)
    has_edge = (bits[:, None] >> np.arange(21)) & 1
    bit = has_edge.nonzero()[1]
    return GraphArrays(
        node_type,
        graph_ptr,
        source[bit].astype(np.int32),
        target[bit].astype(np.int32),
        _pointers(has_edge.sum(axis=1)),
    )


def _pointers(counts: NDArray[np.integer]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
