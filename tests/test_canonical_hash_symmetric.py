"""The canonical hash of graphs with many automorphisms or with nodes that refinement holds alike.

networkx, which comes with torch, says which graphs are isomorphic; it has no part in the hash.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import networkx as nx
import numpy as np
import pytest

from tests.hashing import Edges, digest

Graph = tuple[list[int], Edges]  # types, edges


def renumbered(graph: Graph, rng: np.random.Generator) -> Graph:
    types, edges = graph
    place = rng.permutation(len(types)).tolist()
    moved = [0] * len(types)
    for node, at in enumerate(place):
        moved[at] = types[node]
    pairs = [(place[u], place[v]) for u, v in edges]
    return moved, [pairs[i] for i in rng.permutation(len(pairs))]


def isomorphic(one: Graph, other: Graph) -> bool:
    made = []
    for types, edges in (one, other):
        graph = nx.DiGraph(edges)
        graph.add_nodes_from((node, {"type": kind}) for node, kind in enumerate(types))
        made.append(graph)
    return bool(nx.is_isomorphic(*made, node_match=lambda a, b: a["type"] == b["type"]))


def union(*graphs: Graph) -> Graph:
    types: list[int] = []
    edges: list[tuple[int, int]] = []
    for more, pairs in graphs:
        edges += [(u + len(types), v + len(types)) for u, v in pairs]
        types += more
    return types, edges


def below(graph: Graph) -> Graph:
    """A node that feeds all others."""
    types, edges = union(([1], []), graph)
    return types, edges + [(0, v) for v in range(1, len(types))]


def parallel_chains(count: int, length: int) -> Graph:
    end = count * length + 1
    edges = []
    for start in range(1, end, length):
        path = [0, *range(start, start + length), end]
        edges += itertools.pairwise(path)
    return [1] + [0] * (end - 1) + [2], edges


def layers(width: int, depth: int) -> Graph:
    edges = [
        (k * width + i, (k + 1) * width + j)
        for k in range(depth - 1)
        for i in range(width)
        for j in range(width)
    ]
    return [0] * (width * depth), edges


def tree(branches: int, num_nodes: int) -> Graph:
    return [0] * num_nodes, [((v - 1) // branches, v) for v in range(1, num_nodes)]


def doubled(size: int, linked: Callable[[int, int], bool]) -> Graph:
    """Sources and sinks, `size` of each: source a feeds sink b where `linked(a, b)`."""
    pairs = itertools.product(range(size), repeat=2)
    return [0] * (2 * size), [(a, size + b) for a, b in pairs if linked(a, b)]


def ring(size: int) -> Graph:
    """A cycle of 2 x size nodes, sources and sinks by turns."""
    return doubled(size, lambda a, b: b in (a, (a + 1) % size))


def rook(a: int, b: int) -> bool:
    return a // 4 == b // 4 or a % 4 == b % 4


def shrikhande(a: int, b: int) -> bool:
    step = ((b // 4 - a // 4) % 4, (b - a) % 4)
    return step in {(0, 0), (0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)}


def plane(order: int) -> Graph:
    """Points and lines of the projective plane over the integers modulo a prime."""
    affine = itertools.product(range(order), repeat=2)
    points = [(1, x, y) for x, y in affine] + [(0, 1, y) for y in range(order)] + [(0, 0, 1)]
    meet = [[np.dot(p, q) % order == 0 for q in points] for p in points]
    return doubled(len(points), lambda a, b: bool(meet[a][b]))


FAMILIES = {
    "parallel nodes, 40": parallel_chains(38, 1),
    "parallel nodes, 200": parallel_chains(198, 1),
    "chains, 40": parallel_chains(19, 2),
    "chains, 38": parallel_chains(9, 4),
    "chains, 200": parallel_chains(99, 2),
    "chains, 202": parallel_chains(20, 10),
    "layers, 40": layers(10, 4),
    "layers, 200": layers(100, 2),
    "layers, 200, deep": layers(10, 20),
    "tree, 40": tree(3, 40),
    "tree, 200": tree(2, 200),
    "trees, 195": union(*[tree(2, 15)] * 13),
    "components, 40": union(*[tree(1, 4)] * 10),
    "components, 200": union(*[tree(1, 2)] * 100),
    "hexagons, 36": union(*[ring(3)] * 6),
    "hexagons, 198": union(*[ring(3)] * 33),
    "branches of hexagons, 196": below(union(*[below(ring(3))] * 28)),
    "rook, 32": doubled(16, rook),
    "rooks, 192": union(*[doubled(16, rook)] * 6),
    "plane, 62": plane(5),
    "cube, 128": doubled(64, lambda a, b: (a ^ b).bit_count() == 1),
}


@pytest.mark.parametrize("graph", FAMILIES.values(), ids=FAMILIES)
def test_same_for_any_order_and_soon(graph: Graph) -> None:
    rng = np.random.default_rng(0)
    graphs = [renumbered(graph, rng) for _ in range(10)]
    start = time.perf_counter()
    assert {digest(*other) for other in graphs} == {digest(*graph)}
    # Milliseconds; hours, were it not for the automorphisms.
    assert time.perf_counter() - start < 5


def test_families_differ() -> None:
    assert len({digest(*graph) for graph in FAMILIES.values()}) == len(FAMILIES)


PAIRS = {
    "two hexagons, one dodecagon": (union(ring(3), ring(3)), ring(6)),
    "24 hexagons, 12 dodecagons": (union(*[ring(3)] * 24), union(*[ring(6)] * 12)),
    "hexagons among dodecagons": (
        union(*[ring(3)] * 4, *[ring(6)] * 3),
        union(*[ring(3)] * 6, *[ring(6)] * 2),
    ),
    "branches of hexagons or dodecagons": (
        below(union(*[below(union(ring(3), ring(3)))] * 3, *[below(ring(6))] * 4)),
        below(union(*[below(union(ring(3), ring(3)))] * 4, *[below(ring(6))] * 3)),
    ),
    "rook, Shrikhande": (doubled(16, rook), doubled(16, shrikhande)),
    "rooks among Shrikhandes": (
        union(*[doubled(16, rook)] * 2, doubled(16, shrikhande)),
        union(*[doubled(16, shrikhande)] * 2, doubled(16, rook)),
    ),
}


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_tells_apart_what_refinement_holds_equal(one: Graph, other: Graph) -> None:
    rng = np.random.default_rng(1)
    for first, second in ((one, other), (other, one)):
        assert len(first[0]) == len(second[0])
        assert len(first[1]) == len(second[1])
        assert {digest(*renumbered(first, rng)) for _ in range(5)} == {digest(*first)}
        assert digest(*first) != digest(*second)


def test_rings_are_not_isomorphic() -> None:
    assert not isomorphic(*PAIRS["two hexagons, one dodecagon"])


def test_rook_and_shrikhande_are_not_isomorphic() -> None:
    # networkx takes a minute; the sinks that three sources share are told apart at once.
    def shared(linked: Callable[[int, int], bool]) -> list[int]:
        sinks = [{b for b in range(16) if linked(a, b)} for a in range(16)]
        return sorted(len(p & q & r) for p, q, r in itertools.combinations(sinks, 3))

    assert shared(rook) != shared(shrikhande)


def random_regular(rng: np.random.Generator, size: int, degree: int) -> Graph:
    """Sources and sinks with `degree` neighbours each: a sum of permutations without repeats."""
    while True:
        steps = [rng.permutation(size).tolist() for _ in range(degree)]
        edges = {(a, size + step[a]) for step in steps for a in range(size)}
        if len(edges) == size * degree:
            return [0] * (2 * size), sorted(edges)


@pytest.mark.parametrize(("size", "degree"), [(4, 2), (6, 2), (9, 2), (5, 3), (6, 3)])
def test_as_many_hashes_of_regular_graphs_as_classes(size: int, degree: int) -> None:
    rng = np.random.default_rng(size)
    classes: dict[str, Graph] = {}
    for _ in range(60):
        graph = random_regular(rng, size, degree)
        known = classes.setdefault(digest(*graph), graph)
        assert isomorphic(known, graph)
    for one, other in itertools.combinations(classes.values(), 2):
        assert not isomorphic(one, other)
    assert len(classes) > 1


def test_hashes_of_random_copies_are_those_of_networkx() -> None:
    rng = np.random.default_rng(3)
    made: dict[str, Graph] = {}
    for _ in range(300):
        parts = []
        for _ in range(2):
            size = int(rng.integers(1, 5))
            pairs = itertools.combinations(range(size), 2)
            part: Graph = ([0] * size, [pair for pair in pairs if rng.random() < 0.6])
            parts += [part] * int(rng.integers(1, 4))
        graph = renumbered(below(union(*parts)) if rng.random() < 0.5 else union(*parts), rng)
        assert isomorphic(made.setdefault(digest(*graph), graph), graph)
    alike = [
        pair
        for pair in itertools.combinations(made.values(), 2)
        if len(pair[0][0]) == len(pair[1][0]) and len(pair[0][1]) == len(pair[1][1])
    ]
    assert len(alike) > 100
    assert not any(isomorphic(*pair) for pair in alike)


# Fingerprints of tables rest on these values; each graph has many numberings, few enough for the
# plain search to take them all.
KNOWN = {
    "374d623e5e27b9c27d07c48bac086685": parallel_chains(7, 2),
    "7f25fdf1ef1984b9f0f7422e9ed2fce3": union(*[ring(3)] * 3),
    "00ffe5127f13ec2fb1d06945228239db": ring(6),
    "0891a2951ed726e7d9adc6dfdc914d70": tree(2, 23),
    "959cd07794beb25f952f8af826383d5b": union(ring(3), ring(4), ring(5)),
}


@pytest.mark.parametrize(("expected", "graph"), KNOWN.items())
def test_values_stay(expected: str, graph: Graph) -> None:
    rng = np.random.default_rng(4)
    assert {digest(*renumbered(graph, rng)) for _ in range(5)} == {expected}
