"""Messages between nodes of the published D-VAE model, and their propagation over a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ngae.batch import GraphBatch
from ngae.ops import DagGruParameters, dag_gru


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


def propagate(gru: nn.GRUCell, gate: nn.Linear, mapper: nn.Linear, batch: GraphBatch) -> Tensor:
    """Compute h_v = GRUCell(onehot(type_v), sum of m(u) over the u that feed v).

    The part of [h_u; e_u] that multiplies e_u is a look-up of the place u.

    Args:
        gru: The cell.
        gate: The linear map of the gate.
        mapper: The linear map of the message.
        batch: The graphs.

    Returns:
        (num_nodes, hidden_dim).
    """
    hidden = gru.hidden_size
    weights = DagGruParameters(
        w_ih=gru.weight_ih,
        b_ih=gru.bias_ih,
        w_hh=gru.weight_hh,
        b_hh=gru.bias_hh,
        w_gate=gate.weight[:, :hidden],
        b_gate=gate.bias,
        w_map=mapper.weight[:, :hidden],
        gate_index=gate.weight[:, hidden:].T,
        map_index=mapper.weight[:, hidden:].T,
    )
    return dag_gru(batch, weights)
