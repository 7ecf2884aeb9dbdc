"""The ops in plain PyTorch: same signatures, any device, gradients by torch's own autograd.

They define what the native ops compute. They check no arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.ops.parameters import (
    DagGruParameters,
    Decoded,
    DecoderParameters,
    PredictorParameters,
)
from ngae.ops.philox import edge_uniforms, type_uniforms
from ngae.ops.product import product
from ngae.rules import FORCED, FREE, DecodeRules


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
    out = product(x, weight, precision)
    return out if bias is None else out + bias


def pair_scores(
    source: Tensor, target: Tensor, weight: Tensor, pair_source: Tensor, pair_target: Tensor
) -> Tensor:
    """Score pairs of rows; see `ngae.ops.pair_scores`."""
    return torch.relu(source[pair_source] + target[pair_target]) @ weight


def gather_rows(table: Tensor, index: Tensor) -> Tensor:
    """Return `table[index]`; see `ngae.ops.gather_rows`."""
    return table.index_select(0, index)


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
    gate = product(h, parameters.w_gate, precision) + parameters.b_gate
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
    hidden = product(aggregate, parameters.w_hh, precision) + parameters.b_hh
    input_r, input_z, input_n = inputs.chunk(3, dim=1)
    hidden_r, hidden_z, hidden_n = hidden.chunk(3, dim=1)
    r = torch.sigmoid(input_r + hidden_r)
    z = torch.sigmoid(input_z + hidden_z)
    n = torch.tanh(input_n + r * hidden_n)
    return n + z * (aggregate - n)


@dataclass(frozen=True)
class _Scene:
    """What stays the same while `decode` goes from node to node."""

    parameters: DecoderParameters
    rules: DecodeRules
    sample_ids: Tensor  # (B,)
    seed: int
    stochastic: bool
    precision: str
    type_part: Tensor  # (B, type_dim): type_z z + type_bias
    edge_part: Tensor  # (B, edge_dim): edge_z z + edge_bias
    target_part: Tensor  # (T, edge_dim): edge_v g(t)

    def uniforms(self, draw: object) -> Tensor:
        """Move numbers drawn in numpy to the device."""
        return torch.as_tensor(draw, device=self.type_part.device).to(self.type_part.dtype)


@torch.no_grad()
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
    """Write a graph for each row of z; see `ngae.ops.decode`. All rows at once, node by node."""
    if sample_ids is None:
        sample_ids = torch.arange(z.shape[0])
    scene = _scene(z, parameters, rules, seed, sample_ids, stochastic, precision)
    rows, gru = z.shape[0], parameters.gru
    node_type = torch.full((rows, rules.max_nodes), -1, device=z.device)
    adjacency = torch.zeros(rows, rules.max_nodes, rules.max_nodes, dtype=torch.bool)
    adjacency = adjacency.to(z.device)
    node_type[:, 0] = rules.start_type
    h = gru_cell(gru, node_type[:, 0], initial, precision)
    messages = [_message_of(scene, 0, h)]
    sources = [product(h, parameters.edge_u, precision)]
    alive = torch.ones(rows, dtype=torch.bool, device=z.device)
    for v in range(1, rules.max_nodes):
        types = _choose_types(scene, v, h)
        edges = _choose_edges(scene, v, types, torch.stack(sources, dim=1))
        if rules.loose_ends_to_end:
            loose = ~adjacency[:, :v, :].any(dim=2)
            edges = torch.where((types == rules.end_type).unsqueeze(1), loose, edges)
        node_type[:, v] = torch.where(alive, types, -1)
        adjacency[:, :v, v] = edges & alive.unsqueeze(1)
        aggregate = (torch.stack(messages, dim=1) * edges.unsqueeze(2).to(h.dtype)).sum(dim=1)
        h = gru_cell(gru, types, aggregate, precision)
        messages.append(_message_of(scene, v, h))
        sources.append(product(h, parameters.edge_u, precision))
        alive = alive & (types != rules.end_type)
    num_nodes = (node_type >= 0).sum(dim=1)
    return Decoded(node_type.int(), adjacency, num_nodes.int())


def _scene(
    z: Tensor,
    parameters: DecoderParameters,
    rules: DecodeRules,
    seed: int,
    sample_ids: Tensor,
    stochastic: bool,
    precision: str,
) -> _Scene:
    type_part = parameters.type_bias.expand(z.shape[0], -1)
    if parameters.type_z is not None:
        type_part = type_part + product(z, parameters.type_z, precision)
    edge_part = parameters.edge_bias.expand(z.shape[0], -1)
    if parameters.edge_z is not None:
        edge_part = edge_part + product(z, parameters.edge_z, precision)
    types = torch.arange(rules.num_node_types, device=z.device)
    nothing = z.new_zeros(len(types), parameters.gru.w_hh.shape[1])
    alone = gru_cell(parameters.gru, types, nothing, precision)
    target_part = product(alone, parameters.edge_v, precision)
    return _Scene(
        parameters,
        rules,
        sample_ids,
        seed,
        stochastic,
        precision,
        type_part,
        edge_part,
        target_part,
    )


def _message_of(scene: _Scene, node: int, h: Tensor) -> Tensor:
    index = torch.full((h.shape[0],), node, device=h.device)
    return message(scene.parameters.gru, index, h, scene.precision)


def _choose_types(scene: _Scene, node: int, h: Tensor) -> Tensor:
    """Types (B,) of node `node`, given the state h of the node before it."""
    hidden = product(h, scene.parameters.type_h, scene.precision) + scene.type_part
    hidden = torch.relu(hidden)
    logits = hidden @ scene.parameters.type_out.T + scene.parameters.type_out_bias
    allowed = torch.from_numpy(scene.rules.type_allowed[node]).to(h.device)
    logits = logits.masked_fill(~allowed, -torch.inf)
    if not scene.stochastic:
        return logits.argmax(dim=1)
    draw = type_uniforms(scene.seed, scene.sample_ids.cpu().numpy(), node)
    cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
    passed = cumulative > scene.uniforms(draw).unsqueeze(1)
    last = int(allowed.nonzero().max())  # where rounding leaves the sum below the number drawn
    return torch.where(passed.any(dim=1), passed.int().argmax(dim=1), last)


def _choose_edges(scene: _Scene, node: int, types: Tensor, sources: Tensor) -> Tensor:
    """Edges (B, node) into node `node`; sources (B, node, edge_dim) are edge_u h_u."""
    target = scene.target_part[types] + scene.edge_part
    if scene.parameters.edge_place is not None:
        target = target + scene.parameters.edge_place[node]
    hidden = sources + target.unsqueeze(1)
    logits = torch.relu(hidden) @ scene.parameters.edge_out + scene.parameters.edge_out_bias
    probability = torch.sigmoid(logits)
    rule = torch.from_numpy(scene.rules.edge_rule[:node, node]).to(sources.device)
    free = (rule == FREE).expand_as(probability)
    if scene.stochastic:
        draw = edge_uniforms(scene.seed, scene.sample_ids.cpu().numpy(), node)
        chosen = scene.uniforms(draw) < probability
    else:
        chosen = probability > 0.5
    edges = (chosen & free) | (rule == FORCED)
    return _keep_in_degree(scene.rules, types, edges, free, probability)


def _keep_in_degree(
    rules: DecodeRules, types: Tensor, edges: Tensor, free: Tensor, probability: Tensor
) -> Tensor:
    """Add the most probable edges up to the least in-degree, drop the least probable above it."""
    least = torch.from_numpy(rules.min_in_degree).to(types.device)[types].unsqueeze(1)
    most = torch.from_numpy(rules.max_in_degree).to(types.device)[types].unsqueeze(1)
    missing = least - edges.sum(dim=1, keepdim=True)
    rank = _rank(torch.where(free & ~edges, probability, -torch.inf), larger_first=True)
    edges = edges | (free & (rank < missing) & ~edges)
    surplus = edges.sum(dim=1, keepdim=True) - most
    rank = _rank(-torch.where(free & edges, probability, torch.inf), larger_first=False)
    return edges & ~(free & (rank < surplus))


def _rank(value: Tensor, larger_first: bool) -> Tensor:
    """Place of each value in falling order along a row; among equals by number of the column."""
    value = value.flip(1) if larger_first else value
    rank = value.sort(dim=1, descending=True, stable=True).indices.argsort(dim=1)
    return rank.flip(1) if larger_first else rank


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
        hidden = torch.relu(product(z, p.first, precision) + p.first_bias)
        hidden = torch.relu(product(hidden, p.second, precision) + p.second_bias)
        share = torch.sigmoid(hidden @ p.output.T + p.output_bias)
        score = score + share @ p.coefficient
    return score
