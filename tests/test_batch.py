"""Packing, levels, reversal and merging of graph batches against hand-made tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.errors import GraphError, UsageError

MERGED = ("merged", "reverse_merged")
FIELDS = tuple(name for name in GraphBatch.__dataclass_fields__ if name not in MERGED)
ON_HOST = ("level_ptr", "reverse_level_ptr", "greatest")

# Two graphs: a diamond with a long side 0 -> 1 -> 2 -> 3, 0 -> 2, 0 -> 3; and a lone node.
DIAMOND = Dag((4, 1, 2, 5), ((0, 1), (0, 2), (0, 3), (1, 2), (2, 3)))
LONE = Dag((7,), ())
FORK = Dag((0, 1, 1, 2), ((0, 1), (0, 2), (1, 3), (2, 3)))


def ints(values: Sequence[int]) -> Tensor:
    return torch.tensor(values, dtype=torch.int32)


def random_dag(rng: np.random.Generator, num_nodes: int, num_types: int = 3) -> Dag:
    pairs = itertools.combinations(range(num_nodes), 2)
    edges = tuple((u, v) for u, v in pairs if rng.random() < 0.5)
    return Dag(tuple(int(t) for t in rng.integers(num_types, size=num_nodes)), edges)


def test_pack_by_hand() -> None:
    batch = GraphBatch.pack([DIAMOND, LONE, FORK])
    expected = {
        "node_type": [4, 1, 2, 5, 7, 0, 1, 1, 2],
        "node_index": [0, 1, 2, 3, 0, 0, 1, 2, 3],
        "node_graph": [0, 0, 0, 0, 1, 2, 2, 2, 2],
        "graph_ptr": [0, 4, 5, 9],
        "root": [0, 4, 5],
        "reverse_root": [3, 4, 8],
        "pred_ptr": [0, 0, 1, 3, 5, 5, 5, 6, 7, 9],
        "pred_src": [0, 0, 1, 0, 2, 5, 5, 6, 7],
        "succ_ptr": [0, 3, 4, 5, 5, 5, 7, 8, 9, 9],
        "succ_dst": [1, 2, 3, 2, 3, 6, 7, 8, 8],
        "level_ptr": [0, 3, 6, 8, 9],
        "level_node": [0, 4, 5, 1, 6, 7, 2, 8, 3],
        "reverse_level_ptr": [0, 3, 6, 8, 9],
        "reverse_level_node": [3, 4, 8, 2, 6, 7, 1, 5, 0],
        "greatest": [7, 3],
    }
    assert set(expected) == set(FIELDS)
    for name, values in expected.items():
        torch.testing.assert_close(getattr(batch, name), ints(values), rtol=0, atol=0)
    assert (batch.num_nodes, batch.num_edges, batch.num_graphs, batch.num_levels) == (9, 9, 3, 4)


def test_pack_of_nothing() -> None:
    batch = GraphBatch.pack([])
    for name in FIELDS:
        expected = [0] if name.endswith("_ptr") else [-1, -1] if name == "greatest" else []
        torch.testing.assert_close(getattr(batch, name), ints(expected))
    assert (batch.num_nodes, batch.num_edges, batch.num_graphs, batch.num_levels) == (0, 0, 0, 0)


def test_edges_in_any_order() -> None:
    batch = GraphBatch.from_arrays([0, 1, 2], [0, 3], [1, 0, 0], [2, 2, 1], [0, 3])
    assert batch.pred_src.tolist() == [0, 0, 1]


def test_reverse_swaps_both_directions() -> None:
    batch = GraphBatch.pack([DIAMOND, LONE, FORK])
    back = batch.reverse()
    assert back.root.tolist() == [3, 4, 8]
    assert back.reverse_root.tolist() == [0, 4, 5]
    for name in FIELDS:
        assert torch.equal(getattr(back.reverse(), name), getattr(batch, name))
    torch.testing.assert_close(back.pred_src, batch.succ_dst)
    torch.testing.assert_close(back.level_node, batch.reverse_level_node)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 0], [0, 2], [1], [0], [0, 1]), r"graph 0, edge 0: .* later node, found \(1, 0\)"),
        (([0, 0], [0, 2], [0], [2], [0, 1]), r"graph 0, edge 0: expected nodes 0..1.*\(0, 2\)"),
        (([0, 0], [0, 2], [0, 0], [1, 1], [0, 2]), r"graph 0, node 1: .* node 0 twice"),
        (([0, -1], [0, 2], [0], [1], [0, 1]), r"graph 0, node 1: expected a type from 0, .*-1"),
        (([0, 0], [0, 1], [], [], [0, 0]), r"graph_ptr\[-1\]: expected 2, found 1"),
        (([0, 0], [0, 0, 2], [], [], [0, 0, 0]), r"graph_ptr\[1\]: expected at least 1, found 0"),
        (([0, 0], [0, 2], [0], [1], [0, 0]), r"edge_ptr\[-1\]: expected 1, found 0"),
        (([0, 0], [0, 2], [0], [1, 1], [0, 1]), r"edge_dst: expected 1 entries"),
        (([0, 0], [0, 2], [0], [1], [0, 1, 1]), r"edge_ptr: expected 2 entries"),
        (([0, 0], [], [], [], []), r"graph_ptr: expected at least one entry"),
        (([0.5], [0, 1], [], [], [0, 0]), r"node_type: expected integers"),
        (([2**40], [0, 1], [], [], [0, 0]), r"node_type: expected values of 32 bits"),
    ],
)
def test_errors_name_the_place(arguments: tuple[list[int], ...], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        GraphBatch.from_arrays(*arguments)


@pytest.mark.parametrize("backward", [False, True])
def test_levels_of_random_graphs(backward: bool) -> None:
    rng = np.random.default_rng(0)
    batch = GraphBatch.pack([random_dag(rng, int(n)) for n in rng.integers(1, 9, size=40)])
    batch = batch.reverse() if backward else batch
    level = torch.empty(batch.num_nodes, dtype=torch.int64)
    for i in range(batch.num_levels):
        nodes = batch.level_node[batch.level_ptr[i] : batch.level_ptr[i + 1]]
        assert torch.equal(nodes, nodes.sort().values)
        level[nodes.long()] = i
    for v in range(batch.num_nodes):
        before = batch.pred_src[batch.pred_ptr[v] : batch.pred_ptr[v + 1]].long()
        assert level[v] == (level[before].max() + 1 if len(before) else 0)


def node_terms(batch: GraphBatch, use_index: bool) -> list[object]:
    """Write each node's computation out in full, as a nested tuple."""
    terms: list[object] = [None] * batch.num_nodes
    for v in batch.level_node.tolist():
        before = batch.pred_src[batch.pred_ptr[v] : batch.pred_ptr[v + 1]].tolist()
        index = int(batch.node_index[v]) if use_index else 0
        inner = tuple(terms[u] for u in before)
        terms[v] = (int(batch.node_type[v]), index, inner)
    return terms


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("use_index", [False, True])
@pytest.mark.parametrize("num_groups", [1, 3, 100])
def test_merge_keeps_each_computation_once(
    num_groups: int, use_index: bool, backward: bool
) -> None:
    rng = np.random.default_rng(1)
    batch = GraphBatch.pack([random_dag(rng, int(n), 2) for n in rng.integers(1, 6, size=30)])
    batch = batch.reverse() if backward else batch
    merged, place = batch.merge(num_groups, use_index)
    assert merged.num_graphs == min(num_groups, batch.num_graphs)
    before, after = node_terms(batch, use_index), node_terms(merged, use_index)
    for v in range(batch.num_nodes):
        assert before[v] == after[int(place[v])]
    for group in range(merged.num_graphs):
        terms = after[int(merged.graph_ptr[group]) : int(merged.graph_ptr[group + 1])]
        assert len(set(terms)) == len(terms)
    assert place.diff().abs().max() > 0
    assert sorted(set(place.tolist())) == list(range(merged.num_nodes))


