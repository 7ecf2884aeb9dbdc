"""Decoding in plain PyTorch, with the signature of `ngae.ops.decode`; checks no arguments."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ngae.ops.parameters import Decoded, DecoderParameters
from ngae.ops.philox import edge_uniforms, type_uniforms
from ngae.ops.product import product
from ngae.ops.reference import gru_cell, message
from ngae.rules import FORBIDDEN, FORCED, FREE, DecodeRules


@dataclass(frozen=True)
class _Scene:
    """What stays the same while `decode` goes from node to node."""

    parameters: DecoderParameters
    rules: DecodeRules
    sample_ids: Tensor  # (B,)
    seed: int
    stochastic: bool
    precision: str
    z: Tensor  # (B, latent_dim)
    target_part: Tensor  # (T, edge_dim): edge_v g(t)

    def uniforms(self, draw: object) -> Tensor:
        """Move numbers drawn in numpy to the device."""
        return torch.as_tensor(draw, device=self.z.device).to(self.z.dtype)

    def part(self, by_place: Tensor | None, term: Tensor, place: int) -> Tensor:
        """What z and the term of a place give to a head's first layer, (B, dim)."""
        if by_place is None:
            return term[place].expand(self.z.shape[0], -1)
        return product(self.z, by_place[place], self.precision) + term[place]


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
    sources = [_source_of(scene, 0, h)]
    alive = torch.ones(rows, dtype=torch.bool, device=z.device)
    for v in range(1, rules.max_nodes):
        loose = _loose_ends(rules, node_type[:, :v], adjacency[:, :v])
        least_edges = adjacency.sum(dim=(1, 2)) + loose.sum(dim=1)
        types = _choose_types(scene, v, h, node_type[:, v - 1], least_edges)
        edges = _choose_edges(scene, v, types, torch.stack(sources, dim=1), loose, least_edges)
        if rules.loose_ends == "only":
            edges = torch.where((types == rules.end_type).unsqueeze(1), loose, edges)
        node_type[:, v] = torch.where(alive, types, -1)
        adjacency[:, :v, v] = edges & alive.unsqueeze(1)
        aggregate = (torch.stack(messages, dim=1) * edges.unsqueeze(2).to(h.dtype)).sum(dim=1)
        h = gru_cell(gru, types, aggregate, precision)
        messages.append(_message_of(scene, v, h))
        sources.append(_source_of(scene, v, h))
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
        z,
        target_part,
    )


def _message_of(scene: _Scene, node: int, h: Tensor) -> Tensor:
    index = torch.full((h.shape[0],), node, device=h.device)
    return message(scene.parameters.gru, index, h, scene.precision)


def _loose_ends(rules: DecodeRules, types: Tensor, adjacency: Tensor) -> Tensor:
    """Nodes (B, v) so far that feed none and must; adjacency (B, v, max_nodes)."""
    must_feed = torch.from_numpy(rules.must_feed).to(types.device)[types.clamp(min=0)]
    return must_feed & ~adjacency.any(dim=2)


def _source_of(scene: _Scene, node: int, h: Tensor) -> Tensor:
    """The part (B, edge_dim) that node `node` of state h gives to the edges out of it."""
    part = scene.part(scene.parameters.source_z, scene.parameters.source_term, node)
    return product(h, scene.parameters.edge_u, scene.precision) + part


