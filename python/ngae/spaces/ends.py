"""Graphs of operations between one input and one output: what most spaces are made of."""

from __future__ import annotations

from ngae.dag import Dag
from ngae.errors import GraphError
from ngae.spaces.base import SearchSpace

INPUT, OUTPUT, FIRST_OPERATION = 0, 1, 2


def check_types(space: SearchSpace, dag: Dag) -> None:
    """Require an input first, an output last, and operations of `space` between.

    Raises:
        GraphError: Naming the node, what was expected and what was found.
    """
    ends = {0: (INPUT, INPUT), len(dag) - 1: (OUTPUT, OUTPUT)}
    for node, node_type in enumerate(dag.node_types):
        low, high = ends.get(node, (FIRST_OPERATION, space.num_node_types - 1))
        if not low <= node_type <= high:
            wanted = space.node_type_names[low] if low == high else f"{low}..{high}"
            raise GraphError(
                f"{space.name}: node {node}: expected type {wanted}, found {node_type}"
            )
