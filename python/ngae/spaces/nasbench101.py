"""NAS-Bench-101: cells of up to 7 vertices and 9 edges, three operations on the vertices.

Node 0 is the input, the last node the output; every node is on a path between them. Text forms:
`adjacency;operations` (the columns of the official records) and `num_vertices;edge_bits;ops`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError
from ngae.networks.nasbench101 import OPERATIONS, NasBench101Config, cell_complexities
from ngae.rules import FREE, DecodeRules
from ngae.spaces.base import SearchSpace
from ngae.spaces.ends import check_types
from ngae.spaces.nasbench101_text import (
    BLOCK,
    FIRST_OPERATION,
    INPUT,
    LABELS,
    MAX_EDGES,
    MAX_NODES,
    OUTPUT,
    PAIRS,
    dags_of_texts,
    nodes_on_paths,
    pairs_within,
    scan_cell,
)

if TYPE_CHECKING:
    import torch

    from ngae.networks.onnx_form import OnnxForm
    from ngae.networks.source import NetworkSource

# Matrices of n = 2..7 vertices that are cells; times 3^(n - 2) operations, the numbered cells.
NUM_MATRICES = (1, 2, 10, 121, 1_545, 4_793)
_DRAWS = 512


class NasBench101Space(SearchSpace):
    """The cells of NAS-Bench-101 (Ying et al. 2019, section 2).

    Args:
        network: Width, stacks, image size and classes of the networks that `build` makes.
    """

    name = "nas-bench-101"
    node_type_names = ("input", "output", *OPERATIONS)
    max_nodes = MAX_NODES
    complexity_names = ("params", "macs")
    arch_columns = (("adjacency", "operations"), ("num_vertices", "edge_bits", "ops"))

    def __init__(self, network: NasBench101Config | None = None) -> None:
        self.network = network or NasBench101Config()

    @cached_property
    def rules(self) -> DecodeRules:
        """All edges free up to nine; what feeds nothing feeds the output."""
        nodes, types = self.max_nodes, self.num_node_types
        allowed = np.zeros((nodes, types), dtype=np.bool_)
        allowed[0, INPUT] = True
        allowed[1:, OUTPUT] = True
        allowed[1:-1, FIRST_OPERATION:] = True
        least = np.ones(types, dtype=np.int32)
        least[INPUT] = 0
        return DecodeRules(
            start_type=INPUT,
            end_type=OUTPUT,
            type_allowed=allowed,
            edge_rule=np.triu(np.full((nodes, nodes), FREE, dtype=np.uint8), 1),
            min_in_degree=least,
            max_in_degree=np.full(types, nodes, dtype=np.int32),
            loose_ends="forced",
            max_edges=MAX_EDGES,
        )

    def check(self, dag: Dag) -> None:
        """Raise GraphError for a wrong size or type, or a node that is on no path."""
        if not 2 <= len(dag) <= MAX_NODES:
            raise GraphError(f"{self.name}: expected 2 to {MAX_NODES} nodes, found {len(dag)}")
        if len(dag.edges) > MAX_EDGES:
            raise GraphError(
                f"{self.name}: expected at most {MAX_EDGES} edges, found {len(dag.edges)}"
            )
        check_types(self, dag)
        dead = set(range(len(dag))) - nodes_on_paths(len(dag), dag.edges)
        if dead:
            raise GraphError(
                f"{self.name}: node {min(dead)}: expected a path from input to output through it, "
                "found none"
            )

    def prune(
        self, node_types: Sequence[int], edges: Sequence[tuple[int, int]]
    ) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
        """Drop the nodes that are on no path from the first node to the last.

        Args:
            node_types: Type of each node.
            edges: Pairs (u, v) with u < v.

        Returns:
            Types and edges of what is left, numbered anew in the same order.

        Raises:
            GraphError: There is no path.
        """
        kept = sorted(nodes_on_paths(len(node_types), edges))
        if not kept:
            raise GraphError(f"{self.name}: expected a path from input to output, found none")
        place = {node: i for i, node in enumerate(kept)}
        return (
            tuple(node_types[node] for node in kept),
            tuple((place[u], place[v]) for u, v in edges if u in place and v in place),
        )

    def parse(self, text: str) -> Dag:
        """Read `adjacency;operations` or `num_vertices;edge_bits;ops`.

        Nodes on no path are pruned, as the official API does.

        Raises:
            ParseError: With the column, what was expected and what was found.
            GraphError: No path from input to output; more nodes or edges than the space has.
        """
        types, edges = self.prune(*scan_cell(text))
        return Dag(types, edges, self)

    def parse_many(self, texts: Sequence[str]) -> Dags:
        """Read many architectures, thousands at a time.

        Raises:
            ParseError: As `parse`, for any of the texts.
            GraphError: As `parse`.
        """
        return dags_of_texts(texts, self)

    def format(self, dag: Dag) -> str:
        """Write `adjacency;operations`."""
        size = len(dag)
        adjacency = ["0"] * size**2
        for u, v in dag.edges:
            adjacency[u * size + v] = "1"
        return f"{''.join(adjacency)};{','.join(LABELS[t] for t in dag.node_types)}"

    def sample(self, rng: np.random.Generator) -> Dag:
        """Draw uniformly among the numbered cells.

        Those are all pairs of an upper triangular matrix and operations that are in the space; a
        cell is as frequent as the topological numberings that tell its nodes apart. Its size is
        drawn by the numbers of matrices, then matrices until one is a cell.
        """
        weights = np.array([m * 3**inner for inner, m in enumerate(NUM_MATRICES)], dtype=np.float64)
        size = 2 + int(rng.choice(len(weights), p=weights / weights.sum()))
        while True:
            found = rng.integers(2, size=(_DRAWS, pairs_within(size)), dtype=np.uint8)
            good = np.flatnonzero(are_cells(found, size))
            if good.size:
                break
        chosen = PAIRS[:, found[good[0]].nonzero()[0]].T.tolist()
        inner = rng.integers(FIRST_OPERATION, self.num_node_types, size=size - 2).tolist()
        return Dag((INPUT, *inner, OUTPUT), tuple((u, v) for u, v in chosen), self)

    def build(self, dag: Dag) -> torch.nn.Module:
        """Make the network of `dag` (see `ngae.networks.cell_nasbench101`)."""
        from ngae.networks.cell_nasbench101 import CellNetwork101

        operations = [t - FIRST_OPERATION for t in dag.node_types[1:-1]]
        return CellNetwork101(operations, dag.edges, self.network)

    def _network_source(self, dag: Dag) -> NetworkSource:
        from ngae.networks.source_nasbench101 import cell101_source

        operations = [t - FIRST_OPERATION for t in dag.node_types[1:-1]]
        return cell101_source(operations, dag.edges, self.network)

    def _onnx_form(self, network: torch.nn.Module) -> OnnxForm:
        from ngae.networks.onnx_form import image_form

        size = self.network.image_size
        return image_form(network, self.network.image_channels, size, size)

    def complexity(self, dags: Sequence[Dag]) -> NDArray[np.float64]:
        """Compute trainable parameters and multiply-adds of one image, exactly.

        Returns:
            float64 (len(dags), 2): params, macs.
        """
        packed = Dags.of(dags, self)
        starts = range(0, len(packed), BLOCK)
        parts = [self._complexity(packed[at : at + BLOCK]) for at in starts]
        return np.concatenate([np.zeros((0, 2)), *parts])

    def _complexity(self, dags: Dags) -> NDArray[np.float64]:
        sizes = np.diff(dags.graph_ptr)
        types, adjacency = dags.padded(self.max_nodes)
        found = np.zeros((len(dags), 2))
        for size in np.unique(sizes).tolist():
            rows = np.flatnonzero(sizes == size)
            operations = types[rows, 1 : size - 1] - FIRST_OPERATION
            found[rows] = cell_complexities(operations, adjacency[rows, :size, :size], self.network)
        return found


def are_cells(matrices: NDArray[np.uint8], size: int) -> NDArray[np.bool_]:
    """Tell which graphs have at most nine edges and every node on a path from first to last.

    Args:
        matrices: (num_graphs, size (size - 1) / 2) zeros and ones, edges in the order of PAIRS.
        size: Nodes of each graph.

    Returns:
        bool (num_graphs,).
    """
    source, target = PAIRS[:, : matrices.shape[1]]
    good: NDArray[np.bool_] = matrices.sum(axis=1) <= MAX_EDGES
    for node in range(size):
        # Acyclic: fed by something, each node is reached from the first; likewise for the last.
        if node > 0:
            good &= matrices[:, target == node].any(axis=1)
        if node < size - 1:
            good &= matrices[:, source == node].any(axis=1)
    return good
