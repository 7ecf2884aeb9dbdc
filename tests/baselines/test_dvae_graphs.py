from __future__ import annotations

import pytest
import torch

from ngae.baselines.dvae import DenseGraphs
from ngae.dag import Dag
from ngae.errors import GraphError

DAGS = [Dag((0, 3, 1), ((0, 1), (1, 2))), Dag((0,), ()), Dag((0, 2, 2, 1), ((0, 2), (1, 3)))]


def arrays() -> dict[str, torch.Tensor]:
    graphs = DenseGraphs.from_dags(DAGS, 4)
    return {
        "node_types": graphs.node_types.clone(),
        "adjacency": graphs.adjacency.long(),
        "num_nodes": graphs.num_nodes.clone(),
    }


def test_dags_become_padded_arrays():
    graphs = DenseGraphs.from_dags(DAGS, 4)
    assert graphs.node_types.tolist() == [[0, 3, 1, -1], [0, -1, -1, -1], [0, 2, 2, 1]]
    assert graphs.num_nodes.tolist() == [3, 1, 4]
    edges = [[0, 0, 1], [0, 1, 2], [2, 0, 2], [2, 1, 3]]
    assert graphs.adjacency.nonzero().tolist() == edges
    assert graphs.present.sum(dim=1).tolist() == [3, 1, 4]
    assert len(graphs) == 3
    assert graphs.max_nodes == 4


def test_arrays_become_the_same_dags():
    graphs = DenseGraphs.from_dags(DAGS, 5)
    assert graphs.to_dags() == DAGS
    assert graphs.rows(1, 3).to_dags() == DAGS[1:]
    assert graphs.to("cpu").to_dags() == DAGS
    assert DenseGraphs.from_dags([], 4).to_dags() == []


def test_any_integer_dtype_is_taken():
    a = arrays()
    graphs = DenseGraphs(
        a["node_types"].to(torch.int8), a["adjacency"].to(torch.uint8), a["num_nodes"].int()
    )
    assert graphs.node_types.dtype == graphs.num_nodes.dtype == torch.int64
    assert graphs.adjacency.dtype == torch.bool
    assert graphs.to_dags() == DAGS


def test_a_dag_that_is_too_long_is_refused():
    with pytest.raises(GraphError, match="graph 2: expected at most 3 nodes, found 4"):
        DenseGraphs.from_dags(DAGS, 3)


@pytest.mark.parametrize(
    ("name", "place", "value", "text"),
    [
        ("num_nodes", (1,), 0, r"num_nodes\[1\]: expected 1 to 4, found 0"),
        ("num_nodes", (1,), 5, r"num_nodes\[1\]: expected 1 to 4, found 5"),
        ("node_types", (0, 1), -1, r"node_types\[0, 1\]: expected a type from 0, found -1"),
        ("node_types", (0, 3), 2, r"node_types\[0, 3\]: expected -1 past .*, found 2"),
        ("node_types", (0, 3), -2, r"node_types\[0, 3\]: expected -1 past .*, found -2"),
        ("adjacency", (0, 1, 3), 1, r"adjacency\[0, 1, 3\]: expected no edge past"),
        ("adjacency", (2, 2, 1), 1, r"adjacency\[2, 2, 1\]: expected edges to later nodes"),
        ("adjacency", (2, 1, 1), 1, r"adjacency\[2, 1, 1\]: expected edges to later nodes"),
        ("adjacency", (2, 0, 1), 2, r"adjacency\[2, 0, 1\]: expected 0 or 1, found 2"),
        ("adjacency", (2, 0, 1), -1, r"adjacency\[2, 0, 1\]: expected 0 or 1, found -1"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(name, place, value, text):
    a = arrays()
    a[name][place] = value
    with pytest.raises(GraphError, match=text):
        DenseGraphs(**a)


@pytest.mark.parametrize(
    ("name", "wrong", "text"),
    [
        ("node_types", torch.zeros(3).long(), r"expected shape \(num_graphs, max_nodes\)"),
        ("node_types", torch.zeros(3, 0).long(), r"expected shape \(num_graphs, max_nodes\)"),
        ("adjacency", torch.zeros(3, 4, 5).long(), r"expected shape \(3, 4, 4\), found \(3, 4, 5"),
        ("num_nodes", torch.ones(2).long(), r"expected shape \(3,\), found \(2,\)"),
        ("node_types", torch.zeros(3, 4), "node_types: expected integers, found torch.float32"),
        ("num_nodes", torch.ones(3).bool(), "num_nodes: expected integers, found torch.bool"),
    ],
)
def test_wrong_forms_are_refused(name, wrong, text):
    with pytest.raises(GraphError, match=text):
        DenseGraphs(**{**arrays(), name: wrong})
