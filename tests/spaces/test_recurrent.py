import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError, ParseError
from ngae.networks.recurrent import RecurrentConfig
from ngae.spaces.recurrent import NUMBERS, TYPES, RecurrentSpace
from ngae.spaces.registry import space_named

SPACE = RecurrentSpace()
DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
TABLE = DATA / "nas-bench-nlp" / "wikitext2_345_cells.jsonl"
OUTPUTS = [NUMBERS[f"h_new_{k}"] for k in range(3)]
needs_table = pytest.mark.skipif(not TABLE.exists(), reason="the NAS-Bench-NLP table is not here")

GRU = {
    "r": {"op": "linear", "input": ["x", "h_prev_0"]},
    "r_act": {"op": "activation_sigm", "input": ["r"]},
    "z": {"op": "linear", "input": ["x", "h_prev_0"]},
    "z_act": {"op": "activation_sigm", "input": ["z"]},
    "rh": {"op": "elementwise_prod", "input": ["r_act", "h_prev_0"]},
    "t": {"op": "linear", "input": ["x", "rh"]},
    "t_act": {"op": "activation_tanh", "input": ["t"]},
    "h_new_0": {"op": "blend", "input": ["z_act", "h_prev_0", "t_act"]},
}
LINEAR = {"op": "linear", "input": ["x", "h_prev_0"]}


def cell(**nodes):
    """A cell from node=(op, *inputs)."""
    return {name: {"op": op, "input": list(inputs)} for name, (op, *inputs) in nodes.items()}


def labels(dag):
    return [TYPES[t] for t in dag.node_types]


def comes_back(dag, space=SPACE):
    again = space.parse(space.format(dag))
    return again.canonical_hash == dag.canonical_hash and again.space is space


def random_member(rng, max_nodes):
    """Any graph that the rules allow, however odd: states unread, outputs that feed outputs."""
    space = RecurrentSpace(max_nodes)
    least, most = space.degrees
    types, edges = [NUMBERS["x"]], []
    size = int(rng.integers(4, max_nodes + 1))
    while types[-1] != NUMBERS["h_new_0"]:
        left = size - len(types)
        choice = space.type_allowed[len(types)] & space.follows[types[-1]]
        last_places = choice & np.isin(np.arange(len(TYPES)), OUTPUTS)
        if last_places.any() and (left <= 1 or rng.random() < 0.1):
            choice = last_places
        types.append(int(rng.choice(np.flatnonzero(choice))))
        kind, place = types[-1], len(types) - 1
        count = int(rng.integers(least[kind], min(most[kind], place, 3) + 1))
        edges += [(int(u), place) for u in rng.choice(place, size=count, replace=False)]
    last, fed = len(types) - 1, {u for u, _ in edges}
    operations = range(NUMBERS["linear"], NUMBERS["h_new_1"])
    edges += [(u, last) for u in range(last) if types[u] in operations and u not in fed]
    return Dag(tuple(types), tuple(edges), SPACE)


def test_the_gru_becomes_sums_products_and_a_complement():
    dag = SPACE.parse_value(GRU)
    assert Counter(labels(dag)) == {
        "x": 1, "h_prev_0": 1, "linear": 3, "activation_sigm": 2, "activation_tanh": 1,
        "elementwise_prod": 3, "complement": 1, "h_new_0": 1,
    }  # fmt: skip
    # The end adds z h and (1 - z) t itself.
    products = [p for p in dag.predecessors[-1] if labels(dag)[p] == "elementwise_prod"]
    assert len(products) == len(dag.predecessors[-1]) == 2
    assert json.loads(SPACE.format(dag))["h_new_0"]["op"] == "blend"
    assert comes_back(dag)


def test_the_gate_of_a_blend_is_its_first_input():
    dag = SPACE.parse_value(GRU)
    complement = labels(dag).index("complement")
    (gate,) = dag.predecessors[complement]
    assert labels(dag)[gate] == "activation_sigm"
    other = {**GRU, "h_new_0": {"op": "blend", "input": ["h_prev_0", "z_act", "t_act"]}}
    assert SPACE.parse_value(other).canonical_hash != dag.canonical_hash


def test_the_order_of_inputs_and_names_does_not_matter():
    turned = {
        name: {"op": s["op"], "input": s["input"] if s["op"] == "blend" else s["input"][::-1]}
        for name, s in reversed(GRU.items())
    }
    assert SPACE.parse_value(turned).canonical_hash == SPACE.parse_value(GRU).canonical_hash


