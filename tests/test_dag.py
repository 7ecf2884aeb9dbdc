import json
from importlib.resources import files
from xml.etree import ElementTree

import numpy as np
import pytest

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.edges import topological_order
from ngae.errors import GraphError, UsageError
from ngae.networks.macro import MacroConfig
from ngae.spaces import space_named
from ngae.spaces.enas import EnasSpace

DIAMOND = Dag((0, 2, 3, 1), ((0, 1), (0, 2), (1, 3), (2, 3)))


def test_neighbours_are_ascending():
    assert DIAMOND.predecessors == ((), (0,), (0,), (1, 2))
    assert DIAMOND.successors == ((1, 2), (3,), (3,), ())


def test_edges_are_sorted_and_space_is_not_compared():
    space = EnasSpace(1)
    assert Dag((0, 2, 1), ((1, 2), (0, 1)), space) == Dag((0, 2, 1), ((0, 1), (1, 2)))


@pytest.mark.parametrize(
    ("types", "edges", "message"),
    [
        ((), (), "at least one node"),
        ((0, -1), (), "node 1: expected a type from 0"),
        ((0, 1.5), (), "node 1: expected a type from 0"),
        ((0, 2**31), (), "node 1: expected a type up to 2147483647, found 2147483648"),
        ((0, 1), ((0, 1 << 20_000),), "edge a very long tuple: expected nodes"),
        ((0, 1), ((0, 2),), r"edge \(0, 2\): expected nodes 0..1"),
        ((0, 1), ((1, 0),), "an edge to a later node"),
        ((0, 1), ((1, 1),), "an edge to a later node"),
        ((0, 1), ((0, 1), (0, 1)), "found twice"),
    ],
)
def test_broken_graphs_are_named(types, edges, message):
    with pytest.raises(GraphError, match=message):
        Dag(types, edges)


def test_from_edges_orders_nodes_and_names_a_cycle():
    dag = Dag.from_edges((1, 0, 2), [(2, 0), (1, 2)])
    assert dag == Dag((0, 2, 1), ((0, 1), (1, 2)))
    with pytest.raises(GraphError, match=r"cycle 0 -> 2 -> 1 -> 0|cycle 1 -> 0 -> 2 -> 1|cycle 2"):
        Dag.from_edges((0, 0, 0), [(0, 2), (2, 1), (1, 0)])
    with pytest.raises(GraphError, match=r"expected nodes 0\.\.1"):
        topological_order(2, [(0, 2)])


def test_from_edges_takes_many_nodes_and_cuts_a_long_cycle():
    count = 50_000
    assert Dag.from_edges([0] * count, []).edges == ()
    ring = [(node, node + 1) for node in range(count - 1)]
    assert Dag.from_edges([0] * count, ring[::-1]).edges == tuple(ring)
    with pytest.raises(GraphError, match=r"cycle 0 -> 1 -> 2 .*\.\.\.$") as caught:
        Dag.from_edges([0] * count, [*ring, (count - 1, 0)])
    assert len(str(caught.value)) < 300


def test_from_edges_refuses_what_are_no_pairs():
    assert Dag.from_edges([0, 1], [[0, 1], [0, 1]]).edges == ((0, 1),)
    for edge in (3, "ab", (0,), (0, 1.5), None):
        with pytest.raises(GraphError, match="expected two numbers of nodes"):
            Dag.from_edges([0, 1], [edge])


def test_the_largest_type_has_a_hash():
    dag = Dag((2**31 - 1, 0), ((0, 1),))
    assert Dag.from_json(dag.to_json()).canonical_hash == dag.canonical_hash
    assert dag.canonical_hash != Dag((0, 0), ((0, 1),)).canonical_hash


def test_check_connected_names_the_loose_node():
    DIAMOND.check_connected()
    with pytest.raises(GraphError, match="node 1: expected a predecessor"):
        Dag((0, 2, 1), ((0, 2), (1, 2))).check_connected()
    with pytest.raises(GraphError, match="node 1: expected a successor"):
        Dag((0, 2, 1), ((0, 1), (0, 2))).check_connected()


def test_hash_ignores_the_order_of_nodes_and_nothing_else():
    rng = np.random.default_rng(0)
    space = EnasSpace(6)
    for _ in range(20):
        dag = space.sample(rng)
        order = rng.permutation(len(dag))
        place = {int(old): new for new, old in enumerate(order)}
        shuffled = Dag.from_edges(
            [dag.node_types[old] for old in order], [(place[u], place[v]) for u, v in dag.edges]
        )
        assert shuffled.canonical_hash == dag.canonical_hash
    other = Dag((0, 3, 2, 1), DIAMOND.edges)
    chain = Dag((0, 2, 3, 1), ((0, 1), (1, 2), (2, 3)))
    retyped = Dag((0, 2, 2, 1), DIAMOND.edges)
    assert other.canonical_hash == DIAMOND.canonical_hash
    assert len(set(Dags.of([DIAMOND, chain, retyped]).hashes())) == 3
    assert Dags.of([]).hashes() == []
    assert len(DIAMOND.canonical_hash) == 32


