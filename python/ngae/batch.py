"""`GraphBatch`: many Dags in flat arrays, the form in which the ops take them.

It holds structure only; node states and weights live elsewhere. Packing, checks and levels are
native code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ngae import _native
from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError, UsageError
from ngae.transfer import transfer

_PAIRS = {
    "root": "reverse_root",
    "pred_ptr": "succ_ptr",
    "pred_src": "succ_dst",
    "level_ptr": "reverse_level_ptr",
    "level_node": "reverse_level_node",
    "merged": "reverse_merged",
}

GRAPH_FIELDS = (  # that the ops read, in the order of GraphView in csrc/dag_gru.h
    "node_type", "node_index", "node_graph", "graph_ptr", "root", "pred_ptr", "pred_src",
    "succ_ptr", "succ_dst", "level_ptr", "level_node",
)  # fmt: skip
_MERGE_INPUT = (
    "node_type", "node_index", "graph_ptr", "pred_ptr", "pred_src", "level_ptr", "level_node",
)  # fmt: skip
_ON_DEVICE = (
    "node_type", "node_index", "node_graph", "graph_ptr", "root", "reverse_root", "pred_ptr",
    "pred_src", "succ_ptr", "succ_dst", "level_node", "reverse_level_node",
)  # fmt: skip
_MOST_LEFT = 7 / 8  # of the nodes: with more of them a merge does not pay


@dataclass(frozen=True, eq=False)
class Merged:
    """A batch without equal sub-computations, see `GraphBatch.merge`.

    Attributes:
        batch: One graph.
        node_to_merged: int64 (num_nodes,) node of `batch` that has the state of each node.
    """

    batch: GraphBatch
    node_to_merged: Tensor


@dataclass(frozen=True, eq=False)
class GraphBatch:
    """Graphs one after the other; fields are int32 tensors on one device, but for three.

    `level_ptr`, `reverse_level_ptr` and `greatest` are on the CPU wherever the others are: the
    host walks the levels and checks the sizes, and would have to wait for the device to read them.

    Attributes:
        node_type: (num_nodes,).
        node_index: (num_nodes,) place of the node in its graph, from 0.
        node_graph: (num_nodes,) the graph that it belongs to.
        graph_ptr: (num_graphs + 1,) nodes of graph g are graph_ptr[g] .. graph_ptr[g + 1] - 1.
        root: (num_graphs,) node that takes an initial state: the first of its graph, the last
            in a reversed batch.
        reverse_root: (num_graphs,), the same with all edges turned round.
        pred_ptr: (num_nodes + 1,) predecessors of node v are
            pred_src[pred_ptr[v] : pred_ptr[v + 1]].
        pred_src: (num_edges,) global node numbers, ascending for each node.
        succ_ptr: (num_nodes + 1,), the same for successors.
        succ_dst: (num_edges,).
        level_ptr: (num_levels + 1,) on the CPU; nodes of level i are
            level_node[level_ptr[i] : level_ptr[i + 1]].
        level_node: (num_nodes,) nodes by the longest path that leads to them; ascending within a
            level, so that those of a run of graphs are a run of it.
        reverse_level_ptr: (num_levels + 1,) on the CPU, the same with all edges turned round.
        reverse_level_node: (num_nodes,).
        greatest: (2,) on the CPU: the greatest node type and node index, -1 without nodes.
        merged: The batch without equal sub-computations, or None: see `with_merged`.
        reverse_merged: The same with all edges turned round.
    """

    node_type: Tensor
    node_index: Tensor
    node_graph: Tensor
    graph_ptr: Tensor
    root: Tensor
    reverse_root: Tensor
    pred_ptr: Tensor
    pred_src: Tensor
    succ_ptr: Tensor
    succ_dst: Tensor
    level_ptr: Tensor
    level_node: Tensor
    reverse_level_ptr: Tensor
    reverse_level_node: Tensor
    greatest: Tensor
    merged: Merged | None = None
    reverse_merged: Merged | None = None

    @classmethod
    def pack(cls, dags: Sequence[Dag]) -> GraphBatch:
        """Pack `dags`, none allowed, on the CPU."""
        packed = Dags.of(dags)
        return cls.from_arrays(
            packed.node_type, packed.graph_ptr, packed.edge_src, packed.edge_dst, packed.edge_ptr
        )

    @classmethod
    def from_arrays(
        cls,
        node_type: ArrayLike,
        graph_ptr: ArrayLike,
        edge_src: ArrayLike,
        edge_dst: ArrayLike,
        edge_ptr: ArrayLike,
    ) -> GraphBatch:
        """Pack graphs given as arrays of integers, on the CPU.

        Args:
            node_type: (num_nodes,) types, from 0.
            graph_ptr: (num_graphs + 1,) first node of each graph, and num_nodes.
            edge_src: (num_edges,) sources, numbered from 0 in each graph.
            edge_dst: (num_edges,) targets, each after its source.
            edge_ptr: (num_graphs + 1,) first edge of each graph, and num_edges.

        Raises:
            GraphError: Naming graph, node or edge, what was expected and what was found.
        """
        try:
            arrays = _native.load().pack(
                node_type=_int32("node_type", node_type),
                graph_ptr=_int32("graph_ptr", graph_ptr),
                edge_ptr=_int32("edge_ptr", edge_ptr),
                edge_src=_int32("edge_src", edge_src),
                edge_dst=_int32("edge_dst", edge_dst),
            )
        except ValueError as error:
            raise GraphError(f"GraphBatch.from_arrays: {error}") from None
        return cls._of(arrays)

    @classmethod
    def _of(cls, arrays: Mapping[str, NDArray[np.int32]]) -> GraphBatch:
        greatest = [arrays[name].max(initial=-1) for name in ("node_type", "node_index")]
        tensors: dict[str, Any] = {name: torch.from_numpy(a) for name, a in arrays.items()}
        return cls(
            **tensors,
            reverse_root=torch.from_numpy(arrays["graph_ptr"][1:] - 1),
            greatest=torch.from_numpy(np.array(greatest, dtype=np.int32)),
        )

    @property
    def num_nodes(self) -> int:
        """Number of nodes of all graphs."""
        return self.node_type.shape[0]

    @property
    def num_edges(self) -> int:
        """Number of edges of all graphs."""
        return self.pred_src.shape[0]

    @property
    def num_graphs(self) -> int:
        """Number of graphs."""
        return self.root.shape[0]

    @property
    def num_levels(self) -> int:
        """Number of levels: nodes on the longest path."""
        return self.level_ptr.shape[0] - 1

    @property
    def device(self) -> torch.device:
        """Device of the nodes and edges."""
        return self.node_type.device

    def to(self, device: torch.device | str, *, merge: bool = True) -> GraphBatch:
        """Return the batch on `device`.

        A batch that leaves the CPU is checked, since kernels elsewhere follow its indices
        unseen, and brings its merged forms with it. The host does not wait for the copies.

        Args:
            device: Where it is wanted.
            merge: Make the merged forms, which propagation without `initial` takes.

        Raises:
            GraphError: The batch, made otherwise than by the functions here, has an index out of
                range, or a node in a level before its predecessor's.
        """
        device = torch.device(device)
        if self.device.type != "cpu" or device.type == "cpu":
            return self._moved(device)
        self._check("GraphBatch.to")
        self.reverse()._check("GraphBatch.to: with all edges turned round")
        return (self.with_merged() if merge else self)._moved(device)

    def _moved(self, device: torch.device) -> GraphBatch:
        tensors = transfer([getattr(self, name) for name in _ON_DEVICE], device)
        return replace(
            self,
            **dict(zip(_ON_DEVICE, tensors, strict=True)),
            merged=_merged_on(self.merged, device),
            reverse_merged=_merged_on(self.reverse_merged, device),
        )

    def _check(self, caller: str) -> None:
        arrays = [getattr(self, name).numpy() for name in GRAPH_FIELDS]
        types, places = (self.greatest + 1).tolist()
        try:
            _native.load().check_batch(arrays, num_types=types, num_places=places)
        except ValueError as error:
            raise GraphError(f"{caller}: {error}") from None

    def reverse(self) -> GraphBatch:
        """Return the batch with all edges turned round; node numbers stay, roots are the last."""
        values = {}
        for one, other in _PAIRS.items():
            values[one], values[other] = getattr(self, other), getattr(self, one)
        return replace(self, **values)

    def with_merged(self) -> GraphBatch:
        """Return the batch with its merged forms, both ways, for a batch on the CPU.

        A form is kept where it has at most 7/8 of the nodes; it holds for weights with and
        without index tables.

        Raises:
            GraphError: See `merge`.
        """
        return replace(self, merged=self._worthwhile(), reverse_merged=self.reverse()._worthwhile())

    def _worthwhile(self) -> Merged | None:
        batch, node_to_merged = self.merge(1, use_index=True)
        if not 0 < batch.num_nodes <= _MOST_LEFT * self.num_nodes:
            return None
        return Merged(batch, node_to_merged)

    def prefix(self, counts: NDArray[np.int64]) -> GraphBatch:
        """Return the first counts[g] nodes of each graph g, with the edges between them.

        For a batch on the CPU that is not reversed.

        Args:
            counts: (num_graphs,) from 1 to the graph's number of nodes.
        """
        graph, place = self.node_graph.numpy(), self.node_index.numpy()
        keep = place < counts[graph]
        degree = np.diff(self.pred_ptr.numpy())
        target = np.repeat(np.arange(self.num_nodes), degree)
        kept_edge = keep[target]
        edges = np.bincount(graph[target[kept_edge]], minlength=self.num_graphs)
        return GraphBatch.from_arrays(
            self.node_type.numpy()[keep],
            np.append(0, counts.cumsum()),
            place[self.pred_src.numpy()[kept_edge]],
            place[target[kept_edge]],
            np.append(0, edges.cumsum()),
        )

    def merge(self, num_groups: int, use_index: bool) -> tuple[GraphBatch, Tensor]:
        """Find equal sub-computations: nodes whose states agree whatever the weights are.

        A node's state is a function of its type, its index (where the weights use it) and its
        predecessors' states, in their order. `dag_gru(merged, parameters)[node_to_merged]` equals
        `dag_gru(batch, parameters)`, which takes this way by itself; it holds without `initial`
        only.

        Args:
            num_groups: Contiguous groups of graphs that are merged apart, so that each can be
                one thread's; no more than there are graphs are made.
            use_index: Keep nodes of different index apart.

        Returns:
            The merged batch on the CPU, with one graph for each group, in which a predecessor may
            stand more than once; and node_to_merged, int64 (num_nodes,).

        Raises:
            UsageError: num_groups below 1.
            GraphError: The batch, made otherwise than by the functions here, has an index out of
                range.
        """
        if num_groups < 1:
            raise UsageError(
                f"GraphBatch.merge: num_groups: expected at least 1, found {num_groups}"
            )
        arrays = {name: getattr(self, name).cpu().numpy() for name in _MERGE_INPUT}
        try:
            merged, node_to_merged = _native.load().merge(
                **arrays, num_groups=num_groups, use_index=use_index
            )
        except ValueError as error:
            raise GraphError(f"GraphBatch.merge: {error}") from None
        return GraphBatch._of(merged), torch.from_numpy(node_to_merged).long()


def _merged_on(merged: Merged | None, device: torch.device) -> Merged | None:
    if merged is None:
        return None
    (node_to_merged,) = transfer([merged.node_to_merged], device)
    return Merged(merged.batch._moved(device), node_to_merged)


def _int32(name: str, values: ArrayLike) -> NDArray[np.int32]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise GraphError(
            f"GraphBatch.from_arrays: {name}: expected integers in one dimension, "
            f"found {array.dtype} of shape {array.shape}"
        )
    narrow = array.astype(np.int32)
    if not np.array_equal(narrow, array):
        raise GraphError(f"GraphBatch.from_arrays: {name}: expected values of 32 bits")
    return np.ascontiguousarray(narrow)
