"""Teacher forcing of the published D-VAE/NGAE decoder: how probable are given graphs, given z.

Past the end of a shorter graph the published loss goes on to max_nodes: the true type is the
start type, predicted from the last node's state; states past the end are 0, true edges are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from ngae.baselines.dvae_graphs import DenseGraphs
from ngae.baselines.dvae_messages import propagation_weights
from ngae.ops import dag_gru, linear, pair_scores

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
    states = _states(model, z, graphs)
    return _type_loss(model, states, graphs) + _edge_loss(model, states, graphs)


def _states(model: DVAE, z: Tensor, graphs: DenseGraphs) -> Tensor:
    """Final states along the true types and edges: (num_graphs, nodes, H), 0 past the end."""
    batch = graphs.to_batch()
    weights = propagation_weights(model.grud, model.gate_forward, model.mapper_forward)
    h = dag_gru(batch, weights, torch.tanh(model.fc3(z)))
    place = graphs.present.flatten().nonzero().squeeze(1)
    padded = h.new_zeros(graphs.present.numel(), h.shape[1]).index_copy(0, place, h)
    return padded.view(*graphs.present.shape, h.shape[1])


def _type_loss(model: DVAE, states: Tensor, graphs: DenseGraphs) -> Tensor:
    """Cross-entropy of the types of nodes 1, 2, ..., summed: (num_graphs,)."""
    places = torch.arange(graphs.max_nodes - 1, device=states.device)
    last = torch.minimum(places[None], graphs.num_nodes[:, None] - 1)
    rows = torch.arange(len(graphs), device=states.device)[:, None]
    logits = model.add_vertex(states[rows, last])  # (num_graphs, nodes - 1, num_node_types)
    types = graphs.node_types[:, 1:]
    target = torch.where(types >= 0, types, model.config.start_type)
    return functional.cross_entropy(logits.transpose(1, 2), target, reduction="none").sum(dim=1)


def _edge_loss(model: DVAE, states: Tensor, graphs: DenseGraphs) -> Tensor:
    """Binary cross-entropy of all pairs u < v, summed: (num_graphs,).

    The first layer is taken apart, W [h_u; h_v] = W_u h_u + W_v h_v: a product for each state
    instead of one for each pair.
    """
    nodes = graphs.max_nodes
    pairs = [(u, v) for v in range(1, nodes) for u in reversed(range(v))]
    sources, targets = torch.tensor(pairs, device=states.device).T
    partial, row = _partial_states(model, states, graphs)
    first, last = model.add_edge[0], model.add_edge[2]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    of_source, of_target = first.weight.chunk(2, dim=1)
    graph = torch.arange(len(graphs), device=states.device)[:, None]
    logits = pair_scores(
        linear(states.flatten(0, 1), of_source),
        linear(partial, of_target, first.bias),
        last.weight.squeeze(0),
        (graph * nodes + sources).flatten(),
        row.flatten(),
    )
    logits = logits.view(len(graphs), len(pairs)) + last.bias
    true = graphs.adjacency[:, sources, targets].to(logits.dtype)
    return functional.binary_cross_entropy_with_logits(logits, true, reduction="none").sum(dim=1)


def _partial_states(model: DVAE, states: Tensor, graphs: DenseGraphs) -> tuple[Tensor, Tensor]:
    """States of each node v while its edges from v-1, ..., 0 are decided.

    A state changes only where an edge joins the sum, so it is computed once for each edge.

    Returns:
        Such states (num_states, H), 0 past the end; and the row among them before each decision,
        (num_graphs, pairs), for v = 1, 2, ... and u = v-1, ..., 0.
    """
    steps = [(v, j) for v in range(1, graphs.max_nodes) for j in range(v + 1)]  # j edges decided
    node, done = torch.tensor(steps, device=states.device).T
    places = torch.arange(graphs.max_nodes, device=states.device)
    decided = (places < node[:, None]) & (places >= (node - done)[:, None])  # (steps, u)
    feeds = graphs.adjacency[:, :, node].transpose(1, 2) & decided  # (num_graphs, steps, u)
    changes = feeds.gather(2, (node - done)[None, :, None].expand(len(graphs), -1, 1)).squeeze(2)
    changes = changes | (done == 0)
    sums = torch.bmm(feeds.to(states.dtype), model.messages(states))[changes]
    graph, step = changes.nonzero().T
    after = model.grud(model.one_hot(graphs)[graph, node[step]], sums)
    after = after * graphs.present[graph, node[step], None]
    row = changes.flatten().cumsum(0).view_as(changes) - 1
    return after, row[:, done < node]
