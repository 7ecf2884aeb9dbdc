"""The decisions that a decoder takes to write given graphs, as index lists.

They depend on the graphs and the space's rules alone, so they are made once beside the batch.
Decisions that the rules force or forbid are none: they carry no loss. What the decoder mends
afterwards (in-degrees, the number of edges) is not foreseen here, so that the likelihood is a
lower bound of the chance that it writes the graph.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.rules import FREE, DecodeRules
from ngae.transfer import transfer


@dataclass(frozen=True)
class Decisions:
    """What is decided, and how.

    Attributes:
        states: The nodes whose states the decisions read, the first of each graph at least: what
            comes after the last of them (an output node, say) need not be computed.
        type_state: int64 (num_types,) node of `states` just before the one whose type is decided.
        type_place: int64 (num_types,) place of that node in its graph.
        type_target: int64 (num_types,) the right type.
        type_forbidden: bool (num_types, num_node_types) types that the rules exclude there.
        type_graph: int64 (num_types,) graph of each.
        pair_source: int64 (num_pairs,) node u, of `states`, of the decision "does u feed v?".
        pair_target: int64 (num_pairs,) node v, of the batch; ascending.
        pair_edge: float32 (num_pairs,) 1 where there is an edge.
        pair_graph: int64 (num_pairs,) graph of each.
    """

    states: GraphBatch
    type_state: Tensor
    type_place: Tensor
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
        before, type_place, type_target, type_forbidden, type_graph = _types(batch, rules)
        source, pair_target, pair_edge, pair_graph = _pairs(batch, rules)
        states, row = _states(batch, before, source)
        return cls(
            states,
            torch.from_numpy(row[before]),
            type_place,
            type_target,
            type_forbidden,
            type_graph,
            torch.from_numpy(row[source]),
            pair_target,
            pair_edge,
            pair_graph,
        )

    def to(self, device: torch.device) -> Decisions:
        """Return the same lists on `device`, where the decoder gives all states an initial one."""
        lists = [getattr(self, field.name) for field in fields(self)[1:]]
        return Decisions(self.states.to(device, merge=False), *transfer(lists, device))


def _states(batch: GraphBatch, *read: NDArray[np.int64]) -> tuple[GraphBatch, NDArray[np.int64]]:
    """The states that are read, and the row of each node of `batch` among them."""
    graph, place = batch.node_graph.numpy(), batch.node_index.numpy()
    counts = np.ones(batch.num_graphs, dtype=np.int64)
    for nodes in read:
        np.maximum.at(counts, graph[nodes], place[nodes] + 1)
    first = counts.cumsum() - counts
    return batch.prefix(counts), first[graph] + place


def _types(
    batch: GraphBatch, rules: DecodeRules
) -> tuple[NDArray[np.int64], Tensor, Tensor, Tensor, Tensor]:
    place, types = batch.node_index.numpy(), batch.node_type.numpy()
    open_places = (rules.type_allowed.sum(axis=1) > 1) & (np.arange(rules.max_nodes) > 0)
    node = np.flatnonzero(open_places[place])
    allowed = rules.type_allowed[place[node]] & rules.type_follows[types[node - 1]]
    if rules.max_edges is not None:
        spent = _least_edges(batch, rules)[node - 1] >= rules.max_edges
        allowed &= ~spent[:, None] | (np.arange(rules.num_node_types) == rules.end_type)
    decided = allowed.sum(axis=1) > 1
    node, allowed = node[decided], allowed[decided]
    return (
        node - 1,
        torch.from_numpy(place[node].astype(np.int64)),
        torch.from_numpy(types[node].astype(np.int64)),
        torch.from_numpy(~allowed),
        torch.from_numpy(batch.node_graph.numpy()[node].astype(np.int64)),
    )


def _pairs(
    batch: GraphBatch, rules: DecodeRules
) -> tuple[NDArray[np.int64], Tensor, Tensor, Tensor]:
    place, types = batch.node_index.numpy().astype(np.int64), batch.node_type.numpy()
    free, count = _free_sources(rules)
    decides = rules.max_in_degree > 0
    decides[rules.end_type] &= rules.loose_ends != "only"
    node_count = count[place] * decides[types]
    target = np.repeat(np.arange(batch.num_nodes), node_count)
    start = node_count.cumsum() - node_count
    rank = np.arange(len(target)) - start[target]
    source = target - place[target] + free[place[target], rank]
    if rules.loose_ends == "forced":
        forced = (types[target] == rules.end_type) & _loose_ends(batch, rules)[source]
        source, target = source[~forced], target[~forced]
    return (
        source,
        torch.from_numpy(target),
        torch.from_numpy(_are_edges(batch, source, target)),
        torch.from_numpy(batch.node_graph.numpy()[target].astype(np.int64)),
    )


def _first_successors(batch: GraphBatch) -> NDArray[np.int64]:
    """The first node that each node feeds, (num_nodes,); num_nodes where it feeds none."""
    ptr = batch.succ_ptr.numpy()
    first = np.full(batch.num_nodes, batch.num_nodes, dtype=np.int64)
    feeds = np.diff(ptr) > 0
    first[feeds] = batch.succ_dst.numpy()[ptr[:-1][feeds]]
    return first


def _loose_ends(batch: GraphBatch, rules: DecodeRules) -> NDArray[np.bool_]:
    """Nodes that must feed and feed nothing before the end of their graph, (num_nodes,)."""
    types = batch.node_type.numpy()
    first = np.append(types, rules.end_type)[_first_successors(batch)]
    loose: NDArray[np.bool_] = (first == rules.end_type) & rules.must_feed[types]
    return loose


def _least_edges(batch: GraphBatch, rules: DecodeRules) -> NDArray[np.int64]:
    """For each node, edges of its graph if it ended right after it; see csrc/decode.h.

    A node adds itself as a loose end, and an edge from each source that was none before.
    """
    target = np.repeat(np.arange(batch.num_nodes), np.diff(batch.pred_ptr.numpy()))
    source = batch.pred_src.numpy()
    types = batch.node_type.numpy()
    was_loose = (_first_successors(batch)[source] == target) & rules.must_feed[types[source]]
    added = rules.must_feed[types] + np.bincount(target[~was_loose], minlength=batch.num_nodes)
    total = added.cumsum()
    before = np.append(0, total)[batch.graph_ptr.numpy()[:-1]]
    least: NDArray[np.int64] = total - before[batch.node_graph.numpy()]
    return least


def _are_edges(
    batch: GraphBatch, source: NDArray[np.int64], target: NDArray[np.int64]
) -> NDArray[np.float32]:
    """1 where there is an edge from source to target; predecessors of a node are ascending."""
    edge_target = np.repeat(np.arange(batch.num_nodes), np.diff(batch.pred_ptr.numpy()))
    keys = edge_target * batch.num_nodes + batch.pred_src.numpy()
    wanted = target * batch.num_nodes + source
    place = np.searchsorted(keys, wanted)
    found: NDArray[np.bool_] = np.append(keys, -1)[place] == wanted
    return found.astype(np.float32)


def _free_sources(rules: DecodeRules) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places u whose edge to place v is free: (max_nodes, max_nodes) padded, and their count."""
    table = np.zeros((rules.max_nodes, rules.max_nodes), dtype=np.int64)
    count = np.zeros(rules.max_nodes, dtype=np.int64)
    for v in range(rules.max_nodes):
        sources = np.flatnonzero(rules.edge_rule[:v, v] == FREE)
        table[v, : len(sources)] = sources
        count[v] = len(sources)
    return table, count
