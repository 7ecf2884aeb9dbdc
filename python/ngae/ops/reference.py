"""The ops in plain PyTorch: same signatures, any device, gradients by torch's own autograd.

They define what the native ops compute. They check no arguments. `decode` has a file of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.ops.parameters import DagGruParameters, PredictorParameters
from ngae.ops.product import product


def dag_gru(
    batch: GraphBatch,
    parameters: DagGruParameters,
    initial: Tensor | None = None,
    *,
    precision: str = "float32",
) -> Tensor:
    """Propagate states along the edges; see `ngae.ops.dag_gru`. All nodes of a level at once."""
    order = batch.level_node.long()
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=order.device)
    node_type, node_index = batch.node_type.long()[order], batch.node_index.long()[order]
    source, target, edge_ptr = _edges_by_level(batch, order, place)
    start = _initial_by_level(batch, order, initial)
    levels: list[Tensor] = []
    messages = parameters.w_hh.new_empty(0, parameters.w_hh.shape[1])
    bounds = batch.level_ptr.tolist()
    for first, last in pairwise(bounds):
        edges = slice(edge_ptr[first], edge_ptr[last])
        aggregate = messages.new_zeros(last - first, messages.shape[1])
        if start is not None:
            aggregate = aggregate + start[first:last]
        aggregate = aggregate.index_add(0, target[edges] - first, messages[source[edges]])
        h = gru_cell(parameters, node_type[first:last], aggregate, precision)
        levels.append(h)
        sent = message(parameters, node_index[first:last], h, precision)
        messages = torch.cat([messages, sent])
    return torch.cat(levels)[place] if levels else messages


def linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, precision: str = "float32"
) -> Tensor:
    """Compute `x @ weight.T + bias`; see `ngae.ops.linear`."""
    return product(x, weight, precision, bias)


def grouped_linear(
    x: Tensor, weight: Tensor, bias: Tensor, *, precision: str = "float32"
) -> Tensor:
    """Compute `x_g @ weight_g.T + bias_g`; see `ngae.ops.grouped_linear`."""
    x = x.expand(len(weight), -1, -1)
    if precision == "float32":
        return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))
    maps = zip(x, weight, bias, strict=True)
    return torch.stack([product(rows, own, precision, term) for rows, own, term in maps])


def pair_scores(
    source: Tensor, target: Tensor, weight: Tensor, pair_source: Tensor, pair_target: Tensor
) -> Tensor:
    """Score pairs of rows; see `ngae.ops.pair_scores`."""
    pairs = source.index_select(0, pair_source) + target.index_select(0, pair_target)
    return torch.relu(pairs) @ weight


def gather_rows(table: Tensor, index: Tensor) -> Tensor:
    """Return `table[index]`; see `ngae.ops.gather_rows`."""
    return table.index_select(0, index)


def sum_by_index(values: Tensor, index: Tensor, num_rows: int) -> Tensor:
    """Add up rows with the same number; see `ngae.ops.sum_by_index`."""
    return values.new_zeros(num_rows, values.shape[1]).index_add(0, index, values)


def _edges_by_level(
    batch: GraphBatch, order: Tensor, place: Tensor
) -> tuple[Tensor, Tensor, list[int]]:
    """Edges in the order of their targets' levels: source and target places, first edges."""
    count = batch.pred_ptr.long().diff()[order]
    edge_ptr = torch.cat([count.new_zeros(1), count.cumsum(0)])
    shift = batch.pred_ptr.long()[order] - edge_ptr[:-1]
    edge = torch.repeat_interleave(shift, count) + torch.arange(
        batch.num_edges, device=place.device
    )
    target = torch.repeat_interleave(torch.arange(len(order), device=place.device), count)
    return place[batch.pred_src.long()[edge]], target, edge_ptr.tolist()


def _initial_by_level(batch: GraphBatch, order: Tensor, initial: Tensor | None) -> Tensor | None:
    """Rows of `initial` at the roots, zero elsewhere: (num_nodes, hidden_dim) by level."""
    if initial is None:
        return None
    graph = batch.node_graph.long()[order]
    is_root = batch.root.long()[graph] == order
    return initial[graph] * is_root.unsqueeze(1).to(initial.dtype)


def message(parameters: DagGruParameters, node_index: Tensor, h: Tensor, precision: str) -> Tensor:
    """Compute m(u) = sigmoid(w_gate h + b_gate + gate_index) * (w_map h + map_index)."""
    gate = product(h, parameters.w_gate, precision, parameters.b_gate)
    value = product(h, parameters.w_map, precision)
    if parameters.gate_index is not None:
        gate = gate + parameters.gate_index[node_index]
    if parameters.map_index is not None:
        value = value + parameters.map_index[node_index]
    return torch.sigmoid(gate) * value


def gru_cell(
    parameters: DagGruParameters, node_type: Tensor, aggregate: Tensor, precision: str
) -> Tensor:
    """Compute torch.nn.GRUCell(onehot(node_type), aggregate)."""
    inputs = parameters.w_ih.T[node_type] + parameters.b_ih
    hidden = product(aggregate, parameters.w_hh, precision, parameters.b_hh)
    input_r, input_z, input_n = inputs.chunk(3, dim=1)
    hidden_r, hidden_z, hidden_n = hidden.chunk(3, dim=1)
    r = torch.sigmoid(input_r + hidden_r)
    z = torch.sigmoid(input_z + hidden_z)
    n = torch.tanh(input_n + r * hidden_n)
    return n + z * (aggregate - n)


def ascend(
    starts: Tensor,
    predictors: Sequence[PredictorParameters],
    *,
    step_size: float,
    keep: Sequence[int],
    precision: str = "float32",
) -> Tensor:
    """Climb the predictors from each row of `starts`; see `ngae.ops.ascend`."""
    scale = starts.shape[1] ** 0.5
    z = starts.detach()
    points = starts.new_empty(len(keep), *starts.shape)
    for step in range(max(keep, default=-1) + 1):
        if step > 0:
            z = z.requires_grad_()
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(_score(z, predictors, precision).sum(), z)
            norm = gradient.norm(dim=1, keepdim=True).clamp_min(1e-12)
            moved = z.detach() + step_size * scale * gradient / norm
            radius = moved.norm(dim=1, keepdim=True).clamp_min(1e-12)
            z = moved * (1.5 * scale / radius).clamp_max(1.0)
        for place, number in enumerate(keep):
            if number == step:
                points[place] = z
    return points


def _score(z: Tensor, predictors: Sequence[PredictorParameters], precision: str) -> Tensor:
    """Scores (num_points,) whose gradient `ascend` follows."""
    score = z.new_zeros(len(z))
    for p in predictors:
        hidden = torch.relu(product(z, p.first, precision, p.first_bias))
        hidden = torch.relu(product(hidden, p.second, precision, p.second_bias))
        share = torch.sigmoid(hidden @ p.output.T + p.output_bias)
        score = score + share @ p.coefficient
    return score
