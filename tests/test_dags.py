"""`Dags`: many Dags in flat arrays and back."""

import numpy as np
import pytest

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.dags import Dags, narrow, pointers
from ngae.errors import GraphError
from ngae.spaces.enas import EnasSpace

LONE = Dag((3,), ())
LOOSE = Dag((0, 300, 2, 1), ((0, 3), (1, 3)))
RAGGED = (LONE, Dag((0, 1), ((0, 1),)), LOOSE, Dag((0, 2, 2, 1), ((0, 1), (0, 2), (1, 3), (2, 3))))


def test_there_and_back():
    packed = Dags.of(RAGGED)
    assert len(packed) == 4
    assert tuple(packed) == RAGGED
    assert packed[-1] == RAGGED[-1]
    assert packed.node_type.dtype == np.uint16
    assert packed.edge_src.dtype == np.uint8
    assert Dags.of(packed) is packed


def test_no_graphs():
    packed = Dags.of([])
    assert len(packed) == 0
    assert packed.hashes() == []
    assert packed.padded()[0].shape == (0, 0)
    assert GraphBatch.pack(packed).num_graphs == 0


def test_rows_in_any_order():
    packed = Dags.of(RAGGED)
    assert tuple(packed.take([3, 0, 3])) == (RAGGED[3], RAGGED[0], RAGGED[3])
    assert tuple(packed[1:3]) == RAGGED[1:3]
    assert tuple(packed[::-1]) == RAGGED[::-1]
    assert len(packed.take([])) == 0
    assert tuple(packed.take(np.array([True, False, True, False]))) == (RAGGED[0], RAGGED[2])
    for rows in ([4], [-1]):
        with pytest.raises(IndexError):
            packed.take(rows)
    with pytest.raises(IndexError):
        packed[4]


def test_many_rows_are_taken_a_part_at_a_time(monkeypatch):
    monkeypatch.setattr("ngae.dags._AT_ONCE", 2)
    packed = Dags.of(RAGGED)
    rows = [3, 0, 3, 1, 2, 0, 1]
    assert tuple(packed.take(rows)) == tuple(RAGGED[row] for row in rows)


def test_frames():
    types, adjacency = Dags.of(RAGGED).padded(5)
    assert types[1].tolist() == [0, 1, -1, -1, -1]
    assert adjacency[2].nonzero()[0].tolist() == [0, 1]
    assert tuple(Dags.from_padded(types, adjacency)) == RAGGED


def test_hashes_are_those_of_each():
    assert Dags.of(RAGGED).hashes() == [dag.canonical_hash for dag in RAGGED]


def test_joined():
    packed = Dags.of(RAGGED)
    assert tuple(Dags.joined([packed, packed[:1], packed[:0]])) == (*RAGGED, LONE)
    with pytest.raises(GraphError, match="at least one part"):
        Dags.joined([])


def test_the_space_checks_what_is_taken_out():
    with pytest.raises(GraphError, match="expected 4 nodes, found 2"):
        Dags.of(RAGGED[1:2], EnasSpace(2))[0]


def test_small_tools():
    assert pointers(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]
    assert narrow(np.array([0, 255])).dtype == np.uint8
    assert narrow(np.array([], dtype=np.int64)).dtype == np.uint8
