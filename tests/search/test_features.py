"""Descriptions without a query: invariance, and values by hand."""

from itertools import pairwise

import numpy as np
import pytest

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.search.features import _turns, _turns_of_steps, graph_features
from ngae.spaces import Chain, space_named
from ngae.spaces.recurrent import RecurrentSpace


def paths_of(dag):
    """All paths from the first to the last node, by recursion."""
    found, last = [], len(dag) - 1

    def walk(path):
        if path[-1] == last:
            found.append(path)
        for u, v in dag.edges:
            if u == path[-1]:
                walk([*path, v])

    walk([0])
    return found


@pytest.mark.parametrize(
    "space", [space_named("nas-bench-201"), space_named("nas-bench-101"), RecurrentSpace(12)]
)
def test_paths_are_those_of_a_walk(space):
    rng = np.random.default_rng(0)
    dags = [space.sample(rng) for _ in range(25)]
    found = graph_features(space, dags)["path"]
    types = space.num_node_types
    for dag, row in zip(dags, found, strict=True):
        canonical = space.canonical(dag)
        counts = np.array(
            [
                np.bincount([canonical.node_types[v] for v in path], minlength=types)
                for path in paths_of(canonical)
            ]
        ).reshape(-1, types)
        expected = [np.log1p(len(counts))]
        for part in (counts.max, counts.min):
            expected += list(part(axis=0, initial=None) if len(counts) else np.zeros(types))
        total = counts.sum(axis=0)
        expected += [*np.log1p(total), *(total / max(1, len(counts)))]
        np.testing.assert_allclose(row, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "space", [space_named("nas-bench-201"), space_named("nas-bench-graph"), RecurrentSpace(12)]
)
@pytest.mark.parametrize(("name", "made"), [("route", _turns), ("step", _turns_of_steps)])
def test_embedded_paths_are_those_of_a_walk(space, name, made):
    rng = np.random.default_rng(3)
    dags = [space.sample(rng) for _ in range(25)]
    turns = made(space)
    for dag, row in zip(dags, graph_features(space, dags)[name], strict=True):
        types = space.canonical(dag).node_types
        waves = [
            np.prod([turns[types[u], types[v]] for u, v in pairwise(path)], axis=0)
            for path in paths_of(space.canonical(dag))
        ]
        through = [wave for wave in waves if abs(wave[0]) > 0]
        total = np.sum([*through, np.zeros(turns.shape[2])], axis=0)
        total = total * np.log1p(len(through)) / max(1, len(through))
        expected = np.concatenate([total.real, total.imag])
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-5)


def test_an_identity_on_a_path_and_a_path_of_zeros_change_no_route():
    space = space_named("nas-bench-201")
    cells = [
        "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|",
        "|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
        "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
    ]
    one, other, two = graph_features(space, [space.parse(cell) for cell in cells])["route"]
    np.testing.assert_array_equal(one, other)
    assert np.abs(one - two).max() > 0.1


def test_graphs_of_no_node_between_the_ends_and_none_at_all_are_described():
    class Names(Chain):
        operations = ("a", "b")
        length = 2
        least_length = 0

    space = Names()
    empty = space.parse("output(0)")
    found = graph_features(space, [empty])
    waves = found["route"].shape[1] // 2
    expected = [np.log1p(1)] * waves + [0.0] * waves  # one path, which turns nothing
    np.testing.assert_allclose(found["route"][0], expected, rtol=1e-6)
    assert graph_features(space, [])["step"].shape == (0, 2 * waves)


def test_neighbourhoods_do_not_depend_on_the_numbers_of_the_nodes():
    class Names(Chain):
        operations = ("a", "b")
        length = 3

    space = space_named("nas-bench-101")
    rng = np.random.default_rng(1)
    dag = space.sample(rng)
    same = graph_features(space, [dag, Dag(dag.node_types, dag.edges, space)])["near"]
    assert np.array_equal(same[0], same[1])
    assert same[0].sum() == len(space.canonical(dag))
    row = Names()
    first, second = row.parse("a(0) b(1) b(2) output(3)"), row.parse("b(0) a(1) b(2) output(3)")
    near = graph_features(row, [first, second])["near"]
    assert not np.array_equal(near[0], near[1])


def test_cells_that_compute_the_same_are_described_alike():
    space = space_named("nas-bench-201")
    text = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    dag = space.parse(text)
    found = graph_features(space, [dag, space.canonical(dag)])
    for name in ("near", "path", "place"):
        assert np.array_equal(found[name][0], found[name][1])
    assert found["cost"][0, 0] > found["cost"][1, 0]  # the network holds what does not matter


@pytest.mark.parametrize("name", ["enas6", "nas-bench-graph", "recurrent"])
def test_nothing_gives_no_rows(name):
    space = space_named(name)
    found = graph_features(space, Dags.of([], space))
    assert {len(group) for group in found.values()} == {0}
