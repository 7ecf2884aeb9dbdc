"""Decoding of the published D-VAE/NGAE model: node by node, edge by edge, as published.

It masks nothing: a decoded graph may lie outside the search space that the model was trained on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from ngae.baselines.dvae_graphs import DenseGraphs

if TYPE_CHECKING:
    from ngae.baselines.dvae_model import DVAE


@torch.no_grad()
def decode_graphs(model: DVAE, z: Tensor, generator: torch.Generator | None) -> DenseGraphs:
    """Decode each row of `z` (see `DVAE.decode`).

    Args:
        model: The model.
        z: (num_graphs, latent_dim).
        generator: Source of all random numbers; None takes the likeliest type and p > 0.5.

    Returns:
        The graphs, on the device of `z`.
    """
    config, graphs, device = model.config, z.shape[0], z.device
    draws = _draws(graphs, config.max_nodes, generator).to(device)
    node_types = torch.full((graphs, config.max_nodes), -1, device=device)
    adjacency = torch.zeros(graphs, config.max_nodes, config.max_nodes, device=device).bool()
    is_open = torch.ones(graphs, dtype=torch.bool, device=device)
    node_types[:, 0] = config.start_type
    states = [model.initial_state(z)]
    messages = [model.message(states[0], 0)]
    for v in range(1, config.max_nodes):
        logits = model.add_vertex(states[-1])
        types = _choose_types(logits, draws[:, v, v], greedy=generator is None)
        if v == config.max_nodes - 1:
            types = torch.full_like(types, config.end_type)
        node_types[:, v] = torch.where(is_open, types, -1)
        ends = is_open & (types == config.end_type)
        is_open = is_open & ~ends
        edges, state = _choose_edges(model, types, states, messages, draws[:, v])
        feeds_nothing = ~adjacency[:, :v].any(dim=2)
        adjacency[:, :v, v] = (ends[:, None] & feeds_nothing) | (is_open[:, None] & edges)
        states.append(state)
        messages.append(model.message(state, v))
    return DenseGraphs(node_types, adjacency, (node_types >= 0).sum(dim=1))


def _draws(graphs: int, nodes: int, generator: torch.Generator | None) -> Tensor:
    """Numbers in [0, 1): `[i, v, v]` for the type of node v, `[i, v, u]` for its edge from u."""
    shape = (graphs, nodes, nodes)
    if generator is None:
        return torch.full(shape, 0.5, dtype=torch.float64)
    return torch.rand(shape, dtype=torch.float64, generator=generator, device=generator.device)


def _choose_types(logits: Tensor, uniform: Tensor, *, greedy: bool) -> Tensor:
    """First type whose cumulative probability is above `uniform`, or the likeliest: (B,)."""
    if greedy:
        return logits.argmax(dim=1)
    cumulative = functional.softmax(logits.double(), dim=1).cumsum(dim=1)
    below = (cumulative <= uniform[:, None]).sum(dim=1)
    return below.clamp(max=logits.shape[1] - 1)  # the last sum may be rounded to less than 1


def _choose_edges(
    model: DVAE, types: Tensor, states: list[Tensor], messages: list[Tensor], uniform: Tensor
) -> tuple[Tensor, Tensor]:
    """Decide the edges from nodes v-1, ..., 0 to node v, its state made afresh after each.

    Args:
        model: The model.
        types: (B,) type of node v.
        states: v tensors (B, H).
        messages: v tensors (B, H).
        uniform: (B, max_nodes): an edge from u where it is below the edge's probability.

    Returns:
        Edges bool (B, v); state of node v (B, H).
    """
    one_hot = functional.one_hot(types, model.config.num_node_types).to(states[0].dtype)
    aggregate = torch.zeros_like(states[0])
    state = model.grud(one_hot, aggregate)
    edges = []
    for u in reversed(range(len(states))):
        logits = model.add_edge(torch.cat([states[u], state], dim=1)).squeeze(1)
        edge = uniform[:, u] < torch.sigmoid(logits.double())
        aggregate = aggregate + edge[:, None] * messages[u]
        state = model.grud(one_hot, aggregate)
        edges.append(edge)
    return torch.stack(edges[::-1], dim=1), state