def test_merge_by_hand() -> None:
    merged, place = GraphBatch.pack([FORK, FORK]).merge(1, use_index=False)
    assert place.tolist() == [0, 1, 1, 2, 0, 1, 1, 2]
    assert merged.pred_src.tolist() == [0, 1, 1]  # both arms are node 1, which counts twice
    assert merged.node_type.tolist() == [0, 1, 2]
    assert merged.node_graph.tolist() == [0, 0, 0]
    assert merged.level_node.tolist() == [0, 1, 2]


def test_merge_with_index_keeps_places_apart() -> None:
    merged, place = GraphBatch.pack([FORK]).merge(1, use_index=True)
    assert place.tolist() == [0, 1, 2, 3]
    assert merged.node_index.tolist() == [0, 1, 2, 3]


def test_merge_of_nothing() -> None:
    merged, place = GraphBatch.pack([]).merge(4, use_index=False)
    assert (merged.num_nodes, merged.num_graphs, place.shape) == (0, 0, (0,))


def test_merge_refuses_no_groups() -> None:
    with pytest.raises(UsageError, match="num_groups: expected at least 1, found 0"):
        GraphBatch.pack([FORK]).merge(0, use_index=False)


def test_prefix_keeps_the_first_nodes_and_their_edges() -> None:
    batch = GraphBatch.pack([FORK, Dag((3,), ()), FORK])
    cut = batch.prefix(np.array([3, 1, 2]))
    assert cut.graph_ptr.tolist() == [0, 3, 4, 6]
    assert cut.node_type.tolist() == [
        *batch.node_type[:3].tolist(),
        3,
        *batch.node_type[5:7].tolist(),
    ]
    expected = GraphBatch.pack(
        [Dag(FORK.node_types[:n], tuple(e for e in FORK.edges if e[1] < n)) for n in (3, 2)]
    )
    assert cut.pred_src.tolist() == [
        *expected.pred_src[:2].tolist(), *(expected.pred_src[2:] + 1).tolist()
    ]  # fmt: skip
    whole = batch.prefix(np.array([4, 1, 4]))
    for name in ("node_type", "pred_ptr", "pred_src", "level_ptr", "level_node", "root"):
        assert torch.equal(getattr(whole, name), getattr(batch, name))
    assert GraphBatch.pack([]).prefix(np.array([], dtype=np.int64)).num_nodes == 0


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("pred_src", [0, 0, 1, 10**9], r"merge: pred_src\[3\]: expected 0..3, found 1000000000"),
        ("level_node", [0, 2, 1, 3], r"merge: level_node\[2\]: expected above 2, found 1"),
        ("level_ptr", [0, 1, 5, 4], r"merge: level_ptr: expected rising from 0 to 4"),
        ("node_index", [0, 1], r"merge: node_index: expected 4 entries, found 2"),
    ],
)
def test_merge_refuses_a_broken_batch(field: str, values: list[int], message: str) -> None:
    batch = replace(GraphBatch.pack([FORK]), **{field: ints(values)})
    with pytest.raises(GraphError, match=message):
        batch.merge(2, use_index=False)


