"""Graph convolutions on an edge list: GCN, GAT, GIN, Chebyshev, GraphSAGE, ARMA and k-GNN.

A layer maps (num_nodes, inputs) and edge_index (2, num_edges), sources above targets, to
(num_nodes, outputs); node i sums over the edges j -> i that enter it. No edge has a weight.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class GcnConv(nn.Module):
    """Kipf and Welling 2017, eq. 2: Y = D^-1/2 (A + I) D^-1/2 X W + b, D the degrees of A + I."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.map = nn.Linear(inputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return (num_nodes, outputs)."""
        edges = with_self_loops(edge_index, len(x))
        return propagate(self.map(x), edges, symmetric_norm(edges, 1, x)) + self.bias


class GatConv(nn.Module):
    """Velickovic et al. 2018, eqs. 1 to 5, heads joined, each node a neighbour of itself.

    y_i = sum_j a_ij W x_j + b, a_ij = softmax over j of LeakyReLU(s . W x_j + t . W x_i), of slope
    0.2.
    """

    def __init__(self, inputs: int, outputs: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.map = nn.Linear(inputs, outputs, bias=False)
        self.source = nn.Parameter(torch.empty(heads, outputs // heads))
        self.target = nn.Parameter(torch.empty(heads, outputs // heads))
        self.bias = nn.Parameter(torch.zeros(outputs))
        for weight in (self.source, self.target):
            nn.init.xavier_uniform_(weight)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return (num_nodes, outputs)."""
        source, target = edges = with_self_loops(edge_index, len(x))
        mapped = self.map(x).unflatten(1, (self.heads, -1))  # (num_nodes, heads, outputs / heads)
        from_source = (mapped * self.source).sum(dim=2)
        from_target = (mapped * self.target).sum(dim=2)
        score = functional.leaky_relu(from_source[source] + from_target[target], 0.2)
        weight = softmax_at_targets(score, target, len(x))
        return propagate(mapped, edges, weight[..., None]).flatten(1) + self.bias


class GinConv(nn.Module):
    """Xu et al. 2019, eq. 4.1 with one linear map and eps = 0: y_i = W (x_i + sum_j x_j) + b."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.map = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return (num_nodes, outputs)."""
        mapped: Tensor = self.map(x + propagate(x, edge_index))
        return mapped


class ChebConv(nn.Module):
    """Defferrard et al. 2016, eq. 4, two terms and largest eigenvalue 2: Y = X W0 + L X W1 + b.

    L = -D^-1/2 A D^-1/2 is the rescaled Laplacian; loops of the graph do not count.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.own = nn.Linear(inputs, outputs, bias=False)
        self.near = nn.Linear(inputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return (num_nodes, outputs)."""
        edges = edge_index[:, edge_index[0] != edge_index[1]]
        near = propagate(x, edges, -symmetric_norm(edges, 0, x))
        mapped: Tensor = self.own(x) + self.near(near) + self.bias
        return mapped


class SageConv(nn.Module):
    """Hamilton et al. 2017, mean: y_i = W1 mean_j x_j + b + W2 x_i."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.near = nn.Linear(inputs, outputs)
        self.own = nn.Linear(inputs, outputs, bias=False)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return (num_nodes, outputs)."""
        count = degrees(edge_index[1], len(x), x.dtype).clamp(min=1)
        mapped: Tensor = self.near(propagate(x, edge_index) / count[:, None]) + self.own(x)
        return mapped


class ArmaConv(nn.Module):
    """Bianchi et al. 2021, eq. 6, one stack of one layer: Y = ReLU(D^-1/2 A D^-1/2 X W + X V + b).

    `later` would serve a second layer. It stays unused, and is there because the published
    networks own it, and the published counts include it.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.near = nn.Linear(inputs, outputs, bias=False)
        self.own = nn.Linear(inputs, outputs, bias=False)
        self.later = nn.Linear(outputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return (num_nodes, outputs)."""
        norm = symmetric_norm(edge_index, 1, x)
        return torch.relu(propagate(self.near(x), edge_index, norm) + self.own(x) + self.bias)


class KgnnConv(nn.Module):
    """Morris et al. 2019, eq. 5: y_i = W1 sum_j x_j + b + W2 x_i."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.near = nn.Linear(inputs, outputs)
        self.own = nn.Linear(inputs, outputs, bias=False)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return (num_nodes, outputs)."""
        mapped: Tensor = self.near(propagate(x, edge_index)) + self.own(x)
        return mapped


class NodeLinear(nn.Module):
    """A linear map of each node alone: Y = X W + b."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.map = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return (num_nodes, outputs); the edges are not read."""
        mapped: Tensor = self.map(x)
        return mapped


class Skip(nn.Module):
    """Hands its input on."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Return `x`."""
        return x


def propagate(x: Tensor, edge_index: Tensor, weight: Tensor | None = None) -> Tensor:
    """Sum over the edges j -> i of weight_ji x_j, for each node i.

    Args:
        x: (num_nodes, ...).
        edge_index: (2, num_edges).
        weight: (num_edges,), or (num_edges, ...) that broadcasts with x's rows, or None for ones.

    Returns:
        As `x`.
    """
    source, target = edge_index
    messages = x[source]
    if weight is not None:
        messages = messages * weight.view(len(weight), *(weight.shape[1:] or (1,)))
    return torch.zeros_like(x).index_add(0, target, messages)


def with_self_loops(edge_index: Tensor, num_nodes: int) -> Tensor:
    """Give each node exactly one edge to itself: (2, num_edges)."""
    others = edge_index[:, edge_index[0] != edge_index[1]]
    loops = torch.arange(num_nodes, device=edge_index.device).expand(2, -1)
    return torch.cat([others, loops], dim=1)


def degrees(nodes: Tensor, num_nodes: int, dtype: torch.dtype) -> Tensor:
    """Count how often each node stands in `nodes` (num_edges,): (num_nodes,)."""
    ones = torch.ones(len(nodes), dtype=dtype, device=nodes.device)
    return torch.zeros(num_nodes, dtype=dtype, device=nodes.device).index_add(0, nodes, ones)


def symmetric_norm(edge_index: Tensor, side: int, x: Tensor) -> Tensor:
    """Return 1 / sqrt(degree_i degree_j) of each edge, 0 where a degree is 0: (num_edges,).

    Args:
        edge_index: (2, num_edges).
        side: Degrees count edges by their source (0) or their target (1).
        x: (num_nodes, ...), whose dtype the result has.
    """
    degree = degrees(edge_index[side], len(x), x.dtype)
    root = torch.where(degree > 0, degree, torch.inf).rsqrt()
    return root[edge_index[0]] * root[edge_index[1]]


def softmax_at_targets(score: Tensor, target: Tensor, num_nodes: int) -> Tensor:
    """Normalise scores over the edges that enter the same node.

    Args:
        score: (num_edges, heads).
        target: (num_edges,).
        num_nodes: Number of nodes.

    Returns:
        (num_edges, heads), positive; those of a node sum to 1.
    """
    index = target[:, None].expand_as(score)
    zeros = score.new_zeros(num_nodes, score.shape[1])
    highest = zeros.scatter_reduce(0, index, score.detach(), "amax", include_self=False)
    weight = (score - highest[target]).exp()
    return weight / zeros.index_add(0, target, weight)[target]
