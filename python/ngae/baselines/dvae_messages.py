"""Messages between nodes of the published D-VAE model, one by one and as weights of the op."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ngae.ops import DagGruParameters


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


def propagation_weights(
    gru: nn.GRUCell, gate: nn.Sequential, mapper: nn.Sequential
) -> DagGruParameters:
    """Return the weights in the form that `ngae.ops.dag_gru` takes.

    The part of [h_u; e_u] that multiplies e_u is a look-up of the place u.

    Args:
        gru: The cell.
        gate: As for `message`.
        mapper: As for `message`.
    """
    hidden, gate_map, value_map = gru.hidden_size, gate[0], mapper[0]
    assert isinstance(gate_map, nn.Linear)
    assert isinstance(value_map, nn.Linear)
    return DagGruParameters(
        w_ih=gru.weight_ih,
        b_ih=gru.bias_ih,
        w_hh=gru.weight_hh,
        b_hh=gru.bias_hh,
        w_gate=gate_map.weight[:, :hidden],
        b_gate=gate_map.bias,
        w_map=value_map.weight[:, :hidden],
        gate_index=gate_map.weight[:, hidden:].T,
        map_index=value_map.weight[:, hidden:].T,
    )
