"""`Cell`: graphs of operations between one input and one output."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import numpy as np

from ngae.dag import Dag
from ngae.errors import GraphError
from ngae.rules import FREE, DecodeRules
from ngae.spaces.ends import FIRST_OPERATION, INPUT, OUTPUT
from ngae.spaces.own import OwnSpace, allowed_types


class Cell(OwnSpace):
    """A graph of operations in which every node is on a path from the input to the output.

    Attributes:
        max_operations: Most nodes between input and output.
        min_operations: Fewest of them.
        max_edges: Most edges; None: any number. Not together with `min_operations`.
        max_inputs: Most nodes that feed an operation; None: any number. The output takes any.
    """

    max_operations: ClassVar[int] = 5
    min_operations: ClassVar[int] = 0
    max_edges: ClassVar[int | None] = None
    max_inputs: ClassVar[int | None] = None

    def __init__(self) -> None:
        if self.max_edges is not None and self.min_operations:
            raise GraphError(
                f"{type(self).__name__}: expected max_edges or min_operations, found both; "
                "refuse small graphs in `accepts`"
            )
        for name in ("max_edges", "max_inputs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise GraphError(f"{type(self).__name__}: {name}: expected from 1, found {value}")
        super().__init__()

    @property
    def most_operations(self) -> int:
        """Most operations of an architecture."""
        return self.max_operations

    @property
    def fewest_operations(self) -> int:
        """Fewest operations of an architecture."""
        return self.min_operations

    @cached_property
    def rules(self) -> DecodeRules:
        """Every edge free, at least one into each node, none without a way to the output."""
        nodes, types = self.max_nodes, self.num_node_types
        least = np.ones(types, dtype=np.int32)
        least[INPUT] = 0
        most = np.full(types, nodes, dtype=np.int32)
        if self.max_inputs is not None:
            most[FIRST_OPERATION:] = self.max_inputs
        return DecodeRules(
            start_type=INPUT,
            end_type=OUTPUT,
            type_allowed=allowed_types(self),
            edge_rule=np.triu(np.full((nodes, nodes), FREE, dtype=np.uint8), 1),
            min_in_degree=least,
            max_in_degree=most,
            loose_ends="forced",
            max_edges=self.max_edges,
        )

    def _check_edges(self, dag: Dag) -> None:
        try:
            dag.check_connected()
        except GraphError as error:
            raise GraphError(f"{self.name}: {error}") from None
        if self.max_edges is not None and len(dag.edges) > self.max_edges:
            raise GraphError(
                f"{self.name}: expected at most {self.max_edges} edges, found {len(dag.edges)}"
            )
        for node, feeding in enumerate(dag.predecessors[:-1]):
            if self.max_inputs is not None and len(feeding) > self.max_inputs:
                raise GraphError(
                    f"{self.name}: node {node}: expected at most {self.max_inputs} inputs, "
                    f"found {len(feeding)}"
                )

    def _draw(self, rng: np.random.Generator, count: int) -> Dag | None:
        # A graph has count + 1 edges at least; each from a node that feeds another is one more.
        spare = len(self.rules.edge_rule) ** 2
        if self.max_edges is not None:
            spare = self.max_edges - count - 1
        if spare < 0:
            return None
        types = rng.integers(FIRST_OPERATION, self.num_node_types, size=count)
        edges, loose = [], {0}
        for node in range(1, count + 1):
            most = min(node, self.max_inputs or node)
            sources = rng.permutation(node)[: int(rng.integers(1, most + 1))].tolist()
            used = [source for source in sources if source not in loose][:spare]
            kept = [source for source in sources if source in loose] + used
            kept = kept or [int(rng.choice(sorted(loose)))]
            spare -= len(used)
            edges += [(source, node) for source in kept]
            loose = loose - set(kept) | {node}
        further = [node for node in range(count + 1) if node not in loose and rng.random() < 0.25]
        edges += [(node, count + 1) for node in sorted(loose.union(further[:spare]))]
        return Dag((INPUT, *types.tolist(), OUTPUT), tuple(edges))
