import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError, ParseError
from ngae.networks.nasbench201 import CELL_EDGES, OPERATIONS
from ngae.spaces.nasbench201 import DAG_EDGES, NasBench201Space
from ngae.spaces.nasbench201_classes import expression, representatives
from ngae.spaces.registry import space_named

SPACE = NasBench201Space()
TEXT = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"
NONE, SKIP, CONV1, CONV3, POOL = range(5)
CELLS = [tuple(row) for row in np.array(np.unravel_index(np.arange(5**6), (5,) * 6)).T.tolist()]


def test_text_gives_a_node_for_each_edge():
    dag = SPACE.parse(TEXT)
    assert dag.node_labels == (
        "input", "nor_conv_3x3", "none", "skip_connect", "avg_pool_3x3", "nor_conv_1x1", "none",
        "output",
    )  # fmt: skip
    assert dag.edges == (
        (0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 6), (3, 6), (4, 7), (5, 7), (6, 7),
    )  # fmt: skip
    assert SPACE.format(dag) == TEXT
    assert space_named("nas-bench-201").parse(TEXT) == dag


@pytest.mark.parametrize(
    ("text", "column", "expected", "found"),
    [
        ("", 1, "'|'", "the end"),
        ("none~0", 1, "'|'", "'n'"),
        (TEXT.replace("none~0", "nope~0"), 19, "one of none, skip_connect", "'nope'"),
        (TEXT.replace("skip_connect~1", "skip_connect~0"), 39, "'1'", "'0'"),
        (TEXT.replace("~0|+|none", "~0|+none"), 18, "'|'", "'n'"),
        (TEXT[:-1], 79, "'|'", "the end"),
        (TEXT + " ", 80, "nothing after the cell", "' '"),
        (TEXT.replace("none~2|", ""), 73, "one of none, skip_connect", "the end"),
        (TEXT[:20], 19, "one of none, skip_connect", "'no'"),
    ],
)
def test_wrong_text_is_named_with_its_column(text, column, expected, found):
    for read in (SPACE.parse, lambda text: SPACE.parse_many([TEXT, text])):
        with pytest.raises(ParseError) as caught:
            read(text)
        assert caught.value.column == column
        assert caught.value.expected.startswith(expected)
        assert caught.value.found == found


@given(st.integers(0, 2**32 - 1), st.integers(0, 80), st.sampled_from("|~+012nx"))
def test_any_change_of_a_text_is_an_architecture_or_a_parse_error(seed, place, character):
    text = SPACE.format(SPACE.sample(np.random.default_rng(seed)))
    changed = text[:place] + character + text[place + 1 :]
    try:
        dag = SPACE.parse(changed)
    except ParseError as error:
        assert 1 <= error.column <= len(changed) + 1
    else:
        assert SPACE.is_valid(dag)
        assert SPACE.format(dag) == changed


def test_all_cells_are_read_as_each_and_every_one_is_another():
    cells = SPACE.all()
    texts = [SPACE.format(dag) for dag in cells]
    assert len(set(texts)) == len(set(cells.hashes())) == 15_625
    read = SPACE.parse_many(texts)
    for name in ("node_type", "graph_ptr", "edge_src", "edge_dst", "edge_ptr"):
        np.testing.assert_array_equal(getattr(read, name), getattr(cells, name))
    assert [SPACE.parse(text) for text in texts] == list(cells)
    assert [SPACE.number(dag) for dag in cells] == list(range(15_625))
    assert cells[7].node_types == SPACE.of(CELLS[7]).node_types
    packed = Dags.of([SPACE.parse(text) for text in texts[:5]])
    np.testing.assert_array_equal(packed.edge_src, cells[:5].edge_src)
    assert len(SPACE.parse_many([])) == 0


@pytest.mark.parametrize(
    ("types", "edges", "message"),
    [
        ((0, 2, 1), ((0, 1), (1, 2)), "expected 8 nodes, found 3"),
        ((0, 2, 2, 2, 2, 2, 1, 1), DAG_EDGES, "node 6: expected type 2..6, found 1"),
        ((0, 2, 2, 2, 2, 2, 2, 2), DAG_EDGES, "node 7: expected type output, found 2"),
        ((0, *[2] * 6, 1), DAG_EDGES[1:], r"edge \(0, 1\): expected one, found none"),
        ((0, *[2] * 6, 1), (*DAG_EDGES, (1, 2)), r"edge \(1, 2\): expected none, found one"),
    ],
)
def test_graphs_outside_of_the_space_are_named(types, edges, message):
    with pytest.raises(GraphError, match=message):
        SPACE.check(Dag(types, edges))


