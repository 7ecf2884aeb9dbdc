"""`DenseGraphs`: many small graphs as padded arrays, the input form of the published model.

Checked once, when made; its tensors are not meant to be written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.errors import GraphError

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


@dataclass(frozen=True, eq=False)
class DenseGraphs:
    """Graphs with nodes in topological order, padded to a common width.

    Attributes:
        node_types: int64 (num_graphs, max_nodes): type of each node; -1 past the graph's end.
        adjacency: bool (num_graphs, max_nodes, max_nodes): `[u, v]` where u feeds v, u < v.
        num_nodes: int64 (num_graphs,): 1 to max_nodes.

    Any integer dtype (and bool for `adjacency`) is taken and converted.

    Raises:
        GraphError: Naming the array and the first place that is wrong.
    """

    node_types: Tensor
    adjacency: Tensor
    num_nodes: Tensor

    def __post_init__(self) -> None:
        self._check_forms()
        _refuse("adjacency", self.adjacency, (self.adjacency.long() | 1) != 1, "0 or 1")
        object.__setattr__(self, "node_types", self.node_types.long())
        object.__setattr__(self, "adjacency", self.adjacency.bool())
        object.__setattr__(self, "num_nodes", self.num_nodes.long())
        self._check_values()

    @classmethod
    def from_dags(cls, dags: Sequence[Dag], max_nodes: int) -> DenseGraphs:
        """Pad Dags to `max_nodes`.

        Raises:
            GraphError: A Dag with more nodes.
        """
        node_types = torch.full((len(dags), max_nodes), -1)
        adjacency = torch.zeros(len(dags), max_nodes, max_nodes, dtype=torch.bool)
        for i, dag in enumerate(dags):
            if len(dag) > max_nodes:
                raise GraphError(
                    f"DenseGraphs.from_dags: graph {i}: expected at most {max_nodes} nodes, "
                    f"found {len(dag)}"
                )
            node_types[i, : len(dag)] = torch.tensor(dag.node_types)
            for u, v in dag.edges:
                adjacency[i, u, v] = True
        return cls(node_types, adjacency, torch.tensor([len(dag) for dag in dags]).long())

    def to_dags(self) -> list[Dag]:
        """Return the graphs as Dags that belong to no search space."""
        dags = []
        for types, feeds, count in zip(
            self.node_types.tolist(), self.adjacency, self.num_nodes.tolist(), strict=True
        ):
            edges = tuple((int(u), int(v)) for u, v in feeds.nonzero().tolist())
            dags.append(Dag(tuple(types[:count]), edges))
        return dags

    def to_batch(self) -> GraphBatch:
        """Pack the graphs, on the device of the arrays."""
        graph, source, target = self.adjacency.cpu().nonzero().int().numpy().T
        edges = np.bincount(graph, minlength=len(self))
        batch = GraphBatch.from_arrays(
            self.node_types[self.present].cpu().numpy(),
            np.append(0, self.num_nodes.cpu().numpy().cumsum()),
            source,
            target,
            np.append(0, edges.cumsum()),
        )
        return batch.to(self.node_types.device)

    def __len__(self) -> int:
        return int(self.node_types.shape[0])

    @property
    def max_nodes(self) -> int:
        """Width of the arrays."""
        return int(self.node_types.shape[1])

    @property
    def present(self) -> Tensor:
        """Bool (num_graphs, max_nodes): whether the graph has that node."""
        places = torch.arange(self.max_nodes, device=self.num_nodes.device)
        return places < self.num_nodes[:, None]

    def rows(self, start: int, stop: int) -> DenseGraphs:
        """Return graphs `start` to `stop - 1`."""
        keep = slice(start, stop)
        return DenseGraphs(self.node_types[keep], self.adjacency[keep], self.num_nodes[keep])

    def to(self, device: torch.device | str) -> DenseGraphs:
        """Return the same graphs on `device`."""
        return DenseGraphs(
            self.node_types.to(device), self.adjacency.to(device), self.num_nodes.to(device)
        )

    def _check_forms(self) -> None:
        shape = tuple(self.node_types.shape)
        if len(shape) != 2 or shape[1] < 1:
            raise GraphError(
                f"DenseGraphs: node_types: expected shape (num_graphs, max_nodes), found {shape}"
            )
        graphs, nodes = shape
        for name, tensor, expected in (
            ("node_types", self.node_types, (graphs, nodes)),
            ("adjacency", self.adjacency, (graphs, nodes, nodes)),
            ("num_nodes", self.num_nodes, (graphs,)),
        ):
            if tuple(tensor.shape) != expected:
                raise GraphError(
                    f"DenseGraphs: {name}: expected shape {expected}, found {tuple(tensor.shape)}"
                )
            if tensor.dtype not in _INTEGERS and not (
                name == "adjacency" and tensor.dtype == torch.bool
            ):
                raise GraphError(f"DenseGraphs: {name}: expected integers, found {tensor.dtype}")

    def _check_values(self) -> None:
        count = self.num_nodes
        wrong_count = (count < 1) | (count > self.max_nodes)
        _refuse("num_nodes", count, wrong_count, f"1 to {self.max_nodes}")
        present, types, feeds = self.present, self.node_types, self.adjacency
        _refuse("node_types", types, present & (types < 0), "a type from 0")
        _refuse("node_types", types, ~present & (types != -1), "-1 past the graph's end")
        outside = ~(present[:, :, None] & present[:, None, :])
        _refuse("adjacency", feeds, feeds & outside, "no edge past the graph's end")
        backward = torch.ones(self.max_nodes, self.max_nodes, device=feeds.device).tril().bool()
        _refuse("adjacency", feeds, feeds & backward, "edges to later nodes only")


def _refuse(name: str, values: Tensor, wrong: Tensor, expected: str) -> None:
    if wrong.any():
        place = wrong.nonzero()[0].tolist()
        found = int(values[tuple(place)])
        raise GraphError(f"DenseGraphs: {name}{place}: expected {expected}, found {found}")