def test_json_round_trip_and_refusals():
    space = EnasSpace(2)
    dag = space.parse("[[1], [2, 1]]")
    assert Dag.from_json(dag.to_json(), space) == dag
    assert json.loads(dag.to_json())["labels"] == ["input", "sep3x3", "conv5x5", "output"]
    for text in ("{", "[]", '{"node_types": [0]}', '{"node_types": [true], "edges": []}'):
        with pytest.raises(GraphError, match=r"Dag.from_json"):
            Dag.from_json(text)
    with pytest.raises(GraphError, match="expected space enas3, found enas2"):
        Dag.from_json(dag.to_json(), EnasSpace(3))


def _schema():
    text = files("ngae").joinpath("architecture.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


@pytest.mark.parametrize("name", ["enas2-5", "nas-bench-101", "nas-bench-201", "recurrent"])
def test_json_keeps_to_its_schema_and_comes_back(name):
    jsonschema = pytest.importorskip("jsonschema")
    checker = jsonschema.Draft202012Validator(_schema())
    space = space_named(name)
    rng = np.random.default_rng(0)
    for dag in (space.sample(rng) for _ in range(5)):
        value = json.loads(dag.to_json())
        assert list(checker.iter_errors(value)) == []
        assert value["format_version"] == 1
        assert space.parse(value["architecture"]).canonical_hash == dag.canonical_hash
        assert space.resized(**value["network"]).network == space.network
        assert Dag.from_json(value, space) == dag
        bare = Dag(dag.node_types, dag.edges)
        assert Dag.from_json(bare.to_json()) == bare
        assert list(checker.iter_errors(json.loads(bare.to_json()))) == []
    for change in ({"format_version": 2}, {"node_types": []}, {"edges": [[0, 0]]}, {"space": 3}):
        assert list(checker.iter_errors(value | change)) != []


def test_json_of_a_later_version_is_refused():
    value = DIAMOND.as_dict()
    assert Dag.from_json(value) == DIAMOND
    with pytest.raises(GraphError, match="expected format_version 1, found 2") as caught:
        Dag.from_json({**value, "format_version": 2})
    assert "later" in caught.value.remedy
    for version in (True, 1.0, "1"):
        with pytest.raises(GraphError, match=f"expected format_version 1, found {version!r}"):
            Dag.from_json({**value, "format_version": version})
    with pytest.raises(GraphError, match="found ValueError: maximum recursion of 100 levels"):
        Dag.from_json("[" * 100_000)


def test_json_runs_no_code_that_it_names(tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('run')\n")
    monkeypatch.chdir(tmp_path)
    value = {**DIAMOND.as_dict(), "space": "trap.py:Trap"}
    assert Dag.from_json(value) == DIAMOND
    with pytest.raises(GraphError, match=r"expected space enas3, found trap\.py:Trap"):
        Dag.from_json(value, EnasSpace(3))


def test_pictures_hold_every_node_and_edge(tmp_path):
    svg = ElementTree.fromstring(DIAMOND._repr_svg_())
    name = "{http://www.w3.org/2000/svg}"
    assert len(svg.findall(f"{name}g/{name}g/{name}text")) == 4
    assert len(svg.findall(f"{name}g/{name}g/{name}path")) == 4
    assert DIAMOND.to_dot().count("->") == 4
    DIAMOND.save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text() == DIAMOND.to_svg()
    with pytest.raises(UsageError, match=r"expected one of \.json"):
        DIAMOND.save(tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]


def test_networks_need_a_space(tmp_path):
    with pytest.raises(GraphError, match="search space"):
        DIAMOND.to_torch()


@pytest.mark.parametrize("edge", [(0.5, 1), (0, 1, 1), ("0", 1), 3])
def test_edges_are_pairs_of_integers(edge):
    with pytest.raises(GraphError, match="expected two numbers of nodes"):
        Dag((0, 0, 1), (edge, (1, 2)))


def test_modules_make_networks_of_the_spaces_sizes(tmp_path):
    space = EnasSpace(3, MacroConfig(channels=16, image_size=32, image_channels=3))
    dag = space.parse("[[0], [4, 1], [1, 0, 1]]")
    dag.save(tmp_path / "best.py")
    scope: dict = {}
    exec((tmp_path / "best.py").read_text(), scope)
    params = [sum(p.numel() for p in n.parameters()) for n in (scope["network"](), dag.to_torch())]
    assert params == [3402, 3402]
