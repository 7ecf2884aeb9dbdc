"""The source of a `GraphNetwork`: ngae's own layers as they stand, and its steps written out."""

from __future__ import annotations

import inspect
import re
from itertools import pairwise
from typing import Any

import numpy as np

from ngae.networks import graph_layers
from ngae.networks.graph_config import (
    OPERATIONS,
    GraphConfig,
    check_operations,
    output_nodes,
    raw_nodes,
)
from ngae.networks.source import NetworkSource, listed

_CLASSES = {
    "gat": "GatConv", "gcn": "GcnConv", "gin": "GinConv", "cheb": "ChebConv", "sage": "SageConv",
    "arma": "ArmaConv", "graph": "KgnnConv", "fc": "NodeLinear", "skip": "Skip",
}  # fmt: skip

_CODE = '''
class Network(nn.Module):
    """Classifies the nodes of one graph."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout({dropout})
{layers}
        self.norms = nn.ModuleList(nn.BatchNorm1d({hidden_dim}) for _ in range(4))
        self.pre = nn.Sequential({pre})
        self.join = nn.Linear({joined}, {next})
        self.post = nn.Sequential({post})

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Score the classes of each node.

        Args:
            x: (num_nodes, {num_features}).
            edge_index: int64 (2, num_edges), sources above targets.

        Returns:
            (num_nodes, {num_classes}).
        """
        h0 = self.pre(self.drop(x))
{steps}
        return self.post(self.join(torch.relu({leaves})))

    def _activate(self, place: int, h: Tensor) -> Tensor:
        return self.drop(torch.relu(self.norms[place](h)))
'''


def graph_source(
    links: tuple[int, ...], operations: tuple[int, ...], config: GraphConfig
) -> NetworkSource:
    """Write `GraphNetwork(links, operations, config)` with ngae's layers.

    Raises:
        GraphError: Links and operations that are no architecture.
    """
    check_operations(links, operations)
    table = np.array([links]), np.array([operations])
    raw = raw_nodes(*table)[0]
    joined = np.flatnonzero(output_nodes(*table)[0]).tolist()
    first = config.hidden_dim if config.pre_layers else config.num_features
    width = [first if is_raw else config.hidden_dim for is_raw in raw]
    layers, steps = [], []
    for place, (link, operation) in enumerate(zip(links, operations, strict=True)):
        name = OPERATIONS[operation]
        layers.append(f"{_layer(name, width[link], config)}  # {name}")
        normed = config.pre_layers or not raw[link]
        value = f"self._activate({place}, h{link})" if normed else f"h{link}"
        steps.append(f"        h{place + 1} = self.layers[{place}]({value}, edge_index)")
    sizes = (sum(width[node] for node in joined), *[config.hidden_dim] * config.post_layers)
    after = [f"nn.Linear({a}, {b})" for a, b in pairwise((*sizes[1:], config.num_classes))]
    leaves = [f"h{node}" for node in joined]
    code = _CODE.format(
        pre=f"nn.Linear({config.num_features}, {first})" if config.pre_layers else "",
        layers=listed("self.layers = nn.ModuleList([", layers, "])", 8),
        joined=sizes[0],
        next=(*sizes[1:], config.num_classes)[0],
        post=", ".join(after),
        steps="\n".join(steps),
        leaves=leaves[0] if len(leaves) == 1 else f"torch.cat([{', '.join(leaves)}], dim=1)",
        **vars(config),
    )
    classes = {_CLASSES[OPERATIONS[operation]] for operation in operations}
    example = (
        f"torch.zeros(5, {config.num_features})",
        "torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])",
    )
    functional = ("from torch.nn import functional",) if "GatConv" in classes else ()
    return NetworkSource(
        "\n\n\n".join([*_sources(classes), code.strip("\n")]), example, (), functional
    )


def _layer(name: str, inputs: int, config: GraphConfig) -> str:
    heads = f", {config.heads}" if name == "gat" else ""
    sizes = "" if name == "skip" else f"{inputs}, {config.hidden_dim}{heads}"
    return f"{_CLASSES[name]}({sizes})"


def _sources(names: set[str]) -> list[str]:
    """The source of these layers and of all functions that they call, in the file's order."""
    known: dict[str, Any] = {
        name: value
        for name, value in vars(graph_layers).items()
        if getattr(value, "__module__", "") == graph_layers.__name__
    }
    texts: dict[str, str] = {}
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name] = inspect.getsource(known[name]).strip()
            waiting += set(re.findall(r"\w+", texts[name])) & known.keys()
    return [texts[name] for name in known if name in texts]
