"""The canonical hash of graphs of up to 100,000 nodes: soon, in little memory, for any order."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from ngae.batch import GraphBatch
from ngae.dag import Dag
from tests.hashing import Edges, digest

SEARCHED = 1024  # kMostSearched of csrc/large_hash.h
MANY = 100_000


def shuffled(types: list[int], edges: Edges, seed: int) -> tuple[list[int], Edges]:
    rng = random.Random(seed)
    place = list(range(len(types)))
    rng.shuffle(place)
    moved = [0] * len(types)
    for node, at in enumerate(place):
        moved[at] = types[node]
    pairs = [(place[u], place[v]) for u, v in edges]
    rng.shuffle(pairs)
    return moved, pairs


def chain(count: int) -> Edges:
    return [(node, node + 1) for node in range(count - 1)]


def tree(count: int) -> Edges:
    return [((node - 1) // 2, node) for node in range(1, count)]


def pairs(count: int) -> Edges:
    return [(node, node + 1) for node in range(0, count - 1, 2)]


def zigzag(count: int) -> Edges:
    return [(u, u + 1) if u % 2 else (u + 1, u) for u in range(count - 1)]


def rings(sizes: list[int]) -> Edges:
    """Rings of 2 k nodes, from k sources to k sinks."""
    edges, first = [], 0
    for k in sizes:
        edges += [(first + i, first + k + j) for i in range(k) for j in (i, (i + 1) % k)]
        first += 2 * k
    return edges


def at_random(count: int) -> Edges:
    rng = random.Random(0)
    return list({tuple(sorted(rng.sample(range(count), 2))) for _ in range(2 * count)})


FAMILIES = {
    "no edges": lambda n: [],
    "chain": chain,
    "tree": tree,
    "pairs": pairs,
    "zigzag": zigzag,
    "star": lambda n: [(0, node) for node in range(1, n)],
    "rings": lambda n: rings([3] * (n // 6)),
    "at random": at_random,
}


@pytest.mark.parametrize("name", FAMILIES)
def test_many_nodes_in_any_order(name):
    edges = FAMILIES[name](MANY)
    types = [node % 2 for node in range(MANY)] if name == "at random" else [0] * MANY
    assert digest(*shuffled(types, edges, 1)) == digest(types, edges)


def test_families_differ_and_so_does_one_edge_or_one_type():
    count = SEARCHED + 1
    found = {name: digest([0] * count, make(count)) for name, make in FAMILIES.items()}
    assert len(set(found.values())) == len(FAMILIES)
    for name, make in FAMILIES.items():
        edges = make(count)
        assert digest([1] + [0] * (count - 1), edges) != found[name]
        assert digest([0] * count, [*edges, (count - 3, count - 2)]) != found[name]
        assert digest([0] * count, edges[1:]) != found[name] or not edges


def test_parts_are_told_apart_as_small_graphs_are():
    # Colours are the same everywhere; the search tells a ring of 12 from two rings of 6.
    one, two = [6] * 100, [6] * 98 + [3] * 4
    assert digest([0] * 1200, rings(one)) != digest([0] * 1200, rings(two))
    assert digest([0] * 1200, rings(two)) == digest([0] * 1200, rings(two[::-1]))


def test_the_way_of_a_chain_and_cycles_count():
    forward, back = [(0, 1), *chain(1200)[1:]], [(1, 0), *chain(1200)[1:]]
    assert digest([0] * 1200, forward) != digest([0] * 1200, back)
    ring = [*chain(1200), (1199, 0)]
    assert digest(*shuffled([0] * 1200, ring, 2)) == digest([0] * 1200, ring)
    assert digest([0] * 1200, ring) != digest([0] * 1200, chain(1200))


def test_the_way_through_python_is_short_too():
    count = MANY // 5  # counting memory is slow
    types, edges = shuffled([0] * count, tree(count), 3)
    tracemalloc.start()
    dag = Dag.from_edges(types, edges)
    batch = GraphBatch.pack([dag])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (batch.num_nodes, batch.num_edges) == (count, count - 1)
    assert batch.num_levels == 15
    assert dag.canonical_hash == digest(types, edges)
    assert peak < 20e6
