from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError, ParseError
from ngae.spaces.nasbench101 import NUM_MATRICES, NasBench101Space, are_cells
from ngae.spaces.nasbench101_text import PAIRS, pairs_within
from ngae.spaces.registry import space_named

SPACE = NasBench101Space()
MATRIX = "0110001100010000;input,conv3x3-bn-relu,maxpool3x3,output"
BITS = "4;55;02"


def samples(count, seed=0):
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


def bits_of(dag):
    bits = sum(1 << u + v * (v - 1) // 2 for u, v in dag.edges)
    return f"{len(dag)};{bits};{''.join(str(t - 2) for t in dag.node_types[1:-1])}"


def same(one, other):
    names = ("node_type", "graph_ptr", "edge_src", "edge_dst", "edge_ptr")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_both_texts_give_types_and_edges():
    text = "0110001100010000;input,conv3x3-bn-relu,maxpool3x3,output"
    dag = SPACE.parse(text)
    assert dag.node_types == (0, 2, 4, 1)
    assert dag.edges == ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))
    assert SPACE.format(dag) == text == MATRIX
    # Bits 0, 1, 2, 4, 5: edges 0-1, 0-2, 1-2, 1-3, 2-3.
    assert SPACE.parse(BITS) == dag
    assert space_named("nas-bench-101").parse(BITS) == dag


@pytest.mark.parametrize(
    ("text", "column", "expected", "found"),
    [
        ("", 1, "adjacency;operations or num_vertices;edge_bits;ops", "1 part"),
        ("0100", 5, "adjacency;operations or num_vertices;edge_bits;ops", "1 part"),
        ("2;1;;", 5, "adjacency;operations or num_vertices;edge_bits;ops", "4 parts"),
        ("0100;", 6, "input,...,output", "''"),
        ("0100;input,conv", 12, "output", "'conv'"),
        ("0100;output,output", 6, "input", "'output'"),
        ("010001000;input,conv3x3,output", 17, "conv3x3-bn-relu or", "'conv3x3'"),
        ("0200;input,output", 2, "0 or 1", "'2'"),
        ("0101;input,output", 4, "0, on and below the diagonal", "'1'"),
        ("0110;input,output", 3, "0, on and below the diagonal", "'1'"),
        ("010;input,output", 4, "4 digits for 2 nodes", "3"),
        ("010000;input,output", 5, "4 digits for 2 nodes", "6"),
        ("8;1;000000", 1, "a number of nodes from 2 to 7", "'8'"),
        ("02;1;", 1, "a number of nodes from 2 to 7", "'02'"),
        ("2;2;", 3, "edge bits from 0 to 1", "'2'"),
        ("2;01;", 3, "edge bits from 0 to 1", "'01'"),
        ("3; 5;0", 3, "edge bits from 0 to 7", "' 5'"),
        ("3;-5;0", 3, "edge bits from 0 to 7", "'-5'"),
        ("3;5;3", 5, "an operation from 0 to 2", "'3'"),
        ("3;5;", 5, "1 operations", "0"),
        ("3;5;00", 6, "1 operations", "2"),
    ],
)
def test_wrong_text_is_named_with_its_column(text, column, expected, found):
    for read in (SPACE.parse, lambda text: SPACE.parse_many([BITS, text])):
        with pytest.raises(ParseError) as caught:
            read(text)
        assert caught.value.column == column
        assert caught.value.expected.startswith(expected)
        assert caught.value.found == found


@pytest.mark.parametrize("form", [SPACE.format, bits_of])
def test_many_texts_are_read_as_each(form):
    dags = samples(200)
    read = SPACE.parse_many([form(dag) for dag in dags])
    assert same(read, Dags.of(dags, SPACE))
    assert read.space is SPACE
    assert len(SPACE.parse_many([])) == 0


def test_texts_that_need_pruning_or_differ_in_form_are_read_as_each():
    texts = [BITS, MATRIX, "3;2;0", "4;43;01", "4;41;12"]
    assert same(SPACE.parse_many(texts), Dags.of([SPACE.parse(text) for text in texts]))
    assert SPACE.parse_many(texts)[2].node_types == (0, 1)


@pytest.mark.parametrize(
    "text", ["3;+5;0", "3;1_0;0", "3;5 ;0", "3;٥;0", "3;9999999999999999999999;0", "3;8;0"]
)
def test_numbers_that_only_python_takes_are_refused(text):
    with pytest.raises(ParseError, match="edge bits from 0 to 7"):
        SPACE.parse_many(["3;5;0", text])


