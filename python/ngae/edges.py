"""Node types and edges as plain numbers: their order, and what makes them no graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from operator import index
from typing import Any

from ngae.errors import GraphError, cut, shown

_MOST = 2**31 - 1  # what arrays of graphs hold
_LONGEST = 200  # characters of a cycle in a message


def topological_order(num_nodes: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Order nodes so that every edge goes forward, lowest number first where free.

    Raises:
        GraphError: An end outside the graph, or a cycle, named node by node.
    """
    waiting = [0] * num_nodes
    successors: list[list[int]] = [[] for _ in range(num_nodes)]
    for u, v in edges:
        if not (0 <= u < num_nodes and 0 <= v < num_nodes):
            raise GraphError(f"edge {shown((u, v))}: expected nodes 0..{num_nodes - 1}")
        waiting[v] += 1
        successors[u].append(v)
    ready = [node for node in range(num_nodes) if waiting[node] == 0]  # sorted, so a heap
    order: list[int] = []
    while ready:
        node = heappop(ready)
        order.append(node)
        for v in successors[node]:
            waiting[v] -= 1
            if waiting[v] == 0:
                heappush(ready, v)
    if len(order) < num_nodes:
        raise GraphError(f"expected a graph without cycles, found {_cycle(successors, waiting)}")
    return order


def _cycle(successors: list[list[int]], waiting: list[int]) -> str:
    left = {node for node, count in enumerate(waiting) if count > 0}
    predecessor = {v: u for u in left for v in successors[u] if v in left}
    place: dict[int, int] = {}  # of each node on the way back from the first one
    node = min(left)
    while node not in place:
        place[node] = len(place)
        node = predecessor[node]
    loop = [node, *list(place)[place[node] :][::-1]]
    return cut("the cycle " + " -> ".join(map(str, loop)), _LONGEST)


def integer(value: object) -> int:
    """Return `value`, which must be an integer and no truth value.

    Raises:
        TypeError: It is another thing.
    """
    if type(value) is not int:
        raise TypeError(f"{shown(value)} is not an integer")
    return value


def sorted_edges(edges: Iterable[Any]) -> tuple[tuple[int, int], ...]:
    """Sort pairs of numbers.

    Raises:
        GraphError: Something among them is no pair of numbers.
    """
    held = list(edges)
    try:
        return tuple(sorted([(index(u), index(v)) for u, v in held]))
    except (TypeError, ValueError):
        wrong = next(edge for edge in held if not _is_pair(edge))
        raise GraphError(f"edge {shown(wrong)}: expected two numbers of nodes") from None


def _is_pair(edge: Any) -> bool:
    try:
        u, v = edge
        return index(u) is not None and index(v) is not None
    except (TypeError, ValueError):
        return False


def check_types(node_types: tuple[int, ...]) -> None:
    """Require at least one node, and types from 0 that 32 bits hold.

    Raises:
        GraphError: Naming the node.
    """
    if not node_types:
        raise GraphError("Dag: expected at least one node, found none")
    for node, node_type in enumerate(node_types):
        if not isinstance(node_type, int) or node_type < 0:
            raise GraphError(f"node {node}: expected a type from 0, found {shown(node_type)}")
        if node_type > _MOST:
            raise GraphError(
                f"node {node}: expected a type up to {_MOST}, found {shown(node_type)}"
            )


def check_edges(edges: tuple[tuple[int, int], ...], num_nodes: int) -> None:
    """Require sorted edges to go to later nodes, each once.

    Raises:
        GraphError: Naming the edge.
    """
    previous = None
    for edge in edges:
        u, v = edge
        if not (0 <= u < num_nodes and 0 <= v < num_nodes):
            raise GraphError(f"edge {shown((u, v))}: expected nodes 0..{num_nodes - 1}")
        if u >= v:
            raise GraphError(f"edge {shown((u, v))}: expected an edge to a later node")
        if edge == previous:
            raise GraphError(f"edge {shown((u, v))}: expected once, found twice")
        previous = edge
