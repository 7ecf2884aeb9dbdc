"""Graphs of the benchmarks: what they are, and the reader of the NAS-Bench-101 table."""

import gzip

import numpy as np
import pytest

from bench.graphs import (
    ENAS,
    NASBENCH101_FILE,
    GraphArrays,
    data_folder,
    enas,
    nasbench101_like,
    random_graphs,
    read_nasbench101,
)
from ngae.dag import Dag


def dags(arrays):
    batch = arrays.pack()
    for g in range(batch.num_graphs):
        first, last = batch.graph_ptr[g : g + 2].tolist()
        edges = [
            (int(u) - first, v - first)
            for v in range(first, last)
            for u in batch.pred_src[batch.pred_ptr[v] : batch.pred_ptr[v + 1]]
        ]
        yield Dag(tuple(batch.node_type[first:last].tolist()), tuple(edges))


def test_enas_graphs_are_in_the_space():
    made = list(dags(enas(50)))
    assert all(ENAS.is_valid(dag) for dag in made)
    assert len({dag.canonical_hash for dag in made}) > 45


def test_nasbench101_like_graphs_are_ragged_and_fit_the_definition():
    made = list(dags(nasbench101_like(200)))
    assert {len(dag) for dag in made} >= {4, 5, 6, 7}
    for dag in made:
        assert len(dag) <= 7
        assert len(dag.edges) <= 9
        assert dag.node_types[0] == 0
        assert dag.node_types[-1] == 1
        assert all(dag.predecessors[v] for v in range(1, len(dag)))
        assert {u for u, _ in dag.edges} == set(range(len(dag) - 1))


def test_random_graphs_have_two_edges_a_node():
    made = list(dags(random_graphs(30, 40)))
    assert all(len(dag) == 40 and all(dag.predecessors[1:]) for dag in made)
    assert 1.8 < np.mean([len(dag.edges) / 39 for dag in made]) < 2.2


def test_a_part_is_packed_as_the_whole():
    arrays = nasbench101_like(20)
    whole, part = list(dags(arrays)), arrays.pack(5, 12)
    assert part.num_graphs == 7
    assert part.node_type.tolist() == [t for dag in whole[5:12] for t in dag.node_types]
    assert part.num_edges == sum(len(dag.edges) for dag in whole[5:12])


def test_reads_vertices_bits_and_digits(tmp_path):
    path = tmp_path / "graphs.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("num_vertices,edge_bits,ops\n2,1,\n3,5,0\n4,57,21\n")
    arrays = read_nasbench101(path)
    assert isinstance(arrays, GraphArrays)
    assert list(dags(arrays)) == [
        Dag((0, 1), ((0, 1),)),
        Dag((0, 2, 1), ((0, 1), (1, 2))),  # bits 0 and 2
        Dag((0, 4, 3, 1), ((0, 1), (0, 3), (1, 3), (2, 3))),  # bits 0, 3, 4 and 5
    ]


def test_refuses_another_table(tmp_path):
    path = tmp_path / "graphs.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("arch,acc\n")
    with pytest.raises(ValueError, match="expected the columns num_vertices, edge_bits, ops"):
        read_nasbench101(path)


@pytest.mark.end_to_end
def test_reads_the_whole_space():
    path = data_folder() / NASBENCH101_FILE
    if not path.exists():
        pytest.skip(f"{path} is not there")
    arrays = read_nasbench101(path)
    sizes = np.bincount(np.diff(arrays.graph_ptr))
    assert sizes.tolist() == [0, 0, 1, 6, 84, 2441, 62010, 359082]
    assert arrays.pack().num_graphs == 423_624