def _choose_types(
    scene: _Scene, node: int, h: Tensor, previous: Tensor, least_edges: Tensor
) -> Tensor:
    """Types (B,) of node `node`, given state h and type of the node before it.

    least_edges (B,): edges of the graph if it ended here.
    """
    part = scene.part(scene.parameters.type_z, scene.parameters.type_term, node)
    hidden = torch.relu(product(h, scene.parameters.type_h, scene.precision) + part)
    logits = hidden @ scene.parameters.type_out.T + scene.parameters.type_out_bias
    follows = torch.from_numpy(scene.rules.type_follows).to(h.device)[previous.clamp(min=0)]
    allowed = torch.from_numpy(scene.rules.type_allowed[node]).to(h.device) & follows
    is_end = torch.arange(scene.rules.num_node_types, device=h.device) == scene.rules.end_type
    allowed = allowed & (is_end | (least_edges < scene.rules.most_edges).unsqueeze(1))
    logits = logits.masked_fill(~allowed, -torch.inf)
    if not scene.stochastic:
        return logits.argmax(dim=1)
    draw = type_uniforms(scene.seed, scene.sample_ids.cpu().numpy(), node)
    cumulative = torch.softmax(logits, dim=1).cumsum(dim=1)
    passed = cumulative > scene.uniforms(draw).unsqueeze(1)
    # The last allowed type, where rounding leaves the sum below the number drawn.
    last = (allowed * torch.arange(allowed.shape[1], device=h.device)).argmax(dim=1)
    return torch.where(passed.any(dim=1), passed.int().argmax(dim=1), last)


def _choose_edges(
    scene: _Scene,
    node: int,
    types: Tensor,
    sources: Tensor,
    loose: Tensor,
    least_edges: Tensor,
) -> Tensor:
    """Edges (B, node) into node `node`; sources (B, node, edge_dim) are the sources' parts."""
    part = scene.part(scene.parameters.edge_z, scene.parameters.edge_term, node)
    target = scene.target_part[types] + part
    hidden = sources + target.unsqueeze(1)
    logits = torch.relu(hidden) @ scene.parameters.edge_out + scene.parameters.edge_out_bias
    probability = torch.sigmoid(logits)
    rule = torch.from_numpy(scene.rules.edge_rule[:node, node]).to(sources.device)
    most = torch.from_numpy(scene.rules.max_in_degree).to(types.device)[types].unsqueeze(1)
    rule = torch.where((rule == FREE) & (most == 0), FORBIDDEN, rule)
    if scene.rules.loose_ends == "forced":
        is_end = (types == scene.rules.end_type).unsqueeze(1)
        rule = torch.where(is_end & loose, FORCED, rule)
    free = rule == FREE
    if scene.stochastic:
        draw = edge_uniforms(scene.seed, scene.sample_ids.cpu().numpy(), node)
        chosen = scene.uniforms(draw) < probability
    else:
        chosen = probability > 0.5
    edges = (chosen & free) | (rule == FORCED)
    edges = _keep_in_degree(scene.rules, types, edges, free, probability)
    return _keep_edge_budget(scene.rules, types, edges, probability, loose, least_edges)


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


def _keep_edge_budget(
    rules: DecodeRules,
    types: Tensor,
    edges: Tensor,
    probability: Tensor,
    loose: Tensor,
    least_edges: Tensor,
) -> Tensor:
    """Drop the least probable sources that are no loose ends; see csrc/decode.h."""
    if rules.max_edges is None:
        return edges
    spare = rules.max_edges - least_edges - (types != rules.end_type).int()
    costly = edges & ~loose
    surplus = (costly.sum(dim=1) - spare).unsqueeze(1)
    rank = _rank(-torch.where(costly, probability, torch.inf), larger_first=False)
    edges = edges & ~(costly & (rank < surplus))
    least = torch.from_numpy(rules.min_in_degree).to(types.device)[types]
    most = torch.from_numpy(rules.max_in_degree).to(types.device)[types]
    needs = ((edges.sum(dim=1) < least) & (most > 0)).unsqueeze(1)
    rank = _rank(torch.where(loose, probability, -torch.inf), larger_first=True)
    return edges | (needs & loose & (rank == 0))


def _rank(value: Tensor, larger_first: bool) -> Tensor:
    """Place of each value in falling order along a row; among equals by number of the column."""
    value = value.flip(1) if larger_first else value
    rank = value.sort(dim=1, descending=True, stable=True).indices.argsort(dim=1)
    return rank.flip(1) if larger_first else rank