def test_on_the_cpu_nothing_is_copied_nor_merged() -> None:
    batch = GraphBatch.pack([FORK, FORK])
    moved = batch.to("cpu")
    for name in FIELDS:
        assert getattr(moved, name).data_ptr() == getattr(batch, name).data_ptr()
    assert moved.merged is None
    assert moved.reverse_merged is None


def test_a_device_gets_the_arrays_and_the_host_keeps_the_schedule() -> None:
    batch = GraphBatch.pack([DIAMOND, LONE, FORK])
    moved = batch.to("meta")
    assert moved.device.type == "meta"
    for name in FIELDS:
        there, here = getattr(moved, name), getattr(batch, name)
        assert there.device.type == ("cpu" if name in ON_HOST else "meta"), name
        assert (there.shape, there.dtype) == (here.shape, here.dtype)
    assert moved.level_ptr.tolist() == [0, 3, 6, 8, 9]
    assert moved.reverse().root is moved.reverse_root
    assert moved.reverse().level_ptr.tolist() == moved.reverse_level_ptr.tolist()
    assert moved.greatest.tolist() == [7, 3]


def test_merged_forms_by_hand() -> None:
    batch = GraphBatch.pack([FORK, FORK, FORK]).with_merged()
    assert batch.merged is not None
    assert batch.reverse_merged is not None
    assert batch.merged.node_to_merged.tolist() == [0, 1, 2, 3] * 3
    assert batch.merged.batch.node_type.tolist() == [0, 1, 1, 2]
    assert batch.merged.batch.pred_src.tolist() == [0, 0, 1, 2]
    assert batch.reverse_merged.node_to_merged.tolist() == [3, 1, 2, 0] * 3
    assert batch.reverse_merged.batch.node_index.tolist() == [3, 1, 2, 0]
    back = batch.reverse()
    assert (back.merged, back.reverse_merged) == (batch.reverse_merged, batch.merged)
    on_meta = batch.to("meta").merged
    assert on_meta is not None
    assert on_meta.batch.device.type == on_meta.node_to_merged.device.type == "meta"
    assert on_meta.batch.level_ptr.tolist() == batch.merged.batch.level_ptr.tolist()
    assert (on_meta.batch.merged, on_meta.node_to_merged.shape) == (None, (12,))


