"""Layers, orders and places: small graphs that can be checked by hand, many random ones."""

import itertools
import random

import pytest

from ngae.dag import Dag
from ngae.drawing.layers import in_layers
from ngae.drawing.order import crossings, ordered
from ngae.drawing.place import isotonic, placed
from ngae.errors import UsageError

SKIPS = [(0, 1), (1, 2), (2, 3), (0, 2), (0, 3), (1, 3)]


def _layered(num_nodes, edges):
    return in_layers(num_nodes, edges, [0] * len(edges))


def _random(seed):
    rng = random.Random(seed)
    nodes = rng.randint(1, 30)
    share = rng.choice([0.05, 0.15, 0.4])
    pairs = [(u, v) for v in range(nodes) for u in range(v) if rng.random() < share]
    return nodes, pairs


def test_long_edges_of_one_source_run_together():
    graph = _layered(4, SKIPS)
    assert graph.layer[:4] == (0, 1, 2, 3)
    assert len(graph.layer) == 4 + 3  # node 0 passes layers 1 and 2, node 1 passes layer 2
    routes = dict(zip(SKIPS, graph.routes, strict=True))
    assert routes[0, 2] == (0, 4, 2)
    assert routes[0, 3] == (0, 4, 5, 3)
    apart = in_layers(4, SKIPS, range(len(SKIPS)))
    assert len(apart.layer) == 4 + 4


def test_a_source_stands_right_above_what_it_feeds():
    graph = _layered(5, [(0, 2), (2, 3), (1, 4), (3, 4)])
    assert graph.layer[:5] == (0, 2, 1, 2, 3)


@pytest.mark.parametrize("seed", range(40))
def test_links_join_neighbouring_layers(seed):
    nodes, edges = _random(seed)
    graph = _layered(nodes, edges)
    assert all(graph.layer[v] == graph.layer[u] + 1 for u, v in graph.links)
    assert min(graph.layer) == 0
    for (u, v), route in zip(edges, graph.routes, strict=True):
        assert (route[0], route[-1]) == (u, v)
        assert all(graph.is_virtual(vertex) for vertex in route[1:-1])
        assert not graph.is_virtual(u)
    assert sorted(v for row in graph.rows for v in row) == list(range(len(graph.layer)))


def test_crossings_are_counted():
    graph = _layered(6, [(u, v) for u in range(3) for v in range(3, 6)])
    assert crossings(graph, [[0, 1, 2], [3, 4, 5]]) == 9  # of K_3,3: (3 over 2) squared
    two = _layered(4, [(0, 3), (1, 2)])
    assert crossings(two, [[0, 1], [2, 3]]) == 1
    assert crossings(two, [[1, 0], [2, 3]]) == 0


def test_trees_and_ladders_are_drawn_without_crossings():
    tree = [(i, 2 * i + 1) for i in range(7)] + [(i, 2 * i + 2) for i in range(7)]
    ladder = [(i, i + 2) for i in range(10)] + [(0, 1)] + [(i, i + 3) for i in range(0, 8, 2)]
    scrambled = [(0, 5), (1, 4), (2, 3)]
    for nodes, edges in ((15, tree), (12, ladder), (6, scrambled)):
        graph = _layered(nodes, edges)
        assert crossings(graph, ordered(graph)) == 0


@pytest.mark.parametrize("seed", range(40))
def test_orders_are_no_worse_than_that_of_the_numbers(seed):
    graph = _layered(*_random(seed))
    rows = ordered(graph)
    assert [sorted(row) for row in rows] == [list(row) for row in graph.rows]
    assert crossings(graph, rows) <= crossings(graph, graph.rows)
    assert rows == ordered(graph)


def test_isotonic_regression_by_hand():
    assert isotonic([1.0, 3.0, 2.0, 4.0], [1.0] * 4) == [1.0, 2.5, 2.5, 4.0]
    assert isotonic([3.0, 0.0], [1.0, 2.0]) == [1.0, 1.0]
    assert isotonic([2.0, 2.0, -1.0], [1.0, 1.0, 1.0]) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("seed", range(40))
def test_vertices_keep_their_distance_and_order(seed):
    graph = _layered(*_random(seed))
    rows = ordered(graph)

    def width(vertex):
        return 2.0 if graph.is_virtual(vertex) else 40.0 + vertex

    at = placed(graph, rows, width, 10.0)
    for row in rows:
        for one, other in itertools.pairwise(row):
            assert at[other] - at[one] >= (width(one) + width(other)) / 2 + 10 - 1e-6
    assert min(x - width(v) / 2 for v, x in enumerate(at)) == pytest.approx(0)


def test_a_chain_is_a_straight_line_and_its_skip_another():
    graph = _layered(5, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)])
    at = placed(graph, ordered(graph), lambda v: 2.0 if graph.is_virtual(v) else 40.0, 10.0)
    assert at[1] == at[2] == at[3]
    assert at[5] == at[6] == at[7]
    assert abs(at[5] - at[1]) >= 31


def test_what_nobody_could_see_is_not_drawn():
    count = 400  # edges across half of the layers on average
    chain = [(node, node + 1) for node in range(count - 1)]
    across = [(node, node + count // 2) for node in range(count // 2)]
    for types, edges in (([0] * 10_001, []), ([0] * count, chain + across)):
        dag = Dag(tuple(types), tuple(edges))
        with pytest.raises(UsageError, match="drawing: expected at most 10000 places"):
            dag.to_svg()
        assert dag._repr_svg_() is None
    assert Dag((0,) * 100, tuple(chain[:99])).to_svg().startswith("<svg")
