"""What a decoder may build: the validity masks of a search space, as plain arrays.

The rules are declarative so that one native loop serves every space. They say nothing about
probabilities; decisions that they force or forbid carry no loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ngae.errors import GraphError

FORBIDDEN, FREE, FORCED = 0, 1, 2


@dataclass(frozen=True, eq=False)
class DecodeRules:
    """Which node types and edges a decoder may choose.

    Attributes:
        start_type: Type of node 0.
        end_type: Type of the node that ends a graph.
        type_allowed: Bool (max_nodes, num_node_types): types that the node at a place may have.
            Row 0 allows `start_type` alone, the last row `end_type` alone.
        edge_rule: uint8 (max_nodes, max_nodes), `[u, v]` for u < v: 0 forbidden, 1 free,
            2 forced; for nodes v that are not of `end_type`.
        min_in_degree: int32 (num_node_types,).
        max_in_degree: int32 (num_node_types,).
        loose_ends_to_end: True: the end node is fed by exactly the nodes that feed nothing, and
            nothing is decided there. False: its incoming edges are decided like all others.
    """

    start_type: int
    end_type: int
    type_allowed: NDArray[np.bool_]
    edge_rule: NDArray[np.uint8]
    min_in_degree: NDArray[np.int32]
    max_in_degree: NDArray[np.int32]
    loose_ends_to_end: bool

    def __post_init__(self) -> None:
        nodes, types = self.type_allowed.shape
        self._expect("edge_rule", self.edge_rule.shape, (nodes, nodes))
        self._expect("min_in_degree", self.min_in_degree.shape, (types,))
        self._expect("max_in_degree", self.max_in_degree.shape, (types,))
        self._expect("max_nodes, at least", min(nodes, 2), 2)
        start = [t for t in range(types) if self.type_allowed[0, t]]
        end = [t for t in range(types) if self.type_allowed[-1, t]]
        self._expect("types allowed at node 0", start, [self.start_type])
        self._expect("types allowed at the last node", end, [self.end_type])
        for place in range(nodes):
            self._expect(f"a type for node {place}", bool(self.type_allowed[place].any()), True)

    @staticmethod
    def _expect(what: str, found: object, expected: object) -> None:
        if found != expected:
            raise GraphError(f"DecodeRules: {what}: expected {expected}, found {found}")

    @property
    def max_nodes(self) -> int:
        """Most nodes of a graph, start and end included."""
        return int(self.type_allowed.shape[0])

    @property
    def num_node_types(self) -> int:
        """Number of node types, start and end included."""
        return int(self.type_allowed.shape[1])