@pytest.mark.parametrize(("equal", "is_kept"), [(0, False), (7, False), (8, True)])
def test_a_merged_form_is_kept_where_it_leaves_seven_of_eight(equal: int, is_kept: bool) -> None:
    """Of 64 lone nodes `equal` ones more than one have the first one's type."""
    types = [0] * (equal + 1) + list(range(1, 64 - equal))
    batch = GraphBatch.pack([Dag((t,), ()) for t in types]).with_merged()
    assert (batch.merged is not None, batch.reverse_merged is not None) == (is_kept, is_kept)


def test_a_merged_form_of_one_node_is_kept_and_one_of_none_is_not() -> None:
    same = GraphBatch.pack([Dag((0,), ()), Dag((0,), ())]).with_merged().merged
    assert same is not None
    assert (same.batch.num_nodes, same.node_to_merged.tolist()) == (1, [0, 0])
    assert GraphBatch.pack([]).with_merged().merged is None


def test_merged_forms_are_made_for_devices_unless_unwanted() -> None:
    batch = GraphBatch.pack([FORK, FORK])
    assert batch.to("meta").merged is not None
    assert batch.to("meta", merge=False).merged is None
    assert GraphBatch.pack([]).to("meta").merged is None


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("node_type", [0, 1, 3, 2], r"node_type\[2\]: expected 0..2, found 3"),
        ("node_index", [0, 1, 2, 4], r"node_index\[3\]: expected 0..3, found 4"),
        ("node_graph", [0, 0, 1, 0], r"node_graph\[2\]: expected 0..0, found 1"),
        ("graph_ptr", [0, 5], r"graph_ptr: expected rising from 0 to 4"),
        ("root", [4], r"root\[0\]: expected 0..3, found 4"),
        ("pred_ptr", [0, 0, 1, 2], r"pred_ptr: expected 5 entries, found 4"),
        ("pred_src", [0, 0, 1, -1], r"pred_src\[3\]: expected 0..3, found -1"),
        ("succ_dst", [1, 2, 3, 4], r"succ_dst\[3\]: expected 0..3, found 4"),
        ("level_ptr", [], r"level_ptr: expected 1 entries, found 0"),
        ("level_ptr", [0, 2, 1, 4], r"level_ptr: expected rising from 0 to 4"),
        ("level_node", [0, 1, 1, 3], r"level_node\[2\]: expected above 1, found 1"),
        ("level_node", [0, 1, 3, 2], r"pred_src\[2\]: expected a node of a level before 1, "
         r"found node 1 of level 1"),
        ("reverse_root", [-1], r"with all edges turned round: root\[0\]: expected 0..3, found -1"),
        ("reverse_level_node", [3, 1, 0, 2], r"with all edges turned round: level_node\[2\]: "
         r"expected above 1, found 0"),
    ],
)  # fmt: skip
def test_a_broken_batch_does_not_leave_the_cpu(field: str, values: list[int], message: str) -> None:
    batch = replace(GraphBatch.pack([FORK]), **{field: ints(values)})
    with pytest.raises(GraphError, match=f"GraphBatch.to: {message}"):
        batch.to("meta", merge=False)


def test_pointers_whose_steps_leave_32_bits() -> None:
    with pytest.raises(GraphError, match=r"graph_ptr\[2\]: expected at least 2147483648, found -2"):
        GraphBatch.from_arrays([0, 0, 0], [0, 2**31 - 1, -2, 3], [], [], [0, 0, 0, 0])
