"""`decode`: new graphs from latent points, the whole autoregressive loop in one op."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ngae.errors import UsageError
from ngae.ops import _cuda, _library, reference_decode
from ngae.ops.parameters import (
    DagGruParameters,
    Decoded,
    DecoderParameters,
    check_dag_gru,
    check_precision,
    check_tensor,
    expect,
)
from ngae.rules import LOOSE_ENDS, DecodeRules
from ngae.transfer import transfer

_NUM_GRU = len(DagGruParameters._fields)

torch.library.define(
    "ngae::decode",
    "(Tensor z, Tensor initial, Tensor sample_ids, Tensor?[] weights, Tensor[] rules, "
    "int[] choices, int seed, bool stochastic, bool bf16) "
    "-> (Tensor node_type, Tensor adjacency, Tensor num_nodes)",
)


def decode(
    z: Tensor,
    initial: Tensor,
    parameters: DecoderParameters,
    rules: DecodeRules,
    *,
    seed: int,
    sample_ids: Tensor | None = None,
    stochastic: bool = True,
    precision: str = "float32",
) -> Decoded:
    """Write one graph for each latent point.

    Node 0 has the start type and `initial` as its aggregate. Then, for v = 1, 2, ...::

        type v   ~ softmax(type_out relu(type_h h_{v-1} + type_z[v] z + type_term[v])
                           + type_out_bias)
        u feeds v with probability
            sigmoid(edge_out . relu(edge_u h_u + source_z[u] z + source_term[u]
                                    + edge_v g + edge_z[v] z + edge_term[v]) + edge_out_bias)
            where g = GRUCell(onehot(type v), 0)
        h_v      = GRUCell(onehot(type v), sum of the messages of the nodes that feed v)

    under `rules`; a node of the end type ends the graph. Below a type's least in-degree the most
    probable free edges are added (later u first among equals), above its greatest the least
    probable free ones are dropped (earlier u first). Where `max_edges` would be passed, the least
    probable edges from nodes that feed others already are dropped, and the end comes in time.
    Random numbers are a function of seed,
    sample id, node and edge, so a row does not depend on the rows beside it.

    Args:
        z: (num_samples, latent_dim).
        initial: (num_samples, hidden_dim).
        parameters: The weights, float32 or float64.
        rules: What may be built.
        seed: From 0 to 2^64 - 1.
        sample_ids: int64 (num_samples,), by default 0, 1, 2, ...
        stochastic: False takes the most probable type, and edges above one half.
        precision: As in `dag_gru`.

    Returns:
        The graphs. There is no gradient.

    Raises:
        UsageError: A shape, dtype, device or seed that does not fit.
    """
    _check(z, initial, parameters, rules, seed, sample_ids)
    check_precision("decode", precision, z)
    if sample_ids is None:
        sample_ids = torch.arange(z.shape[0], device=z.device)
    if _library.backend("decode", z.device) == "torch":
        return reference_decode.decode(
            z,
            initial,
            parameters,
            rules,
            seed=seed,
            sample_ids=sample_ids,
            stochastic=stochastic,
            precision=precision,
        )
    with torch.no_grad():
        node_type, adjacency, num_nodes = torch.ops.ngae.decode(
            z,
            initial,
            sample_ids,
            [*parameters.gru, *parameters[1:]],
            rule_tensors(rules),
            rule_choices(rules),
            seed - 2**64 if seed >= 2**63 else seed,
            stochastic,
            precision == "bf16",
        )
    return Decoded(node_type, adjacency, num_nodes)


def rule_tensors(rules: DecodeRules) -> list[Tensor]:
    """Copy the arrays of `rules` into tensors, in the order of csrc/addresses.h."""
    return [
        torch.asarray(rules.type_allowed, dtype=torch.bool, copy=True),
        torch.asarray(rules.edge_rule, dtype=torch.uint8, copy=True),
        torch.asarray(rules.min_in_degree, dtype=torch.int32, copy=True),
        torch.asarray(rules.max_in_degree, dtype=torch.int32, copy=True),
        torch.asarray(rules.must_feed, dtype=torch.bool, copy=True),
        torch.asarray(rules.type_follows, dtype=torch.bool, copy=True),
    ]


def rule_choices(rules: DecodeRules) -> list[int]:
    """Give the single numbers of `rules`, in the order of csrc/addresses.h."""
    loose_ends = LOOSE_ENDS.index(rules.loose_ends)
    return [rules.start_type, rules.end_type, loose_ends, rules.most_edges]


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
    expect("decode", "z", "dimensions", z.dim(), 2)
    samples, latent = z.shape
    check_tensor("decode", "z", z, (samples, latent), like)
    check_tensor("decode", "initial", initial, (samples, like.shape[1]), like)
    _check_weights(parameters, rules, latent)
    if not 0 <= seed < 2**64:
        raise UsageError(f"decode: seed: expected 0 .. 2^64 - 1, found {seed}")
    if sample_ids is not None:
        expect("decode", "sample_ids", "shape", tuple(sample_ids.shape), (samples,))
        expect("decode", "sample_ids", "dtype", sample_ids.dtype, torch.int64)


def _check_weights(parameters: DecoderParameters, rules: DecodeRules, latent: int) -> None:
    like = parameters.gru.w_hh
    hidden, num_types = like.shape[1], rules.num_node_types
    expect("decode", "w_ih", "columns", parameters.gru.w_ih.shape[1], num_types)
    type_dim, edge_dim = parameters.type_h.shape[0], parameters.edge_u.shape[0]
    nodes = rules.max_nodes
    shapes: dict[str, tuple[int, ...]] = {
        "type_h": (type_dim, hidden),
        "type_z": (nodes, type_dim, latent),
        "type_term": (nodes, type_dim),
        "type_out": (num_types, type_dim),
        "type_out_bias": (num_types,),
        "edge_u": (edge_dim, hidden),
        "edge_v": (edge_dim, hidden),
        "edge_z": (nodes, edge_dim, latent),
        "edge_term": (nodes, edge_dim),
        "source_z": (nodes, edge_dim, latent),
        "source_term": (nodes, edge_dim),
        "edge_out": (edge_dim,),
        "edge_out_bias": (1,),
    }
    for name, shape in shapes.items():
        check_tensor("decode", name, getattr(parameters, name), shape, like)
    for name in ("gate_index", "map_index"):
        table = getattr(parameters.gru, name)
        if table is not None and table.shape[0] < rules.max_nodes:
            raise UsageError(
                f"decode: {name}: expected {rules.max_nodes} rows, found {table.shape[0]}"
            )


def _outputs(
    z: Tensor, max_nodes: int, empty: Callable[..., Tensor] = Tensor.new_empty
) -> tuple[Tensor, Tensor, Tensor]:
    samples = z.shape[0]
    return (
        empty(z, samples, max_nodes, dtype=torch.int32),
        empty(z, samples, max_nodes, max_nodes, dtype=torch.bool),
        empty(z, samples, dtype=torch.int32),
    )


def _weights(
    z: Tensor, weights: Sequence[Tensor | None]
) -> tuple[list[Tensor | None], list[Tensor | None], list[int]]:
    """Contiguous weights of the propagation and of the heads; latent_dim, type_dim, edge_dim."""
    held = _library.contiguous(weights)
    heads = held[_NUM_GRU:]
    type_h, edge_u = heads[0], heads[5]
    assert type_h is not None and edge_u is not None
    return held[:_NUM_GRU], heads, [z.shape[1], type_h.shape[0], edge_u.shape[0]]


@torch.library.impl("ngae::decode", "CPU")
def _decode(
    z: Tensor,
    initial: Tensor,
    sample_ids: Tensor,
    weights: Sequence[Tensor | None],
    rules: Sequence[Tensor],
    choices: Sequence[int],
    seed: int,
    stochastic: bool,
    bf16: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    z, initial, sample_ids = z.contiguous(), initial.contiguous(), sample_ids.contiguous()
    tables = _library.contiguous(rules)
    gru, heads, sizes = _weights(z, weights)
    outputs = _outputs(z, rules[0].shape[0])
    _library.function("decode", z.dtype)(
        *_library.weight_arguments(gru),
        _library.addresses(heads),
        sizes,
        _library.addresses(tables),
        list(rules[0].shape),
        list(choices),
        _library.addresses([z, initial, sample_ids]),
        z.shape[0],
        seed,
        stochastic,
        _library.machine(bf16),
        _library.addresses(outputs),
    )
    return outputs


def _decode_cuda(
    z: Tensor,
    initial: Tensor,
    sample_ids: Tensor,
    weights: Sequence[Tensor | None],
    rules: Sequence[Tensor],
    choices: Sequence[int],
    seed: int,
    stochastic: bool,
    bf16: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    _cuda.require_float32("decode", z)
    z, initial = z.contiguous(), initial.contiguous()
    (ids,) = transfer([sample_ids.contiguous()], z.device)
    on_host = [table.contiguous() for table in rules]
    tables = transfer(on_host, z.device)
    gru, heads, sizes = _weights(z, weights)
    nodes, num_types = rules[0].shape
    memory = _memory(initial, nodes, num_types, *sizes[1:])
    outputs = _outputs(z, nodes, _cuda.empty)
    _cuda.call(
        "decode",
        z.device,
        bf16,
        *_library.weight_arguments(gru),
        _library.addresses(heads),
        sizes,
        _library.addresses(tables),
        [nodes, num_types],
        list(choices),
        _library.addresses([z, initial, ids]),
        z.shape[0],
        seed,
        stochastic,
        on_host[0].data_ptr(),
        _library.addresses(memory),
        _library.addresses(outputs),
    )
    return outputs


def _memory(
    initial: Tensor, nodes: int, num_types: int, type_dim: int, edge_dim: int
) -> list[Tensor]:
    """Memory of a decoding on a GPU, in the order of DecodeMemory of cuda/decode.cuh."""
    samples, hidden = initial.shape
    sizes: list[tuple[tuple[int, ...], torch.dtype]] = [
        ((samples,), torch.int32),
        ((samples, hidden), torch.float32),
        ((samples, hidden), torch.float32),
        ((nodes, samples, hidden), torch.float32),
        ((nodes, samples, edge_dim), torch.float32),
        ((samples, type_dim), torch.float32),
        ((samples, edge_dim), torch.float32),
        ((samples, edge_dim), torch.float32),
        ((samples, type_dim), torch.float32),
        ((samples, num_types), torch.float32),
        ((samples, nodes), torch.float32),
        ((samples, nodes), torch.uint8),
        ((samples, nodes), torch.uint8),
        ((num_types,), torch.int32),
        ((2, num_types, hidden), torch.float32),
        ((num_types, edge_dim), torch.float32),
    ]
    return [_cuda.empty(initial, *shape, dtype=dtype) for shape, dtype in sizes]


def _decode_fake(
    z: Tensor,
    initial: Tensor,
    sample_ids: Tensor,
    weights: Sequence[Tensor | None],
    rules: Sequence[Tensor],
    *others: object,
) -> tuple[Tensor, Tensor, Tensor]:
    return _outputs(z, rules[0].shape[0])


torch.library.impl("ngae::decode", "CUDA", _decode_cuda)
torch.library.register_fake("ngae::decode", _decode_fake)
