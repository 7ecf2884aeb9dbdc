"""Which layer each node stands in, and the virtual vertices by which long edges pass the others.

First step of a layered drawing (Sugiyama, Tagawa and Toda 1981). Deviation: the long edges of one
source share their virtual vertices, so that they run together until they part, and a drawing has
at most one track for each source in a layer.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ngae.errors import UsageError

Edge = tuple[int, int]

# Beyond, nobody sees anything, and the drawing takes minutes.
_MOST_VERTICES, _MOST_STEPS = 10_000, 200_000


@dataclass(frozen=True)
class Layered:
    """A graph whose links go from each layer to the next.

    Attributes:
        num_nodes: Nodes of the graph; vertices from this number on are virtual.
        layer: Of each vertex, from 0.
        routes: For each edge the vertices from its source to its target, one in each layer.
    """

    num_nodes: int
    layer: tuple[int, ...]
    routes: tuple[tuple[int, ...], ...]

    @cached_property
    def rows(self) -> tuple[tuple[int, ...], ...]:
        """The vertices of each layer, ascending."""
        rows: list[list[int]] = [[] for _ in range(max(self.layer) + 1)]
        for vertex, layer in enumerate(self.layer):
            rows[layer].append(vertex)
        return tuple(map(tuple, rows))

    @cached_property
    def links(self) -> tuple[Edge, ...]:
        """Pairs (upper, lower) of vertices in neighbouring layers, each once, sorted."""
        return tuple(sorted({link for route in self.routes for link in _pairs(route)}))

    @cached_property
    def above(self) -> tuple[tuple[int, ...], ...]:
        """For each vertex those linked to it in the layer before."""
        return self._neighbours([(v, u) for u, v in self.links])

    @cached_property
    def below(self) -> tuple[tuple[int, ...], ...]:
        """For each vertex those linked to it in the layer after."""
        return self._neighbours(self.links)

    def _neighbours(self, links: Sequence[Edge]) -> tuple[tuple[int, ...], ...]:
        lists: list[list[int]] = [[] for _ in self.layer]
        for one, other in links:
            lists[one].append(other)
        return tuple(map(tuple, lists))

    def is_virtual(self, vertex: int) -> bool:
        """Tell whether `vertex` is a place that edges pass, not a node."""
        return vertex >= self.num_nodes


def in_layers(num_nodes: int, edges: Sequence[Edge], kinds: Sequence[int]) -> Layered:
    """Put nodes into layers and lay out the way of each edge.

    Args:
        num_nodes: At least 1.
        edges: Pairs (u, v) with u < v.
        kinds: A number for each edge; edges of one source run together where theirs are equal.

    Raises:
        UsageError: So large a graph that nobody would see anything.
    """
    layer = _layers(num_nodes, edges)
    _check_size(num_nodes, len(edges) + sum(layer[v] - layer[u] for u, v in edges))
    virtual: dict[tuple[int, int, int], int] = {}
    routes = []
    for (u, v), kind in zip(edges, kinds, strict=True):
        passed = []
        for between in range(layer[u] + 1, layer[v]):
            key = (u, kind, between)
            if key not in virtual:
                virtual[key] = len(layer)
                layer.append(between)
            passed.append(virtual[key])
        routes.append((u, *passed, v))
    _check_size(len(layer), 0)
    return Layered(num_nodes, tuple(layer), tuple(routes))


def _check_size(vertices: int, steps: int) -> None:
    if vertices > _MOST_VERTICES or steps > _MOST_STEPS:
        raise UsageError(
            f"drawing: expected at most {_MOST_VERTICES} places in the layers and edges across "
            f"{_MOST_STEPS} layers in all, found {vertices} and {steps}",
            remedy="write a graph of that size as .json or .dot",
        )


def _layers(num_nodes: int, edges: Sequence[Edge]) -> list[int]:
    """Longest paths from the sources; then nodes with more outputs than inputs go down."""
    layer = [0] * num_nodes
    feeding = [0] * num_nodes
    after: list[list[int]] = [[] for _ in range(num_nodes)]
    for u, v in sorted(edges, key=lambda edge: edge[1]):
        layer[v] = max(layer[v], layer[u] + 1)
        feeding[v] += 1
        after[u].append(v)
    for node in reversed(range(num_nodes)):
        if len(after[node]) > feeding[node]:
            layer[node] = min(layer[v] for v in after[node]) - 1
    lowest = min(layer)
    return [value - lowest for value in layer]


def _pairs(route: Sequence[int]) -> list[Edge]:
    return list(itertools.pairwise(route))