def test_a_sum_as_output_is_the_outputs_own_unless_it_is_read_or_stands_apart():
    merged = SPACE.parse_value(
        cell(a=LINEAR.values(), h_new_0=("elementwise_sum", "a", "x")) | {"a": LINEAR}
    )
    assert labels(merged) == ["x", "h_prev_0", "linear", "h_new_0"]
    assert merged.predecessors[-1] == (0, 2)
    apart = SPACE.parse_value(
        {"a": LINEAR} | cell(s=("elementwise_sum", "a", "x"), h_new_0=("elementwise_sum", "s"))
    )
    assert labels(apart)[-2:] == ["elementwise_sum", "h_new_0"]
    read = SPACE.parse_value(
        {"a": LINEAR}
        | cell(h_new_0=("elementwise_sum", "a", "x"), h_new_1=("activation_tanh", "h_new_0"))
    )
    assert labels(read)[3:] == ["elementwise_sum", "activation_tanh", "h_new_1", "h_new_0"]
    assert json.loads(SPACE.format(read))["h_new_0"] == {
        "op": "elementwise_sum", "input": ["x", "node_0"],
    }  # fmt: skip
    for dag in (merged, apart, read):
        assert comes_back(dag)
    assert len({d.canonical_hash for d in (merged, apart, read)}) == 3


def test_states_stand_before_and_after_the_operations():
    dag = SPACE.parse_value(
        cell(
            h_new_2=("linear", "x", "h_prev_2"),
            h_new_1=("activation_tanh", "h_new_2"),
            h_new_0=("elementwise_prod", "h_new_1", "h_prev_0"),
        )
    )
    assert labels(dag) == [
        "x", "h_prev_0", "h_prev_2", "linear", "activation_tanh", "elementwise_prod",
        "h_new_2", "h_new_1", "h_new_0",
    ]  # fmt: skip
    assert dag.predecessors[-3:] == ((3,), (4,), (5,))
    assert comes_back(dag)


def test_odd_members_have_a_text():
    delay = SPACE.parse_value(
        {"h_new_0": LINEAR}
        | cell(
            h_new_1=("elementwise_sum", "h_prev_0"),
            h_new_2=("elementwise_sum", "h_new_0"),
            h_prev_1=("state",),
        )
    )
    assert labels(delay) == [
        "x", "h_prev_0", "h_prev_1", "linear", "h_new_2", "h_new_1", "h_new_0",
    ]  # fmt: skip
    assert delay.edges == ((0, 3), (1, 3), (1, 5), (3, 4), (3, 6))
    assert comes_back(delay)
    fed = Dag.from_edges(
        [NUMBERS[n] for n in ("x", "h_prev_0", "linear", "h_new_2", "h_new_1", "h_new_0")],
        [(1, 2), (2, 3), (3, 4), (3, 5), (4, 5)],
        SPACE,
    )
    assert json.loads(SPACE.format(fed)) == cell(
        node_0=("linear", "h_prev_0"),
        h_new_2=("elementwise_sum", "node_0"),
        h_new_1=("elementwise_sum", "h_new_2"),
        h_new_0=("elementwise_sum", "h_new_2", "h_new_1"),
    )
    assert comes_back(fed)


@pytest.mark.parametrize("max_nodes", [4, 5, 8, 14, 28])
def test_any_member_comes_back_from_its_text(max_nodes):
    rng = np.random.default_rng(max_nodes)
    for _ in range(400):
        dag = random_member(rng, max_nodes)
        assert comes_back(dag), SPACE.format(dag)


