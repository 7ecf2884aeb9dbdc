"""Node types and edges as plain numbers: their order, and what makes them no graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

from ngae.errors import GraphError


def topological_order(num_nodes: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Order nodes so that every edge goes forward, lowest number first where free.

    Raises:
        GraphError: An end outside the graph, or a cycle, named node by node.
    """
    waiting = [0] * num_nodes
    successors: list[list[int]] = [[] for _ in range(num_nodes)]
    for u, v in edges:
        if not (0 <= u < num_nodes and 0 <= v < num_nodes):
            raise GraphError(f"edge ({u}, {v}): expected nodes 0..{num_nodes - 1}")
        waiting[v] += 1
        successors[u].append(v)
    ready = [node for node in range(num_nodes) if waiting[node] == 0]
    order: list[int] = []
    while ready:
        node = min(ready)
        ready.remove(node)
        order.append(node)
        for v in successors[node]:
            waiting[v] -= 1
            if waiting[v] == 0:
                ready.append(v)
    if len(order) < num_nodes:
        raise GraphError(f"expected a graph without cycles, found {_cycle(successors, waiting)}")
    return order


def _cycle(successors: list[list[int]], waiting: list[int]) -> str:
    left = {node for node, count in enumerate(waiting) if count > 0}
    predecessor = {v: u for u in left for v in successors[u] if v in left}
    path = [min(left)]
    while path[-1] not in path[:-1]:
        path.append(predecessor[path[-1]])
    loop = path[path.index(path[-1]) :][::-1]
    return "the cycle " + " -> ".join(str(node) for node in loop)


def integer(value: object) -> int:
    """Return `value`, which must be an integer and no truth value.

    Raises:
        TypeError: It is another thing.
    """
    if type(value) is not int:
        raise TypeError(f"{value!r} is not an integer")
    return value


def sorted_edges(edges: Iterable[Any]) -> tuple[tuple[int, int], ...]:
    """Sort pairs of numbers.

    Raises:
        GraphError: Something among them is no pair of numbers.
    """
    pairs = []
    for edge in edges:
        try:
            u, v = map(index, edge)
        except (TypeError, ValueError):
            raise GraphError(f"edge {edge!r}: expected two numbers of nodes") from None
        pairs.append((u, v))
    return tuple(sorted(pairs))


def check_types(node_types: tuple[int, ...]) -> None:
    """Require at least one node, and types from 0.

    Raises:
        GraphError: Naming the node.
    """
    if not node_types:
        raise GraphError("Dag: expected at least one node, found none")
    for node, node_type in enumerate(node_types):
        if not isinstance(node_type, int) or node_type < 0:
            raise GraphError(f"node {node}: expected a type from 0, found {node_type!r}")


def check_edges(edges: tuple[tuple[int, int], ...], num_nodes: int) -> None:
    """Require sorted edges to go to later nodes, each once.

    Raises:
        GraphError: Naming the edge.
    """
    previous = None
    for edge in edges:
        u, v = edge
        if not (0 <= u < num_nodes and 0 <= v < num_nodes):
            raise GraphError(f"edge ({u}, {v}): expected nodes 0..{num_nodes - 1}")
        if u >= v:
            raise GraphError(f"edge ({u}, {v}): expected an edge to a later node")
        if edge == previous:
            raise GraphError(f"edge ({u}, {v}): expected once, found twice")
        previous = edge
