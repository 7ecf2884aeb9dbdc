"""The whole published tables of NAS-Bench-101."""

import csv
import gzip
import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data import load
from ngae.networks.counts import count
from ngae.networks.nasbench101 import NasBench101Config
from ngae.spaces.nasbench101 import NasBench101Space

SPACE = NasBench101Space()
DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
LABELLED = DATA / "nas-bench-101" / "nasbench101_30001.csv.gz"
ALL = DATA / "nas-bench-101" / "nasbench101_space_423624_graphs_only.csv.gz"
pytestmark = pytest.mark.skipif(not ALL.exists(), reason="the NAS-Bench-101 tables are not here")


@pytest.fixture(scope="module")
def labelled():
    with gzip.open(LABELLED, "rt") as file:
        rows = list(csv.DictReader(file))
    texts = [f"{row['adjacency']};{row['operations']}" for row in rows]
    return texts, np.array([int(row["trainable_parameters"]) for row in rows])


@pytest.fixture(scope="module")
def space():
    with gzip.open(ALL, "rt") as file:
        return SPACE.parse_many([line.replace(",", ";") for line in file.read().splitlines()[1:]])


def test_parameters_are_those_of_the_table(labelled):
    texts, expected = labelled
    found = SPACE.complexity(SPACE.parse_many(texts))
    assert len(expected) == 30_001
    np.testing.assert_array_equal(found[:, 0], expected)
    for row in range(0, 30_001, 3_000):
        network = count(lambda at=row: SPACE.build(SPACE.parse(texts[at])), (1, 3, 32, 32))
        assert network == tuple(found[row])


def test_costs_are_those_of_the_built_module(labelled):
    # Fewer cells of the published width: counting one network takes as long as it has cells.
    space = NasBench101Space(NasBench101Config(num_stacks=2, cells_per_stack=1))
    texts = labelled[0][::100]
    found = [count(lambda t=text: space.build(space.parse(t)), (1, 3, 32, 32)) for text in texts]
    np.testing.assert_array_equal(space.complexity(space.parse_many(texts)), found)
    assert len(found) == 301


def test_texts_come_back(labelled, space):
    texts, _ = labelled
    dags = [SPACE.parse(text) for text in texts]
    assert [SPACE.format(dag) for dag in dags] == texts
    assert list(SPACE.parse_many(texts)) == dags
    for row in range(0, len(space), 100):
        assert SPACE.parse(SPACE.format(space[row])) == space[row]


def test_the_space_is_whole_and_every_cell_is_another(space):
    sizes = np.bincount(np.diff(space.graph_ptr)).tolist()
    assert sizes == [0, 0, 1, 6, 84, 2_441, 62_010, 359_082]
    assert len(np.unique(space.digests(), axis=0)) == 423_624
    assert all(SPACE.is_valid(Dag(dag.node_types, dag.edges)) for dag in space[::40])
    assert all(SPACE.is_valid(Dag(dag.node_types, dag.edges)) for dag in space[:2_532])


def test_labelled_cells_are_in_the_space(labelled, space):
    known = {digest.tobytes() for digest in space.digests()}
    found = {digest.tobytes() for digest in SPACE.parse_many(labelled[0]).digests()}
    assert len(found) == 30_001
    assert found <= known


def renumbered(dag, rng):
    """Another topological order of the nodes of `dag`, drawn step by step."""
    waiting = [len(nodes) for nodes in dag.predecessors]
    ready, place = [0], {}
    while ready:
        node = ready.pop(rng.integers(len(ready)))
        place[node] = len(place)
        for v in dag.successors[node]:
            waiting[v] -= 1
            if waiting[v] == 0:
                ready.append(v)
    order = sorted(place, key=place.__getitem__)
    edges = tuple((place[u], place[v]) for u, v in dag.edges)
    return Dag(tuple(dag.node_types[node] for node in order), edges)


def brute_forms(dags, size):
    """The least of the codes of each graph over all orders of its inner nodes: (n, words)."""
    types, adjacency = dags.padded(size)
    forms = None
    for order in permutations(range(1, size - 1)):
        nodes = [0, *order, size - 1]
        moved = adjacency[:, nodes][:, :, nodes].reshape(len(dags), -1)
        digits = np.concatenate([types[:, nodes] & 1, types[:, nodes] >> 2, moved], axis=1)
        code = digits @ (1 << np.arange(digits.shape[1], dtype=np.int64))
        forms = code if forms is None else np.minimum(forms, code)
    return forms


@pytest.mark.parametrize("size", range(2, 8))
def test_equal_hashes_are_equal_graphs(space, size):
    rng = np.random.default_rng(size)
    rows = np.flatnonzero(np.diff(space.graph_ptr) == size)
    if size == 7:
        rows = rng.choice(rows, 4_000, replace=False)
    dags = space.take(rows)
    chosen = rng.integers(len(dags), size=3_000)
    others = Dags.of([renumbered(dags[row], rng) for row in chosen.tolist()])
    digests = np.concatenate([dags.digests(), others.digests()])
    assert np.array_equal(others.digests(), dags.digests()[chosen])
    forms = np.concatenate([brute_forms(dags, size), brute_forms(others, size)])
    hashes = np.unique(digests, axis=0, return_inverse=True)[1].reshape(-1)
    pairs = np.unique(np.stack([hashes, forms]), axis=1).shape[1]
    assert pairs == len(np.unique(forms)) == hashes.max() + 1 == len(dags)


def test_the_table_is_read_with_its_costs(labelled):
    columns = {"arch_col": "adjacency,operations", "performance_col": "val_acc_108ep"}
    table = load(str(LABELLED), **columns).table
    assert len(table) == 30_001
    assert table.complexity_names == ("params", "macs")
    np.testing.assert_array_equal(table.complexity[:, 0], labelled[1])
    assert table.performance.max() == pytest.approx(0.9491, abs=1e-4)