def test_samples_are_valid_follow_the_seed_and_are_uniform():
    rng = np.random.default_rng(0)
    drawn = [SPACE.sample(rng) for _ in range(2000)]
    assert drawn[0] == SPACE.sample(np.random.default_rng(0))
    types = np.array([dag.node_types[1:-1] for dag in drawn])
    for operation in range(5):
        np.testing.assert_allclose((types == operation + 2).mean(axis=0), 0.2, atol=0.04)


def test_costs_of_a_list_are_those_of_packed_dags():
    dags = list(SPACE.all()[::500])
    np.testing.assert_array_equal(SPACE.complexity(dags), SPACE.complexity(SPACE.all()[::500]))
    assert SPACE.complexity([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        # What does not reach the output, or comes from zeros, vanishes.
        ((CONV3, CONV1, NONE, SKIP, NONE, NONE), (NONE, NONE, NONE, SKIP, NONE, NONE)),
        ((NONE, NONE, CONV3, POOL, CONV3, CONV1), (NONE, NONE, NONE, POOL, NONE, NONE)),
        # The identity leaves no trace: 0 -> 1 -> 3 and 0 -> 2 -> 3 are one convolution from 0.
        ((SKIP, NONE, NONE, NONE, CONV1, NONE), (NONE, NONE, NONE, CONV1, NONE, NONE)),
        ((NONE, CONV1, NONE, NONE, NONE, SKIP), (NONE, NONE, NONE, CONV1, NONE, NONE)),
        # A sum has no order: both are conv(x) + pool(x).
        ((CONV3, POOL, NONE, NONE, SKIP, SKIP), (NONE, SKIP, NONE, CONV3, NONE, POOL)),
        ((NONE,) * 6, (NONE,) * 6),
    ],
)
def test_cells_that_compute_the_same_have_one_representative(cell, expected):
    assert SPACE.canonical(SPACE.of(cell)) == SPACE.of(expected)


def test_one_convolution_used_twice_is_not_two():
    once = (CONV3, NONE, SKIP, NONE, SKIP, SKIP)  # conv(x) + conv(x), of the same weights
    twice = (CONV3, CONV3, NONE, NONE, SKIP, SKIP)
    assert expression(once) != expression(twice)
    pools = (POOL, NONE, SKIP, NONE, SKIP, SKIP), (POOL, POOL, NONE, NONE, SKIP, SKIP)
    assert expression(pools[0]) == expression(pools[1])


def reduced(cell):
    """What a cell computes as a Dag: operations of live edges, summed through nodes of their own.

    Type 0 is the input, 1 the output, 2 a sum's term, 10 + o operation o.
    """
    types, edges, made = [0], [], {}

    def node(node_type, terms):
        types.append(node_type)
        at = len(types) - 1
        for term in terms:
            types.append(2)
            edges.extend([(term, len(types) - 1), (len(types) - 1, at)])
        return at

    reach = {3}
    for (source, target), operation in reversed(list(zip(CELL_EDGES, cell, strict=True))):
        if target in reach and operation != NONE:
            reach.add(source)
    sums = {0: [0], 1: [], 2: [], 3: []}
    for number, ((source, target), operation) in enumerate(zip(CELL_EDGES, cell, strict=True)):
        if operation == SKIP:
            sums[target] += sums[source]
        elif operation != NONE and sums[source] and target in reach:
            terms = tuple(sorted(sums[source]))
            key = (operation, terms) if operation == POOL else number
            if key not in made:
                made[key] = node(10 + operation, terms)
            sums[target].append(made[key])
    node(1, sums[3])
    return Dag.from_edges(types, edges)


def test_classes_are_those_of_isomorphic_computations():
    hashes = Dags.of(map(reduced, CELLS)).hashes()
    first = {}
    expected = [first.setdefault(digest, number) for number, digest in enumerate(hashes)]
    assert representatives().tolist() == expected
    assert len(first) == 5_260


def test_a_representative_costs_least_and_stands_for_itself():
    costs = SPACE.complexity(SPACE.all())
    chosen = representatives()
    assert (chosen[chosen] == chosen).all()
    for column in range(2):
        least = np.full(5**6, np.inf)
        np.minimum.at(least, chosen, costs[:, column])
        np.testing.assert_array_equal(costs[chosen, column], least[chosen])


def published_text(cell, zero):
    """The published unique string of a cell, with or without the rule for zeros."""
    nodes, edges = ["0"], iter(cell)
    for target in (1, 2, 3):
        terms = []
        for source in range(target):
            operation, entering = next(edges), nodes[source]
            if zero and (operation == NONE or entering == "#"):
                terms.append("#")
            elif operation == SKIP:
                terms.append(entering)
            else:
                terms.append(f"({entering})@{OPERATIONS[operation]}")
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]


def test_classes_join_those_of_the_published_strings():
    for zero, expected in ((True, 6_466), (False, 12_751)):
        texts = [published_text(cell, zero) for cell in CELLS]
        assert len(set(texts)) == expected
