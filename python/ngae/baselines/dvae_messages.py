"""Messages between nodes of the published D-VAE model, and their propagation over a batch."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def message(gate: nn.Module, mapper: nn.Module, states: Tensor, place: int, nodes: int) -> Tensor:
    """Compute m(u) = gate([h_u; e_u]) * mapper([h_u; e_u]).

    Args:
        gate: Linear with bias, then sigmoid.
        mapper: Linear without bias.
        states: (num_graphs, hidden_dim), the states of node u of each graph.
        place: u.
        nodes: Length of the one-hot e_u.

    Returns:
        (num_graphs, hidden_dim).
    """
    place_one_hot = states.new_zeros(states.shape[0], nodes)
    place_one_hot[:, place] = 1
    joined = torch.cat([states, place_one_hot], dim=1)
    result: Tensor = gate(joined) * mapper(joined)
    return result


def propagate(
    gru: nn.GRUCell,
    gate: nn.Module,
    mapper: nn.Module,
    types: Tensor,
    feeds: Tensor,
    order: Iterable[int],
) -> Tensor:
    """Compute h_v = GRUCell(onehot(type_v), sum of m(u) over the u with feeds[u, v]).

    Args:
        gru: The cell.
        gate: As for `message`.
        mapper: As for `message`.
        types: One-hots (num_graphs, nodes, num_node_types), zero for absent nodes.
        feeds: 0 or 1 (num_graphs, nodes, nodes), in the dtype of the states.
        order: The nodes, each after all that feed it.

    Returns:
        (num_graphs, nodes, hidden_dim), in node order; meaningless for absent nodes.
    """
    graphs, nodes = types.shape[:2]
    states: dict[int, Tensor] = {}
    messages: list[Tensor] = []
    for v in order:
        aggregate = types.new_zeros(graphs, gru.hidden_size)
        if messages:
            fed_by = feeds[:, list(states), v]  # (num_graphs, nodes done)
            aggregate = torch.einsum("gu,guh->gh", fed_by, torch.stack(messages, dim=1))
        states[v] = gru(types[:, v], aggregate)
        messages.append(message(gate, mapper, states[v], v, nodes))
    return torch.stack([states[v] for v in range(nodes)], dim=1)
