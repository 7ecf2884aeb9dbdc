"""The arguments and results that the ops share: named tuples, and the checks of their shapes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.errors import UsageError


class DagGruParameters(NamedTuple):
    """Weights of a gated sum and GRU over a DAG; rows of a GRU as in torch.nn.GRUCell: r, z, n.

    Attributes:
        w_ih: (3 * hidden_dim, num_node_types).
        b_ih: (3 * hidden_dim,).
        w_hh: (3 * hidden_dim, hidden_dim).
        b_hh: (3 * hidden_dim,).
        w_gate: (hidden_dim, hidden_dim).
        b_gate: (hidden_dim,).
        w_map: (hidden_dim, hidden_dim).
        gate_index: (max_nodes, hidden_dim) term of the gate for each place in a graph, or None.
        map_index: (max_nodes, hidden_dim), the same for the map.
    """

    w_ih: Tensor
    b_ih: Tensor
    w_hh: Tensor
    b_hh: Tensor
    w_gate: Tensor
    b_gate: Tensor
    w_map: Tensor
    gate_index: Tensor | None = None
    map_index: Tensor | None = None


class DecoderParameters(NamedTuple):
    """Weights of a decoder: its propagation, and two heads with one hidden layer each.

    What the latent point gives to a head has weights of its own for each place in a graph: one
    layer would otherwise have to tell every node, and every pair of nodes, from all others.

    Attributes:
        gru: The propagation.
        type_h: (type_dim, hidden_dim) on the newest node's state.
        type_z: (max_nodes, type_dim, latent_dim) on the latent point, by the place whose type is
            decided; or None.
        type_term: (max_nodes, type_dim) added, likewise.
        type_out: (num_node_types, type_dim).
        type_out_bias: (num_node_types,).
        edge_u: (edge_dim, hidden_dim) on the source's state.
        edge_v: (edge_dim, hidden_dim) on the state of a node of the target's type that nothing
            feeds.
        edge_z: (max_nodes, edge_dim, latent_dim) on the latent point, by the target's place; or
            None.
        edge_term: (max_nodes, edge_dim) added, likewise.
        source_z: (max_nodes, edge_dim, latent_dim) on the latent point, by the source's place; or
            None.
        source_term: (max_nodes, edge_dim) added, likewise.
        edge_out: (edge_dim,).
        edge_out_bias: (1,).
    """

    gru: DagGruParameters
    type_h: Tensor
    type_z: Tensor | None
    type_term: Tensor
    type_out: Tensor
    type_out_bias: Tensor
    edge_u: Tensor
    edge_v: Tensor
    edge_z: Tensor | None
    edge_term: Tensor
    source_z: Tensor | None
    source_term: Tensor
    edge_out: Tensor
    edge_out_bias: Tensor


class PredictorParameters(NamedTuple):
    """Weights of a predictor with two hidden layers, and its part in a score.

    Attributes:
        first: (hidden_dim, latent_dim).
        first_bias: (hidden_dim,).
        second: (hidden_dim, hidden_dim).
        second_bias: (hidden_dim,).
        output: (num_outputs, hidden_dim).
        output_bias: (num_outputs,).
        coefficient: (num_outputs,) of each output's sigmoid in the score.
    """

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    output: Tensor
    output_bias: Tensor
    coefficient: Tensor


class Decoded(NamedTuple):
    """Graphs as a decoder writes them.

    Attributes:
        node_type: int32 (num_samples, max_nodes), -1 past the end of a graph.
        adjacency: bool (num_samples, max_nodes, max_nodes), [b, u, v]: u feeds v.
        num_nodes: int32 (num_samples,), end node included.
    """

    node_type: Tensor
    adjacency: Tensor
    num_nodes: Tensor


def expect(function: str, argument: str, what: str, found: object, expected: object) -> None:
    """Raise UsageError naming function and argument unless `found` equals `expected`."""
    if found != expected:
        raise UsageError(f"{function}: {argument}: expected {what} {expected}, found {found}")


def check_tensor(
    function: str, argument: str, tensor: Tensor | None, shape: tuple[int, ...], like: Tensor
) -> None:
    """Check shape, dtype and device of a tensor that may be None.

    Raises:
        UsageError: Naming function, argument, expected and found.
    """
    if tensor is None:
        return
    expect(function, argument, "shape", tuple(tensor.shape), shape)
    expect(function, argument, "dtype", tensor.dtype, like.dtype)
    expect(function, argument, "device", tensor.device, like.device)


def check_number(function: str, argument: str, tensor: Tensor) -> None:
    """Check that a tensor holds numbers that the ops compute with.

    Raises:
        UsageError: Naming function, argument, expected and found.
    """
    if tensor.dtype not in (torch.float32, torch.float64):
        raise UsageError(
            f"{function}: {argument}: expected float32 or float64, found {tensor.dtype}"
        )


def check_index(
    function: str, argument: str, index: Tensor, like: Tensor, count: int | None = None
) -> None:
    """Check a list of row numbers, of `count` numbers where it is given.

    Raises:
        UsageError: Naming function, argument, expected and found.
    """
    if count is None:
        count = index.shape[0] if index.dim() else 0
    expect(function, argument, "shape", tuple(index.shape), (count,))
    expect(function, argument, "dtype", index.dtype, torch.int64)
    expect(function, argument, "device", index.device, like.device)


def check_precision(function: str, precision: str, like: Tensor) -> None:
    """Check that products of numbers like `like` can be taken in `precision`.

    Raises:
        UsageError: Naming function, argument, expected and found.
    """
    known = ("float32", "bf16") if like.dtype == torch.float32 else ("float32",)
    if precision not in known:
        raise UsageError(
            f"{function}: precision: expected {' or '.join(known)} for {like.dtype}, "
            f"found {precision!r}"
        )


def check_dag_gru(function: str, parameters: DagGruParameters) -> None:
    """Check that the weights of a propagation fit each other.

    Raises:
        UsageError: Naming function, argument, expected and found.
    """
    like = parameters.w_hh
    check_number(function, "w_hh", like)
    hidden = like.shape[-1]
    num_types = parameters.w_ih.shape[-1] if parameters.w_ih.dim() else 0
    shapes: dict[str, tuple[int, ...]] = {
        "w_hh": (3 * hidden, hidden),
        "w_ih": (3 * hidden, num_types),
        "b_ih": (3 * hidden,),
        "b_hh": (3 * hidden,),
        "w_gate": (hidden, hidden),
        "b_gate": (hidden,),
        "w_map": (hidden, hidden),
    }
    tables = [t for t in (parameters.gate_index, parameters.map_index) if t is not None]
    rows = tables[0].shape[0] if tables and tables[0].dim() else 0
    shapes["gate_index"] = shapes["map_index"] = (rows, hidden)
    for name, shape in shapes.items():
        check_tensor(function, name, getattr(parameters, name), shape, like)


def _greatest(batch: GraphBatch) -> tuple[int, int]:
    """Greatest node type and node index; what a device holds was checked when it was sent."""
    if batch.device.type == "cpu":
        return int(batch.node_type.max()), int(batch.node_index.max())
    return int(batch.greatest[0]), int(batch.greatest[1])


def check_batch(function: str, batch: GraphBatch, parameters: DagGruParameters) -> None:
    """Check that types and places of the batch's nodes have rows in the weights.

    Under `torch.compile` only the device is checked: the native op checks the rest when it runs.

    Raises:
        UsageError: Naming function, argument, expected and found.
    """
    expect(function, "batch", "device", batch.device, parameters.w_hh.device)
    if not batch.num_nodes or torch.compiler.is_compiling():
        return
    num_types = parameters.w_ih.shape[1]
    greatest_type, most = _greatest(batch)
    if greatest_type >= num_types:
        raise UsageError(
            f"{function}: node_type: expected below {num_types}, found {greatest_type}"
        )
    for name in ("gate_index", "map_index"):
        table = getattr(parameters, name)
        if table is not None and most >= table.shape[0]:
            raise UsageError(
                f"{function}: {name}: expected a row for node index {most}, "
                f"found {table.shape[0]} rows"
            )
