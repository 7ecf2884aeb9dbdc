"""Descriptions without a query: invariance, and values by hand."""

import numpy as np
import pytest

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.search.features import graph_features
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
