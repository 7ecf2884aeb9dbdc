import numpy as np
import pytest

from ngae.dag import Dag
from ngae.search.neighbours import crossed, mutated, neighbours, some_neighbours
from ngae.spaces import space_named
from ngae.spaces.cell import Cell
from ngae.spaces.chain import Chain
from ngae.spaces.enas import EnasSpace
from ngae.spaces.nasbench201 import NasBench201Space
from ngae.spaces.recurrent import RecurrentSpace
from tests.search.spaces import PUBLISHED


class Few(Cell):
    operations = ("a", "b", "c")
    max_operations = 4
    max_inputs = 2


class Row(Chain):
    operations = ("a", "b")
    length = 4
    least_length = 2


SPACES = [*PUBLISHED, RecurrentSpace(), Few(), Row()]
IDS = [space.name for space in SPACES]


@pytest.mark.parametrize("space", SPACES, ids=IDS)
def test_mutants_are_other_members_and_neighbours(space):
    rng = np.random.default_rng(0)
    for _ in range(6):
        dag = space.sample(rng)
        mutant = mutated(space, dag, rng)
        assert mutant is not None
        assert mutant != dag
        assert space.parse(space.format(mutant)).canonical_hash == mutant.canonical_hash
        around = {other.canonical_hash for other in neighbours(space, dag)}
        assert dag.canonical_hash not in around
        assert mutant.canonical_hash in around | {dag.canonical_hash}


@pytest.mark.parametrize("space", SPACES, ids=IDS)
def test_changes_follow_the_generator(space):
    dag = space.sample(np.random.default_rng(5))
    made = [mutated(space, dag, np.random.default_rng(1)) for _ in range(2)]
    assert made[0] == made[1]
    assert neighbours(space, dag) == neighbours(space, dag)


@pytest.mark.parametrize("space", SPACES, ids=IDS)
def test_some_neighbours_are_drawn_from_all(space):
    dag = space.sample(np.random.default_rng(5))
    everyone = [other.canonical_hash for other in neighbours(space, dag)]
    drawn = {
        tuple(d.canonical_hash for d in some_neighbours(space, dag, 5, np.random.default_rng(k)))
        for k in range(20)
    }
    assert len(drawn) > 5
    assert set().union(*drawn) <= set(everyone)
    assert max(map(len, drawn)) == 5
    most = some_neighbours(space, dag, 10**6, np.random.default_rng(0))
    assert sorted(other.canonical_hash for other in most) == sorted(everyone)


def test_a_neighbour_in_nasbench201_has_one_other_operation():
    space = NasBench201Space()
    cell = (0, 1, 2, 3, 4, 0)
    found = {other.node_types for other in neighbours(space, space.of(cell))}
    expected = {
        space.of((*cell[:edge], operation, *cell[edge + 1 :])).node_types
        for edge in range(6)
        for operation in range(5)
        if operation != cell[edge]
    }
    assert len(expected) == 24
    assert found == expected


def test_a_neighbour_in_enas_has_another_operation_or_skip():
    space = EnasSpace(4)
    dag = space.parse("[[0], [1, 1], [2, 0, 0], [3, 1, 0, 1]]")
    found = {space.format(other) for other in neighbours(space, dag)}
    operations, flags = [0, 1, 2, 3], [[], [1], [0, 0], [1, 0, 1]]
    expected = set()
    for layer in range(4):
        for operation in set(range(6)) - {operations[layer]}:
            changed = [*operations[:layer], operation, *operations[layer + 1 :]]
            expected.add(space.format(space.from_layers(changed, flags)))
        for flag in range(layer):
            row = list(flags[layer])
            row[flag] = 1 - row[flag]
            changed = [*flags[:layer], row, *flags[layer + 1 :]]
            expected.add(space.format(space.from_layers(operations, changed)))
    assert len(expected) == 4 * 5 + 6
    assert found == expected


def test_a_neighbour_in_nasbench_graph_has_another_operation_or_link():
    space = space_named("nas-bench-graph")
    links, operations = (0, 1, 2, 1), (0, 1, 2, 3)
    expected = set()
    for place in range(4):
        for operation in set(range(9)) - {operations[place]}:
            changed = (*operations[:place], operation, *operations[place + 1 :])
            expected.add(space.from_lists(links, changed).canonical_hash)
        for link in set(range(place + 1)) - {links[place]}:
            changed = (*links[:place], link, *links[place + 1 :])
            expected.add(space.from_lists(changed, operations).canonical_hash)
    found = [d.canonical_hash for d in neighbours(space, space.from_lists(links, operations))]
    assert len(found) == 4 * 8 + 6
    assert set(found) == expected


def test_neighbours_in_nasbench101_hold_all_flips_after_pruning():
    space = space_named("nas-bench-101")
    dag = Dag((0, 2, 3, 4, 1), ((0, 1), (1, 2), (2, 4), (0, 3), (3, 4), (1, 4)), space)
    found = {other.canonical_hash for other in neighbours(space, dag)}
    flips = 0
    for u in range(5):
        for v in range(u + 1, 5):
            types, edges = space.prune(dag.node_types, sorted({(u, v)} ^ set(dag.edges)))
            flips += 1
            assert Dag(types, edges, space).canonical_hash in found
    for node in (1, 2, 3):
        for operation in {2, 3, 4} - {dag.node_types[node]}:
            types = (*dag.node_types[:node], operation, *dag.node_types[node + 1 :])
            assert Dag(types, dag.edges, space).canonical_hash in found
    assert flips == 10
    split = ((0, 1), (1, 2), (2, 5), (1, 3), (3, 5), (0, 4), (4, 5))  # of the edge (1, 4)
    assert Dag((0, 2, 2, 3, 4, 1), split, space).canonical_hash in found


@pytest.mark.parametrize(
    "space", [Few(), Row(), space_named("nas-bench-101")], ids=["few", "row", "101"]
)
def test_sizes_change_by_mutation_where_they_may(space):
    rng = np.random.default_rng(0)
    changes = set()
    for _ in range(300):
        dag = space.sample(rng)
        mutant = mutated(space, dag, rng)
        changes.add(int(np.sign(len(mutant) - len(dag))))
    assert changes == {-1, 0, 1}


@pytest.mark.parametrize("space", SPACES, ids=IDS)
def test_a_child_has_nodes_of_both_parents(space):
    rng = np.random.default_rng(3)
    children = 0
    for _ in range(40):
        a, b = space.sample(rng), space.sample(rng)
        child = crossed(space, a, b, rng)
        if len(a) != len(b):
            assert child is None
        elif child is not None and len(child) == len(a):
            children += 1
            pairs = zip(child.node_types, a.node_types, b.node_types, strict=True)
            assert all(own in parents for own, *parents in pairs)
    assert children > 0 or space.name == "recurrent"


def test_a_node_comes_with_what_feeds_it():
    space = EnasSpace(5)
    a = space.parse("[[0], [0, 0], [0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0, 0]]")
    b = space.parse("[[1], [1, 1], [1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1, 1]]")
    child = crossed(space, a, b, np.random.default_rng(0))
    kinds = {child.node_types[node] for node in range(1, 6)}
    assert kinds == {2, 3}
    for node in range(1, 6):
        fed_by_all = child.predecessors[node] == tuple(range(node))
        assert fed_by_all == (child.node_types[node] == 3) or node == 1
