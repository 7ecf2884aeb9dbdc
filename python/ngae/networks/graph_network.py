"""`GraphNetwork`: an architecture of NAS-Bench-Graph as a node-classification network.

Its layers are those of `ngae.networks.graph_layers`, or torch-geometric's on request.
"""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ngae.errors import MissingExtraError, UsageError
from ngae.networks import graph_layers
from ngae.networks.graph_config import (
    OPERATIONS,
    GraphConfig,
    check_operations,
    output_nodes,
    raw_nodes,
)

BACKENDS = ("torch", "torch_geometric")


class GraphNetwork(nn.Module):
    """The published skeleton (Qin et al. 2022) around four operations.

    h_0 = [pre](dropout(x));
    h_{k+1} = operation_k(dropout(ReLU(BN_k(h_link)))), without BN, ReLU and dropout where h_link
    is the input itself and there is no layer before;
    scores = [post](join(ReLU(concatenation of the leaves))).
    A leaf that is the input itself, handed on by skips, is not joined, unless there are no others.

    Args:
        links: The node that feeds each of the 4 operations: 0 is the input, j is operation j - 1.
        operations: Numbers into OPERATIONS.
        config: Sizes of the network.
        backend: "torch", or "torch_geometric" for that package's layers.

    Raises:
        GraphError: Links and operations that are no architecture.
        MissingExtraError: torch-geometric is asked for and not installed.
        UsageError: No such backend.
    """

    def __init__(
        self,
        links: tuple[int, ...],
        operations: tuple[int, ...],
        config: GraphConfig,
        backend: str = "torch",
    ) -> None:
        super().__init__()
        check_operations(links, operations)
        self.links, self.operations, self.config = tuple(links), tuple(operations), config
        table = np.array([links]), np.array([operations])
        raw = raw_nodes(*table)[0]
        self.joined = tuple(np.flatnonzero(output_nodes(*table)[0]).tolist())
        first = config.hidden_dim if config.pre_layers else config.num_features
        width = [first if is_raw else config.hidden_dim for is_raw in raw]
        self.normed = tuple(bool(config.pre_layers) or not raw[link] for link in links)
        make = _maker(backend, config)
        self.layers = nn.ModuleList(
            make(OPERATIONS[o], width[link]) for o, link in zip(operations, links, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(config.hidden_dim) for _ in operations)
        self.pre = nn.Sequential()
        if config.pre_layers:
            self.pre.append(nn.Linear(config.num_features, config.hidden_dim))
        inputs = sum(width[node] for node in self.joined)
        sizes = (inputs, *[config.hidden_dim] * config.post_layers, config.num_classes)
        self.join = nn.Linear(sizes[0], sizes[1])
        self.post = nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(sizes[1:])))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Classify the nodes of one graph.

        Args:
            x: (num_nodes, num_features).
            edge_index: int64 (2, num_edges), sources above targets.

        Returns:
            (num_nodes, num_classes) class scores.
        """
        nodes = [self.pre(self._drop(x))]
        for layer, norm, link, normed in zip(
            self.layers, self.norms, self.links, self.normed, strict=True
        ):
            value = self._drop(torch.relu(norm(nodes[link]))) if normed else nodes[link]
            nodes.append(layer(value, edge_index))
        leaves = torch.cat([nodes[node] for node in self.joined], dim=1)
        scores: Tensor = self.post(self.join(torch.relu(leaves)))
        return scores

    def _drop(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.config.dropout, self.training)


def _maker(backend: str, config: GraphConfig) -> Any:
    """A function that makes the layer of an operation for a width of its input."""
    if backend == "torch":
        return lambda name, inputs: _layer(name, inputs, config)
    if backend != "torch_geometric":
        raise UsageError(
            f"GraphNetwork: backend: expected one of {', '.join(BACKENDS)}, found {backend!r}"
        )
    try:
        package = import_module("torch_geometric.nn")
    except ImportError as error:
        raise MissingExtraError(
            "torch_geometric", "graph", "the backend torch_geometric of graph networks"
        ) from error
    return lambda name, inputs: _geometric_layer(package, name, inputs, config)


def _layer(name: str, inputs: int, config: GraphConfig) -> nn.Module:
    outputs = config.hidden_dim
    if name == "gat":
        return graph_layers.GatConv(inputs, outputs, config.heads)
    if name == "skip":
        return graph_layers.Skip()
    kinds: dict[str, Any] = {
        "gcn": graph_layers.GcnConv,
        "gin": graph_layers.GinConv,
        "cheb": graph_layers.ChebConv,
        "sage": graph_layers.SageConv,
        "arma": graph_layers.ArmaConv,
        "graph": graph_layers.KgnnConv,
        "fc": graph_layers.NodeLinear,
    }
    made: nn.Module = kinds[name](inputs, outputs)
    return made


def _geometric_layer(package: Any, name: str, inputs: int, config: GraphConfig) -> nn.Module:
    outputs, heads = config.hidden_dim, config.heads
    makers: dict[str, Any] = {
        "gat": lambda: package.GATConv(inputs, outputs // heads, heads),
        "gcn": lambda: package.GCNConv(inputs, outputs),
        "gin": lambda: package.GINConv(nn.Linear(inputs, outputs)),
        "cheb": lambda: package.ChebConv(inputs, outputs, K=2),
        "sage": lambda: package.SAGEConv(inputs, outputs),
        "arma": lambda: package.ARMAConv(inputs, outputs),
        "graph": lambda: package.GraphConv(inputs, outputs),
    }
    made: nn.Module = makers[name]() if name in makers else _layer(name, inputs, config)
    return made
