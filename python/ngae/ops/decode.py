"""`decode`: new graphs from latent points, the whole autoregressive loop in one op."""

from __future__ import annotations

import torch
from torch import Tensor

from ngae.errors import UsageError
from ngae.ops import reference
from ngae.ops.parameters import (
    Decoded,
    DecoderParameters,
    check_dag_gru,
    check_tensor,
    expect,
)
from ngae.rules import DecodeRules


def decode(
    z: Tensor,
    initial: Tensor,
    parameters: DecoderParameters,
    rules: DecodeRules,
    *,
    seed: int,
    sample_ids: Tensor | None = None,
    stochastic: bool = True,
) -> Decoded:
    """Write one graph for each latent point.

    Node 0 has the start type and `initial` as its aggregate. Then, for v = 1, 2, ...:

        type v   ~ softmax(type_out relu(type_h h_{v-1} + type_z z + type_bias) + type_out_bias)
        u feeds v with probability
            sigmoid(edge_out . relu(edge_u h_u + edge_v g + edge_z z + edge_bias) + edge_out_bias)
            where g = GRUCell(onehot(type v), 0)
        h_v      = GRUCell(onehot(type v), sum of the messages of the nodes that feed v)

    under `rules`; a node of the end type ends the graph. Below a type's least in-degree the most
    probable free edges are added (later u first among equals), above its greatest the least
    probable free ones are dropped (earlier u first). Random numbers are a function of seed,
    sample id, node and edge, so a row does not depend on the rows beside it.

    Args:
        z: (num_samples, latent_dim).
        initial: (num_samples, hidden_dim).
        parameters: The weights, float32 or float64.
        rules: What may be built.
        seed: From 0 to 2^64 - 1.
        sample_ids: int64 (num_samples,), by default 0, 1, 2, ...
        stochastic: False takes the most probable type, and edges above one half.

    Returns:
        The graphs. There is no gradient.

    Raises:
        UsageError: A shape, dtype, device or seed that does not fit.
    """
    _check(z, initial, parameters, rules, seed, sample_ids)
    return reference.decode(
        z, initial, parameters, rules, seed=seed, sample_ids=sample_ids, stochastic=stochastic
    )


def _check(
    z: Tensor,
    initial: Tensor,
    parameters: DecoderParameters,
    rules: DecodeRules,
    seed: int,
    sample_ids: Tensor | None,
) -> None:
    check_dag_gru("decode", parameters.gru)
    like = parameters.gru.w_hh
    hidden, num_types = like.shape[1], rules.num_node_types
    expect("decode", "z", "dimensions", z.dim(), 2)
    samples, latent = z.shape
    expect("decode", "w_ih", "columns", parameters.gru.w_ih.shape[1], num_types)
    type_dim, edge_dim = parameters.type_bias.numel(), parameters.edge_bias.numel()
    shapes: dict[str, tuple[int, ...]] = {
        "type_h": (type_dim, hidden),
        "type_z": (type_dim, latent),
        "type_bias": (type_dim,),
        "type_out": (num_types, type_dim),
        "type_out_bias": (num_types,),
        "edge_u": (edge_dim, hidden),
        "edge_v": (edge_dim, hidden),
        "edge_z": (edge_dim, latent),
        "edge_bias": (edge_dim,),
        "edge_out": (edge_dim,),
        "edge_out_bias": (1,),
    }
    for name, shape in shapes.items():
        check_tensor("decode", name, getattr(parameters, name), shape, like)
    check_tensor("decode", "z", z, (samples, latent), like)
    check_tensor("decode", "initial", initial, (samples, hidden), like)
    for name in ("gate_index", "map_index"):
        table = getattr(parameters.gru, name)
        if table is not None and table.shape[0] < rules.max_nodes:
            raise UsageError(
                f"decode: {name}: expected {rules.max_nodes} rows, found {table.shape[0]}"
            )
    if not 0 <= seed < 2**64:
        raise UsageError(f"decode: seed: expected 0 .. 2^64 - 1, found {seed}")
    if sample_ids is not None:
        expect("decode", "sample_ids", "shape", tuple(sample_ids.shape), (samples,))
        expect("decode", "sample_ids", "dtype", sample_ids.dtype, torch.int64)
