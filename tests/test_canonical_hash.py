"""The canonical hash: equal for relabelled graphs, different for graphs that are not isomorphic."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from ngae import _native

Edges = Sequence[tuple[int, int]]


def digest(types: Sequence[int], edges: Edges) -> bytes:
    ends = np.array(edges, dtype=np.int32).reshape(-1, 2)
    return (
        _native.load()
        .canonical_hashes(
            np.array(types, dtype=np.int32),
            np.array([0, len(types)], dtype=np.int32),
            np.array([0, len(ends)], dtype=np.int32),
            np.ascontiguousarray(ends[:, 0]),
            np.ascontiguousarray(ends[:, 1]),
        )
        .tobytes()
    )


def relabelled(types: Sequence[int], edges: Edges, order: Sequence[int]) -> bytes:
    place = {node: i for i, node in enumerate(order)}
    return digest([types[v] for v in order], [(place[u], place[v]) for u, v in edges])


def least_form(types: Sequence[int], edges: Edges) -> object:
    """Brute force: the least relabelled graph over all orders."""
    return min(
        (
            [types[v] for v in order],
            sorted((order.index(u), order.index(v)) for u, v in edges),
        )
        for order in itertools.permutations(range(len(types)))
    )


def test_same_for_any_order_of_random_graphs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        num_nodes = int(rng.integers(1, 11))
        pairs = itertools.combinations(range(num_nodes), 2)
        edges = [pair for pair in pairs if rng.random() < 0.4]
        types = rng.integers(2, size=num_nodes).tolist()
        expected = digest(types, edges)
        for _ in range(5):
            assert relabelled(types, edges, rng.permutation(num_nodes).tolist()) == expected


@pytest.mark.parametrize("num_nodes", [1, 2, 3, 4])
def test_as_many_hashes_as_classes(num_nodes: int) -> None:
    pairs = list(itertools.combinations(range(num_nodes), 2))
    classes: dict[str, bytes] = {}
    for count in range(len(pairs) + 1):
        for edges in itertools.combinations(pairs, count):
            for types in itertools.product(range(2), repeat=num_nodes):
                form = repr(least_form(types, edges))
                assert classes.setdefault(form, digest(types, edges)) == digest(types, edges)
    assert len(set(classes.values())) == len(classes)


def test_tells_apart_what_refinement_cannot() -> None:
    # Sources each feed two sinks: one ring of 12 nodes, or two rings of 6. Colour refinement sees
    # the same neighbourhood everywhere.
    one = [(i, 6 + i) for i in range(6)] + [(i, 6 + (i + 1) % 6) for i in range(6)]
    two = [(i, 6 + i) for i in range(6)]
    two += [(i, 6 + (i + 1) % 3) for i in range(3)] + [(3 + i, 9 + (i + 1) % 3) for i in range(3)]
    types = [0] * 12
    assert digest(types, one) != digest(types, two)
    order = np.random.default_rng(0).permutation(12).tolist()
    assert relabelled(types, two, order) == digest(types, two)


def test_twins_cost_nothing() -> None:
    # 60 nodes with the same neighbours: 60! orders, one leaf.
    edges = [(0, v) for v in range(1, 61)] + [(v, 61) for v in range(1, 61)]
    types = [0] * 62
    order = np.random.default_rng(0).permutation(62).tolist()
    assert relabelled(types, edges, order) == digest(types, edges)


def test_depends_on_direction_types_and_size() -> None:
    digests = {
        digest([0, 1], [(0, 1)]),
        digest([0, 1], [(1, 0)]),
        digest([0, 1], []),
        digest([0, 0], [(0, 1)]),
        digest([0], []),
        digest([0, 0], []),
    }
    assert len(digests) == 6


def test_is_the_same_on_every_machine() -> None:
    assert digest([0, 1, 2], [(0, 1), (1, 2)]).hex() == "724c16eb6455031d87ef23f96bf2501d"


def test_batch_of_graphs_equals_each_alone() -> None:
    both = _native.load().canonical_hashes(
        np.array([0, 1, 0, 1, 2], dtype=np.int32),
        np.array([0, 2, 5], dtype=np.int32),
        np.array([0, 1, 3], dtype=np.int32),
        np.array([0, 0, 1], dtype=np.int32),
        np.array([1, 1, 2], dtype=np.int32),
    )
    assert both.shape == (2, 16)
    assert both.dtype == np.uint8
    assert both[0].tobytes() == digest([0, 1], [(0, 1)])
    assert both[1].tobytes() == digest([0, 1, 2], [(0, 1), (1, 2)])


def test_refuses_an_edge_that_leaves_the_graph() -> None:
    with pytest.raises(ValueError, match=r"graph 0, edge 0: expected nodes 0..1, found \(0, 2\)"):
        digest([0, 0], [(0, 2)])
