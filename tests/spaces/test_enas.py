import numpy as np
import pytest

from ngae.dag import Dag
from ngae.errors import GraphError, ParseError
from ngae.spaces.enas import EnasSpace
from ngae.spaces.registry import space_named

SPACE = EnasSpace(3)


def test_text_gives_types_and_edges():
    dag = SPACE.parse("[[2], [0, 1], [5, 0, 1]]")
    assert dag.node_types == (0, 4, 2, 7, 1)
    assert dag.edges == ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (3, 4))
    assert SPACE.format(dag) == "[[2], [0, 1], [5, 0, 1]]"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("[[2], [0, 1]]", 13, "expected 3 layers, found 2"),
        ("[[2], [0, 1], [5, 0]]", 15, "expected a type and 2 skip flags in layer 2, found 2"),
        ("[[6], [0, 1], [5, 0, 1]]", 3, "expected a type from 0 to 5, found 6"),
        ("[[2], [0, 2], [5, 0, 1]]", 11, "expected a skip flag from 0 to 1, found 2"),
    ],
)
def test_wrong_text_is_named_with_its_column(text, column, message):
    with pytest.raises(ParseError, match=message) as caught:
        SPACE.parse(text)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("types", "edges", "message"),
    [
        ((0, 2, 1), ((0, 1), (1, 2)), "expected 5 nodes, found 3"),
        ((0, 2, 0, 2, 1), ((0, 1), (1, 2), (2, 3), (3, 4)), "node 2: expected type 2..7, found 0"),
        ((0, 2, 2, 2, 2), ((0, 1), (1, 2), (2, 3), (3, 4)), "node 4: expected type output"),
        ((0, 2, 2, 2, 1), ((0, 1), (0, 2), (2, 3), (3, 4)), "an edge from node 1, found none"),
        ((0, 2, 2, 2, 1), ((0, 1), (1, 2), (2, 3), (2, 4), (3, 4)), "node 3 alone"),
    ],
)
def test_graphs_outside_of_the_space_are_named(types, edges, message):
    with pytest.raises(GraphError, match=message):
        SPACE.check(Dag(types, edges))
    assert not SPACE.is_valid(Dag(types, edges))


def test_samples_are_valid_round_trip_and_follow_the_seed():
    first = [SPACE.sample(np.random.default_rng(3)) for _ in range(2)]
    assert first[0] == first[1]
    rng = np.random.default_rng(0)
    for _ in range(50):
        dag = SPACE.sample(rng)
        assert SPACE.is_valid(dag)
        assert SPACE.parse(SPACE.format(dag)) == dag


def test_rules_force_the_chain_and_leave_skips_free():
    rules = SPACE.rules
    assert rules.max_nodes == 5
    assert rules.edge_rule[0, 1] == 2
    assert rules.edge_rule[0, 2] == 1
    assert rules.type_allowed.sum(axis=1).tolist() == [1, 6, 6, 6, 1]


def test_spaces_by_name():
    assert space_named("enas12").max_nodes == 14
    with pytest.raises(Exception, match="expected one of enas<layers>, enas<least>-<most>"):
        space_named("darts")
