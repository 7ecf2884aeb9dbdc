"""Teacher forcing of the published D-VAE/NGAE decoder: how probable are given graphs, given z.

Past the end of a shorter graph the published loss goes on to max_nodes: the true type is the
start type, predicted from the last node's state; states past the end are 0, true edges are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from ngae.baselines.dvae_graphs import DenseGraphs

if TYPE_CHECKING:
    from ngae.baselines.dvae_model import DVAE


def reconstruction_loss(model: DVAE, z: Tensor, graphs: DenseGraphs) -> Tensor:
    """Compute -log p(graph given z) for each graph.

    Args:
        model: The model.
        z: (num_graphs, latent_dim).
        graphs: The graphs, as wide as the model.

    Returns:
        (num_graphs,), in nats.
    """
    states, partial = _teach(model, z, graphs)
    return _type_loss(model, states, graphs) + _edge_loss(model, states, partial, graphs)


def _teach(model: DVAE, z: Tensor, graphs: DenseGraphs) -> tuple[Tensor, list[Tensor]]:
    """Run the decoder along the true types and edges.

    Returns:
        States (num_graphs, nodes, H), 0 past the end; and for v = 1, 2, ... the states of node v
        when the edges from v-1, ..., 0 are decided, each (num_graphs, v, H), 0 past the end.
    """
    types, feeds = model.one_hot(graphs), graphs.adjacency.to(z.dtype)
    present = graphs.present.to(z.dtype)[:, :, None]
    states = [model.initial_state(z)]
    messages = [model.message(states[0], 0)]
    partial = []
    for v in range(1, graphs.max_nodes):
        # the true edges from v-1, ..., 0 join the sum one after another: (num_graphs, v, H)
        newest_first = torch.stack(messages[::-1], dim=1)
        joined = (feeds[:, :v, v].flip(1)[:, :, None] * newest_first).cumsum(dim=1)
        sums = torch.cat([torch.zeros_like(joined[:, :1]), joined], dim=1)
        repeated = types[:, v, None].expand(-1, v + 1, -1)
        after = model.grud(repeated.flatten(0, 1), sums.flatten(0, 1)).unflatten(0, (-1, v + 1))
        after = after * present[:, v, None]
        partial.append(after[:, :-1])
        states.append(after[:, -1])
        messages.append(model.message(states[v], v))
    return torch.stack(states, dim=1), partial


def _type_loss(model: DVAE, states: Tensor, graphs: DenseGraphs) -> Tensor:
    """Cross-entropy of the types of nodes 1, 2, ..., summed: (num_graphs,)."""
    places = torch.arange(graphs.max_nodes - 1, device=states.device)
    last = torch.minimum(places[None], graphs.num_nodes[:, None] - 1)
    rows = torch.arange(len(graphs), device=states.device)[:, None]
    logits = model.add_vertex(states[rows, last])  # (num_graphs, nodes - 1, num_node_types)
    types = graphs.node_types[:, 1:]
    target = torch.where(types >= 0, types, model.config.start_type)
    return functional.cross_entropy(logits.transpose(1, 2), target, reduction="none").sum(dim=1)


def _edge_loss(model: DVAE, states: Tensor, partial: list[Tensor], graphs: DenseGraphs) -> Tensor:
    """Binary cross-entropy of all pairs u < v, summed: (num_graphs,)."""
    pairs = [(u, v) for v in range(1, graphs.max_nodes) for u in reversed(range(v))]
    sources, targets = [u for u, _ in pairs], [v for _, v in pairs]
    joined = torch.cat([states[:, sources], torch.cat(partial, dim=1)], dim=2)
    logits = model.add_edge(joined).squeeze(2)  # (num_graphs, pairs)
    true = graphs.adjacency[:, sources, targets].to(logits.dtype)
    return functional.binary_cross_entropy_with_logits(logits, true, reduction="none").sum(dim=1)
