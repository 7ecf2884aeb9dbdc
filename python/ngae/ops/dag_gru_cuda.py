"""`dag_gru` on a GPU: kernels walk the levels, torch takes the large products over all nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ngae.ops import _cuda, _library
from ngae.ops.dag_gru import split_arguments
from ngae.ops.product import matmul

_PLANES = (1, 1, 3, 2)  # rows of a node in `saved`: h, a, gates, values


def _planes(saved: Tensor, num_nodes: int, hidden: int) -> list[Tensor]:
    """Views of `saved`, each (num_nodes, rows * hidden): h, a, gates, values."""
    parts = saved.split([num_nodes * rows * hidden for rows in _PLANES])
    return [part.view(num_nodes, -1) if num_nodes else part.view(0, hidden) for part in parts]


def forward(*arguments: Any) -> tuple[Tensor, Tensor]:
    """Implement `ngae::dag_gru`. `saved` is unset where nothing will read it."""
    graph, (*rest, bf16) = split_arguments(arguments)
    *weights, initial = _library.contiguous(rest)
    w_hh = weights[2]
    assert w_hh is not None
    _cuda.require_float32("dag_gru", w_hh)
    nodes, hidden = graph[0].shape[0], w_hh.shape[1]
    saved = _cuda.empty(w_hh, nodes * sum(_PLANES) * hidden)
    message = _cuda.empty(w_hh, nodes, hidden)
    h, *kept = _planes(saved, nodes, hidden)
    _cuda.call(
        "dag_gru_forward",
        w_hh.device,
        bf16,
        *_library.graph_arguments(graph, w_hh.device),
        *_library.weight_arguments(weights),
        *_library.addresses([initial, h]),
        _library.addresses(kept),
        message.data_ptr(),
    )
    return h.clone(), saved


def backward(dh: Tensor, *arguments: Any) -> list[Tensor]:
    """Implement `ngae::dag_gru_backward`."""
    graph, (*rest, has_initial, bf16) = split_arguments(arguments)
    *weights, saved = _library.contiguous(rest)
    assert saved is not None
    dh = dh.contiguous()
    nodes, hidden = dh.shape
    h, *kept = _planes(saved, nodes, hidden)
    da, dgates, dn, dvalues = (_cuda.empty(dh, nodes, rows * hidden) for rows in (1, 3, 1, 2))
    _cuda.call(
        "dag_gru_backward",
        dh.device,
        bf16,
        *_library.graph_arguments(graph, dh.device),
        *_library.weight_arguments(weights),
        has_initial,
        _library.addresses(kept),
        dh.data_ptr(),
        _library.addresses([da, dgates, dn, dvalues]),
    )
    gradients = _weight_gradients(weights, graph, (h, kept[0]), (dgates, dn, dvalues), bf16)
    return [*gradients, da.index_select(0, graph[4]) if has_initial else dh.new_empty(0, hidden)]


def _weight_gradients(
    weights: Sequence[Tensor | None],
    graph: Sequence[Tensor],
    states: tuple[Tensor, Tensor],
    gradients: tuple[Tensor, Tensor, Tensor],
    bf16: bool,
) -> list[Tensor]:
    """Sum the gradients of all nodes.

    Args:
        weights: The fields of DagGruParameters.
        graph: The tensors of the batch.
        states: h and a, each (num_nodes, hidden_dim).
        gradients: Of the sums that enter r and z and of hidden_n, (num_nodes, 3 * hidden_dim); of
            the sum that enters n, (num_nodes, hidden_dim); of the sum that enters the gate and of
            map, (num_nodes, 2 * hidden_dim).
        bf16: Round the operands of products with matrices.

    Returns:
        A gradient for each weight; those that are None have no elements.
    """
    h, a = states
    dgates, dn, dvalues = gradients
    w_ih, gate_index, map_index = weights[0], weights[7], weights[8]
    assert w_ih is not None
    hidden = h.shape[1]
    inputs = torch.cat([dgates[:, : 2 * hidden], dn], dim=1)
    dgate, dmap = dvalues.split(hidden, dim=1)
    tables = [
        h.new_empty(0) if table is None else _cuda.one_hot(graph[1], table.shape[0]).T @ rows
        for table, rows in ((gate_index, dgate), (map_index, dmap))
    ]
    return [
        inputs.T @ _cuda.one_hot(graph[0], w_ih.shape[1]),
        inputs.sum(dim=0),
        matmul(dgates.T, a, bf16),
        dgates.sum(dim=0),
        matmul(dgate.T, h, bf16),
        dgate.sum(dim=0),
        matmul(dmap.T, h, bf16),
        *tables,
    ]


torch.library.impl("ngae::dag_gru", "CUDA", forward)
torch.library.impl("ngae::dag_gru_backward", "CUDA", backward)