def test_samples_are_valid_diverse_and_follow_the_seed():
    rng, again = np.random.default_rng(0), np.random.default_rng(0)
    dags = [SPACE.sample(rng) for _ in range(2000)]
    assert dags[:50] == [SPACE.sample(again) for _ in range(50)]
    assert len(set(Dags.of(dags, SPACE).hashes())) >= 1850
    assert all(comes_back(dag) for dag in dags)
    states = Counter(sum(name.startswith("h_prev") for name in labels(dag)) for dag in dags)
    assert all(states[k] > 200 for k in (1, 2, 3))
    for max_nodes in (4, 5, 6, 9, 40):
        small = RecurrentSpace(max_nodes)
        assert all(len(small.sample(rng)) <= max_nodes for _ in range(100))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "expected an object of nodes, found {}"),
        ({"a": LINEAR}, "expected a node 'h_new_0', found none"),
        ({"h_new_0": {"op": "linear"}}, "'h_new_0': expected an object of op and input"),
        (cell(h_new_0=("relu", "x")), "'h_new_0': expected op: one of linear.* found 'relu'"),
        ({"h_new_0": {"op": "linear", "input": "x"}}, "expected input: a list of node names"),
        (cell(h_new_0=("linear", "x", "y")), "'h_new_0': expected inputs x.* found 'y'"),
        (
            cell(h_new_0=("linear", "x", "x")),
            "expected each input once, found 'x' twice",
        ),
        (cell(h_new_0=("linear",)), "'h_new_0': expected 1 to 3 inputs of linear, found 0"),
        (cell(h_new_0=("blend", "x", "h_prev_0")), "expected 3 inputs of blend, found 2"),
        (
            cell(h_new_0=("activation_tanh", "x", "h_prev_0")),
            "1 inputs of activation_tanh, found 2",
        ),
        (cell(h_new_0=("elementwise_prod", "x")), "expected 2 to 3 inputs of elementwise_prod"),
        ({"a": LINEAR, "h_new_0": LINEAR}, "'a': expected a node or an output that reads it"),
        (
            cell(a=("linear", "b"), b=("linear", "a"), h_new_0=("linear", "a")),
            "without cycles, found one among 'a', 'b', 'h_new_0'",
        ),
        (
            {"a": LINEAR}
            | cell(
                h_new_0=("linear", "a"),
                h_new_1=("elementwise_sum", "h_new_2"),
                h_new_2=("elementwise_sum", "h_new_1"),
            ),
            "the cycle through 'h_new_",
        ),
        (cell(h_new_0=("linear", "x", "h_prev_3")), "expected states 0 to 2, found 'h_prev_3'"),
        (cell(h_new_0=("linear", "x"), h_new_3=("linear", "x")), "found 'h_new_3'"),
        (cell(x=("linear", "h_prev_0"), h_new_0=("linear", "x")), "'x': expected op state"),
        (cell(a=("state",), h_new_0=("linear", "x", "a")), "'a': expected op state for h_prev"),
        (
            cell(
                h_new_1=("elementwise_sum", "x"),
                h_new_0=("elementwise_prod", "x", "h_new_1"),
            ),
            "'h_new_0': expected each input once, found one that stands behind two names",
        ),
    ],
)
def test_what_is_no_cell_is_named(value, message):
    with pytest.raises(GraphError, match=message):
        SPACE.parse_value(value)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ('{"a": ', 7, "expected a JSON object of nodes, found Expecting value"),
        ('{"a": 1, "a": 2}', 1, "found 'a' twice"),
        ("[" * 100_000, 1, "expected a JSON object"),
    ],
)
def test_what_is_no_json_is_named_with_its_column(text, column, message):
    with pytest.raises(ParseError, match=message) as caught:
        SPACE.parse(text)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("names", "edges", "message"),
    [
        ("x h_prev_0 h_new_0", [(0, 2)], "expected 4 to 28 nodes, found 3"),
        ("h_prev_0 x linear h_new_0", [(0, 2), (2, 3)], "expected x first and h_new_0 last"),
        ("x linear linear h_new_0", [(0, 1), (1, 2), (2, 3)], "node 1: expected a type that may"),
        ("x h_prev_0 linear h_new_0", [(2, 3)], "node 2, linear: expected 1 to 3 inputs, found 0"),
        (
            "x h_prev_0 elementwise_prod h_new_0",
            [(0, 2), (2, 3)],
            "node 2, elementwise_prod: expected 2 to 3 inputs, found 1",
        ),
        ("x h_prev_0 linear h_new_0", [(0, 1), (1, 2), (2, 3)], "node 1, h_prev_0: expected 0"),
        ("x h_prev_0 linear h_new_0", [(0, 2), (1, 3)], "node 2, linear: expected to feed a node"),
        ("x h_prev_0 linear linear h_new_1 h_new_0", [(0, 2), (0, 3), (2, 4), (3, 4), (2, 5)],
         "node 4, h_new_1: expected 1 to 1 inputs, found 2"),
    ],
)  # fmt: skip
def test_graphs_outside_of_the_space_are_named(names, edges, message):
    with pytest.raises(GraphError, match=message):
        SPACE.check(Dag(tuple(NUMBERS[name] for name in names.split()), tuple(edges)))


def test_a_dag_as_an_object_is_read_too():
    dag = SPACE.parse_value(GRU)
    assert SPACE.parse_value(dag.as_dict()) == dag
    assert space_named("recurrent").parse_value(GRU) == dag
    with pytest.raises(GraphError, match="max_nodes: expected at least 4, found 3"):
        RecurrentSpace(3)


@needs_table
def test_every_published_cell_comes_back_and_has_its_published_parameters():
    rows = [json.loads(line) for line in TABLE.read_text().splitlines()]
    assert len(rows) == 345
    dags = [SPACE.parse(json.dumps(row["recepie"])) for row in rows]
    assert max(map(len, dags)) == SPACE.max_nodes
    assert all(comes_back(dag) for dag in dags)
    written = [json.loads(SPACE.format(dag)) for dag in dags]
    for row, value in zip(rows, written, strict=True):
        kinds = [Counter(n["op"] for n in one.values()) for one in (row["recepie"], value)]
        assert kinds[0] == kinds[1]
    space = RecurrentSpace(network=RecurrentConfig.wikitext2())
    assert space.complexity(dags)[:, 0].tolist() == [row["num_params"] for row in rows]
    space = RecurrentSpace(network=RecurrentConfig.penn_treebank())
    known = [i for i, row in enumerate(rows) if row["ptb_num_params"] is not None]
    assert len(known) == 313
    counted = space.complexity(dags)[known, 0]
    assert counted.tolist() == [rows[i]["ptb_num_params"] for i in known]
