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
    states, partial, partial_row = _teach(model, z, graphs)
    edges = _edge_loss(model, states, partial, partial_row, graphs)
    return _type_loss(model, states, graphs) + edges


def _teach(
    model: DVAE, z: Tensor, graphs: DenseGraphs
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Run the decoder along the true types and edges.

    A state changes only where an edge joins, so it is computed once for each edge.

    Returns:
        States (num_graphs, nodes, H), 0 past the end; for v = 1, 2, ... the states that node v
        takes while its edges from v-1, ..., 0 are decided, (num_states, H), 0 past the end; and
        the row among them before each decision, (num_graphs, v).
    """
    types, feeds = model.one_hot(graphs), graphs.adjacency
    present = graphs.present.to(z.dtype)
    states = [model.initial_state(z)]
    messages = [model.message(states[0], 0)]
    partial, partial_row = [], []
    for v in range(1, graphs.max_nodes):
        # the true edges from v-1, ..., 0 join the sum one after another: (num_graphs, v + 1)
        changes = functional.pad(feeds[:, :v, v].flip(1), (1, 0), value=True)
        row = changes.flatten().cumsum(0).view_as(changes) - 1
        newest_first = torch.stack(messages[::-1], dim=1)
        joined = (changes[:, 1:, None] * newest_first).cumsum(dim=1)
        sums = torch.cat([torch.zeros_like(joined[:, :1]), joined], dim=1)[changes]
        graph = changes.nonzero()[:, 0]
        after = model.grud(types[graph, v], sums) * present[graph, v, None]
        partial.append(after)
        partial_row.append(row[:, :-1])
        states.append(after[row[:, -1]])
        messages.append(model.message(states[v], v))
    return torch.stack(states, dim=1), partial, partial_row


def _type_loss(model: DVAE, states: Tensor, graphs: DenseGraphs) -> Tensor:
    """Cross-entropy of the types of nodes 1, 2, ..., summed: (num_graphs,)."""
    places = torch.arange(graphs.max_nodes - 1, device=states.device)
    last = torch.minimum(places[None], graphs.num_nodes[:, None] - 1)
    rows = torch.arange(len(graphs), device=states.device)[:, None]
    logits = model.add_vertex(states[rows, last])  # (num_graphs, nodes - 1, num_node_types)
    types = graphs.node_types[:, 1:]
    target = torch.where(types >= 0, types, model.config.start_type)
    return functional.cross_entropy(logits.transpose(1, 2), target, reduction="none").sum(dim=1)


def _edge_loss(
    model: DVAE,
    states: Tensor,
    partial: list[Tensor],
    partial_row: list[Tensor],
    graphs: DenseGraphs,
) -> Tensor:
    """Binary cross-entropy of all pairs u < v, summed: (num_graphs,).

    The first layer is taken apart, W [h_u; h_v] = W_u h_u + W_v h_v: a product for each state
    instead of one for each pair.
    """
    pairs = [(u, v) for v in range(1, graphs.max_nodes) for u in reversed(range(v))]
    sources, targets = [u for u, _ in pairs], [v for _, v in pairs]
    first, last = model.add_edge[0], model.add_edge[2]
    assert isinstance(first, nn.Linear)
    of_source, of_target = first.weight.chunk(2, dim=1)
    of_partial = functional.linear(torch.cat(partial), of_target, first.bias)
    row = torch.cat(_shifted(partial_row, partial), dim=1)  # (num_graphs, pairs)
    hidden = functional.linear(states, of_source)[:, sources] + of_partial[row]
    logits = last(torch.relu(hidden)).squeeze(2)  # (num_graphs, pairs)
    true = graphs.adjacency[:, sources, targets].to(logits.dtype)
    return functional.binary_cross_entropy_with_logits(logits, true, reduction="none").sum(dim=1)


def _shifted(rows: list[Tensor], parts: list[Tensor]) -> list[Tensor]:
    """Rows of each part as rows of all parts one after another."""
    start, shifted = 0, []
    for row, part in zip(rows, parts, strict=True):
        shifted.append(row + start)
        start += len(part)
    return shifted