@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(0, 90), st.sampled_from("01,;2 xé"))
def test_any_change_of_a_text_is_an_architecture_or_an_error(seed, matrix, place, character):
    dag = SPACE.sample(np.random.default_rng(seed))
    text = SPACE.format(dag) if matrix else bits_of(dag)
    changed = text[:place] + character + text[place + 1 :]
    try:
        expected = SPACE.parse(changed)
    except GraphError as error:
        if isinstance(error, ParseError):
            assert 1 <= error.column <= len(changed) + 1
        with pytest.raises(type(error)) as caught:
            SPACE.parse_many([text, changed])
        assert str(caught.value) == str(error)
    else:
        assert SPACE.is_valid(expected)
        assert SPACE.parse_many([text, changed])[1] == expected


def test_pruning_drops_what_is_on_no_path():
    # Node 1 leads nowhere, node 2 comes from nowhere; 3 is on the path.
    edges = ((0, 1), (0, 3), (2, 3), (3, 4))
    assert SPACE.prune((0, 2, 3, 4, 1), edges) == ((0, 4, 1), ((0, 1), (1, 2)))
    text = "0101000000000100000100000;input," + "conv3x3-bn-relu," * 2 + "maxpool3x3,output"
    assert SPACE.parse(text) == Dag((0, 4, 1), ((0, 1), (1, 2)))
    with pytest.raises(GraphError, match="expected a path from input to output, found none"):
        SPACE.parse("000000000;input,maxpool3x3,output")


@pytest.mark.parametrize(
    ("types", "edges", "message"),
    [
        ((0,), (), "expected 2 to 7 nodes, found 1"),
        ((0, *[2] * 6, 1), tuple((i, i + 1) for i in range(7)), "expected 2 to 7 nodes, found 8"),
        ((0, 2, 2, 2, 1), tuple((i, j) for j in range(5) for i in range(j)), "9 edges, found 10"),
        ((2, 1), ((0, 1),), "node 0: expected type input, found 2"),
        ((0, 2), ((0, 1),), "node 1: expected type output, found 2"),
        ((0, 1, 1), ((0, 1), (1, 2)), "node 1: expected type 2..4, found 1"),
        ((0, 5, 1), ((0, 1), (1, 2)), "node 1: expected type 2..4, found 5"),
        ((0, 2, 3, 1), ((0, 1), (1, 3), (0, 2)), "node 2: expected a path from input to output"),
        ((0, 2, 3, 1), ((0, 2), (1, 2), (2, 3)), "node 1: expected a path"),
        ((0, 2, 1), (), "node 0: expected a path"),
    ],
)
def test_graphs_outside_of_the_space_are_named(types, edges, message):
    with pytest.raises(GraphError, match=message):
        SPACE.check(Dag(types, edges))
    assert not SPACE.is_valid(Dag(types, edges))


def test_the_numbers_of_matrices_are_right():
    for size, expected in enumerate(NUM_MATRICES, 2):
        numbers = np.arange(2 ** pairs_within(size))
        bits = (numbers[:, None] >> np.arange(pairs_within(size)) & 1).astype(np.uint8)
        assert are_cells(bits, size).sum() == expected


def test_samples_are_valid_follow_the_seed_and_are_uniform():
    assert samples(5, seed=3) == samples(5, seed=3)
    drawn = samples(3000)
    assert all(SPACE.is_valid(dag) for dag in drawn)
    numbered = np.array(NUM_MATRICES) * 3.0 ** np.arange(6)
    sizes = np.bincount([len(dag) for dag in drawn], minlength=8)[2:] / 3000
    np.testing.assert_allclose(sizes, numbered / numbered.sum(), atol=0.02)
    inner = np.bincount([t for dag in drawn for t in dag.node_types[1:-1]])[2:]
    np.testing.assert_allclose(inner / inner.sum(), 1 / 3, atol=0.02)


def test_small_cells_are_those_of_the_published_space():
    # All numbered cells of up to 5 vertices, and how many of them are not isomorphic.
    for size, expected in ((2, 1), (3, 6), (4, 84), (5, 2441)):
        numbers = range(2 ** pairs_within(size))
        choices = ["".join(digits) for digits in product("012", repeat=size - 2)]
        bits = (np.array(numbers)[:, None] >> np.arange(pairs_within(size)) & 1).astype(np.uint8)
        valid = np.flatnonzero(are_cells(bits, size))
        texts = [f"{size};{number};{digits}" for number in valid for digits in choices]
        assert len(set(SPACE.parse_many(texts).hashes())) == expected


def test_costs_of_a_list_are_those_of_packed_dags():
    dags = samples(300)
    found = SPACE.complexity(dags)
    np.testing.assert_array_equal(found, SPACE.complexity(Dags.of(dags)))
    np.testing.assert_array_equal(found[7:8], SPACE.complexity(dags[7:8]))
    assert SPACE.complexity([]).shape == (0, 2)


def test_each_cell_stands_for_itself():
    dag = samples(1)[0]
    assert SPACE.canonical(dag) is dag


def test_bits_are_numbered_by_target_then_source():
    assert PAIRS[:, :6].T.tolist() == [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]]
