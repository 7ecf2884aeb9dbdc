"""`dag_gru`: gated sums and a GRU along the edges of many DAGs, level by level.

The door `dag_gru` checks its arguments; `torch.ops.ngae.dag_gru` and `dag_gru_backward` behind it
are native and differentiable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ngae.batch import GRAPH_FIELDS, GraphBatch
from ngae.ops import _library, reference
from ngae.ops.gather_rows import gather_rows
from ngae.ops.parameters import (
    DagGruParameters,
    check_batch,
    check_dag_gru,
    check_precision,
    check_tensor,
)

_NUM_GRAPH = len(GRAPH_FIELDS)
_GRAPH = ", ".join(f"Tensor {name}" for name in GRAPH_FIELDS)
_WEIGHTS = (
    "Tensor w_ih, Tensor b_ih, Tensor w_hh, Tensor b_hh, Tensor w_gate, Tensor b_gate, "
    "Tensor w_map, Tensor? gate_index, Tensor? map_index"
)
_SAVED_ROWS = 7  # rows per node that forward keeps for backward

torch.library.define(
    "ngae::dag_gru",
    f"({_GRAPH}, {_WEIGHTS}, Tensor? initial, bool bf16) -> (Tensor h, Tensor saved)",
)
torch.library.define(
    "ngae::dag_gru_backward",
    f"(Tensor dh, {_GRAPH}, {_WEIGHTS}, Tensor saved, bool has_initial, bool bf16) -> Tensor[]",
)


def dag_gru(
    batch: GraphBatch,
    parameters: DagGruParameters,
    initial: Tensor | None = None,
    *,
    precision: str = "float32",
) -> Tensor:
    """Compute the state of every node from the states of the nodes that feed it::

        m(u) = sigmoid(w_gate h_u + b_gate + gate_index[node_index u])
               * (w_map h_u + map_index[node_index u])
        a_v  = sum over predecessors u of m(u), + initial[graph of v] where v is a root
        h_v  = GRUCell(onehot(node_type v), a_v)

    The aggregate takes the place of the GRU's hidden state, as in D-VAE (Zhang et al., 2019,
    equations 4 to 6). A predecessor that stands twice counts twice. On the CPU the result does
    not depend on the number of threads, nor on the graphs beside a graph.

    Args:
        batch: The graphs.
        parameters: The weights, float32 or float64.
        initial: (num_graphs, hidden_dim), or None.
        precision: "float32": as the weights are; "bf16": the operands of all products with
            matrices, forward and backward, are rounded to bfloat16 and added up in float32.

    Returns:
        h (num_nodes, hidden_dim), with gradients for all weights and `initial`.

    Raises:
        UsageError: A shape, dtype, device, precision or node type that does not fit.
    """
    check_dag_gru("dag_gru", parameters)
    check_precision("dag_gru", precision, parameters.w_hh)
    check_batch("dag_gru", batch, parameters)
    hidden = parameters.w_hh.shape[1]
    check_tensor("dag_gru", "initial", initial, (batch.num_graphs, hidden), parameters.w_hh)
    backend = _library.backend("dag_gru", parameters.w_hh.device)
    if backend == "torch":
        return reference.dag_gru(batch, parameters, initial, precision=precision)
    bf16 = precision == "bf16"
    if backend == "cuda" and initial is None and batch.merged is not None:
        h = _states(batch.merged.batch, parameters, None, bf16)
        return gather_rows(h, batch.merged.node_to_merged)
    return _states(batch, parameters, initial, bf16)


def _states(
    batch: GraphBatch, parameters: DagGruParameters, initial: Tensor | None, bf16: bool
) -> Tensor:
    h, _ = torch.ops.ngae.dag_gru(*_library.graph_tensors(batch), *parameters, initial, bf16)
    result: Tensor = h
    return result


def split_arguments(arguments: Sequence[Any]) -> tuple[Sequence[Tensor], Sequence[Any]]:
    """Part the tensors of a batch from the arguments behind them."""
    return arguments[:_NUM_GRAPH], arguments[_NUM_GRAPH:]


def saved_size(node_type: Tensor, w_hh: Tensor) -> Any:
    """Return how many numbers forward keeps: rows for each node, padded on the CPU."""
    row = w_hh.shape[1]
    if w_hh.device.type == "cpu":
        line, panel = 64 // w_hh.element_size(), 128 // w_hh.element_size()
        row = (row + panel - 1) // panel * panel + line
    return node_type.shape[0] * _SAVED_ROWS * row


@torch.library.impl("ngae::dag_gru", "CPU")
def _forward(*arguments: Any) -> tuple[Tensor, Tensor]:
    graph, (*rest, bf16) = split_arguments(arguments)
    *weights, initial = _library.contiguous(rest)
    addresses, sizes = _library.weight_arguments(weights)
    w_hh = weights[2]
    assert w_hh is not None
    h = w_hh.new_empty(graph[0].shape[0], sizes[0])
    saved = w_hh.new_empty(saved_size(graph[0], w_hh))
    _library.function("dag_gru_forward", w_hh.dtype)(
        *_library.graph_arguments(graph),
        addresses,
        sizes,
        *_library.addresses([initial]),
        _library.machine(bf16),
        h.data_ptr(),
        saved.data_ptr(),
    )
    return h, saved


def _forward_fake(*arguments: Any) -> tuple[Tensor, Tensor]:
    graph, rest = split_arguments(arguments)
    w_hh = rest[2]
    assert w_hh is not None
    h = w_hh.new_empty(graph[0].shape[0], w_hh.shape[1])
    return h, w_hh.new_empty(saved_size(graph[0], w_hh))


def _empty_gradients(
    weights: Sequence[Tensor | None], graph: Sequence[Tensor], has_initial: bool
) -> list[Tensor]:
    """One tensor for each weight and for `initial`; those that are None have no elements."""
    like = weights[2]
    assert like is not None
    gradients = [like.new_empty(0 if weight is None else weight.shape) for weight in weights]
    initial = like.new_empty(graph[4].shape[0] if has_initial else 0, like.shape[1])
    return [*gradients, initial]


@torch.library.impl("ngae::dag_gru_backward", "CPU")
def _backward(dh: Tensor, *arguments: Any) -> list[Tensor]:
    graph, (*rest, has_initial, bf16) = split_arguments(arguments)
    *weights, saved = _library.contiguous(rest)
    dh = dh.contiguous()
    gradients = _empty_gradients(weights, graph, has_initial)
    addresses, sizes = _library.weight_arguments(weights)
    assert saved is not None
    given = [*(weight is not None for weight in weights), has_initial]
    wanted = [g if is_given else None for g, is_given in zip(gradients, given, strict=True)]
    _library.function("dag_gru_backward", dh.dtype)(
        *_library.graph_arguments(graph),
        addresses,
        sizes,
        has_initial,
        _library.machine(bf16),
        saved.data_ptr(),
        dh.data_ptr(),
        _library.addresses(wanted),
    )
    return gradients


def _backward_fake(dh: Tensor, *arguments: Any) -> list[Tensor]:
    graph, rest = split_arguments(arguments)
    *weights, _, has_initial, _ = rest
    return _empty_gradients(weights, graph, has_initial)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    *tensors, initial, ctx.bf16 = inputs
    ctx.has_initial = initial is not None
    ctx.save_for_backward(*tensors, output[1])
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)  # else zeros as many as `saved` has


def _autograd(ctx: Any, dh: Tensor | None, _: Tensor | None) -> tuple[Any, ...]:
    if dh is None:
        return (None,) * len(ctx.needs_input_grad)
    gradients = torch.ops.ngae.dag_gru_backward(dh, *ctx.saved_tensors, ctx.has_initial, ctx.bf16)
    weights = split_arguments(ctx.saved_tensors[:-1])[1]
    given = [*(weight is not None for weight in weights), ctx.has_initial]
    wanted = (g if is_given else None for g, is_given in zip(gradients, given, strict=True))
    return *(None for _ in range(_NUM_GRAPH)), *wanted, None


torch.library.register_fake("ngae::dag_gru", _forward_fake)
torch.library.register_fake("ngae::dag_gru_backward", _backward_fake)
torch.library.register_autograd("ngae::dag_gru", _autograd, setup_context=_setup_context)
