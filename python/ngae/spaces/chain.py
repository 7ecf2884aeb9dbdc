"""`Chain`: rows of layers, with or without skips."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import numpy as np

from ngae.dag import Dag
from ngae.errors import GraphError
from ngae.rules import FORBIDDEN, FORCED, FREE, DecodeRules
from ngae.spaces.ends import FIRST_OPERATION, INPUT, OUTPUT
from ngae.spaces.own import OwnSpace, allowed_types


class Chain(OwnSpace):
    """A row of layers, each fed by the one before and, with `skips`, by any earlier ones.

    Attributes:
        length: Layers between input and output.
        least_length: Fewest of them; None: always `length`.
        skips: Whether a layer may be fed by earlier nodes than the one before.
    """

    length: ClassVar[int] = 6
    least_length: ClassVar[int | None] = None
    skips: ClassVar[bool] = True

    @property
    def most_operations(self) -> int:
        """Most operations of an architecture."""
        return self.length

    @property
    def fewest_operations(self) -> int:
        """Fewest operations of an architecture."""
        return self.length if self.least_length is None else self.least_length

    @cached_property
    def rules(self) -> DecodeRules:
        """Edges of the chain forced, skips free or forbidden, output after the last layer."""
        nodes = self.max_nodes
        edges = np.full((nodes, nodes), FREE if self.skips else FORBIDDEN, dtype=np.uint8)
        edges = np.triu(edges, 1)
        edges[np.arange(nodes - 1), np.arange(1, nodes)] = FORCED
        return DecodeRules(
            start_type=INPUT,
            end_type=OUTPUT,
            type_allowed=allowed_types(self),
            edge_rule=edges,
            min_in_degree=np.zeros(self.num_node_types, dtype=np.int32),
            max_in_degree=np.full(self.num_node_types, nodes, dtype=np.int32),
            loose_ends="only",
        )

    def _check_edges(self, dag: Dag) -> None:
        last = len(dag) - 1
        for node in range(1, last + 1):
            feeding = dag.predecessors[node]
            if node - 1 not in feeding:
                raise GraphError(
                    f"{self.name}: node {node}: expected an edge from node {node - 1}, found none"
                )
            if len(feeding) > 1 and (node == last or not self.skips):
                raise GraphError(
                    f"{self.name}: node {node}: expected an edge from node {node - 1} alone, "
                    f"found {feeding}"
                )

    def _draw(self, rng: np.random.Generator, count: int) -> Dag | None:
        types = rng.integers(FIRST_OPERATION, self.num_node_types, size=count)
        edges = {(node, node + 1) for node in range(count + 1)}
        if self.skips:
            source, target = np.triu(rng.random((count + 1, count + 1)) < 0.5, 1).nonzero()
            edges |= set(zip(source.tolist(), target.tolist(), strict=True))
        return Dag((INPUT, *types.tolist(), OUTPUT), tuple(edges))
