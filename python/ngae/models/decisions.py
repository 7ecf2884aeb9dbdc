"""The decisions that a decoder takes to write given graphs, as index lists.

They depend on the graphs and the space's rules alone, so they are made once beside the batch.
Decisions that the rules force or forbid are none: they carry no loss.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.rules import FREE, DecodeRules


@dataclass(frozen=True)
class Decisions:
    """What is decided, and how.

    Attributes:
        type_node: int64 (num_types,) nodes whose type is decided (a graph's first never is).
        type_target: int64 (num_types,) the right type.
        type_forbidden: bool (num_types, num_node_types) types that the rules exclude there.
        type_graph: int64 (num_types,) graph of each.
        pair_source: int64 (num_pairs,) node u of the decision "does u feed v?".
        pair_target: int64 (num_pairs,) node v.
        pair_edge: float32 (num_pairs,) 1 where there is an edge.
        pair_graph: int64 (num_pairs,) graph of each.
    """

    type_node: Tensor
    type_target: Tensor
    type_forbidden: Tensor
    type_graph: Tensor
    pair_source: Tensor
    pair_target: Tensor
    pair_edge: Tensor
    pair_graph: Tensor

    @classmethod
    def of(cls, batch: GraphBatch, rules: DecodeRules) -> Decisions:
        """List the decisions of a batch on the CPU."""
        return cls(*_types(batch, rules), *_pairs(batch, rules))

    def to(self, device: torch.device) -> Decisions:
        """Return the same lists on `device`."""
        return Decisions(*(getattr(self, field.name).to(device) for field in fields(self)))


def _types(batch: GraphBatch, rules: DecodeRules) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    place = batch.node_index.long()
    allowed = torch.from_numpy(rules.type_allowed)
    open_places = (allowed.sum(dim=1) > 1) & (torch.arange(rules.max_nodes) > 0)
    node = open_places[place].nonzero().squeeze(1)
    target = batch.node_type.long()[node]
    return node, target, ~allowed[place[node]], batch.node_graph.long()[node]


def _pairs(batch: GraphBatch, rules: DecodeRules) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    place = batch.node_index.long()
    free, count = _free_sources(rules)
    node_count = count[place]
    if rules.loose_ends_to_end:
        node_count = node_count * (batch.node_type != rules.end_type)
    target = torch.repeat_interleave(torch.arange(batch.num_nodes), node_count)
    start = node_count.cumsum(0) - node_count
    rank = torch.arange(len(target)) - start[target]
    local = free[place[target], rank]
    source = target - place[target] + local
    edge_target = torch.repeat_interleave(torch.arange(batch.num_nodes), batch.pred_ptr.diff())
    keys = edge_target * batch.num_nodes + batch.pred_src.long()
    edge = torch.isin(target * batch.num_nodes + source, keys).float()
    return source, target, edge, batch.node_graph.long()[target]


def _free_sources(rules: DecodeRules) -> tuple[Tensor, Tensor]:
    """Places u whose edge to place v is free: (max_nodes, max_nodes) padded, and their count."""
    table = np.zeros((rules.max_nodes, rules.max_nodes), dtype=np.int64)
    count = np.zeros(rules.max_nodes, dtype=np.int64)
    for v in range(rules.max_nodes):
        sources = np.flatnonzero(rules.edge_rule[:v, v] == FREE)
        table[v, : len(sources)] = sources
        count[v] = len(sources)
    return torch.from_numpy(table), torch.from_numpy(count)
