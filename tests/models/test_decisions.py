"""The decisions that carry a loss against a walk over each graph, under rules of all kinds."""

import numpy as np
import pytest
import torch

from ngae.batch import GraphBatch
from ngae.dags import Dags
from ngae.models import ModelConfig
from ngae.models.decisions import Decisions
from ngae.models.decoder import Decoder
from ngae.rules import FREE
from tests.random_rules import CASES, END, TYPES, random_rules


def decoded(rules, seed):
    torch.manual_seed(seed)
    decoder = Decoder(rules, ModelConfig(hidden_dim=12, latent_dim=6, head_dim=14))
    with torch.no_grad():
        decoder.type_out.bias[END] -= 2
    found = decoder.sample(torch.randn(200, 6), seed=seed)
    return list(Dags.from_padded(found.node_type.numpy(), found.adjacency.numpy()))


def loose_ends(rules, dag, v):
    """Nodes before v that must feed one and have fed none before v."""
    return {
        u
        for u in range(v)
        if rules.must_feed[dag.node_types[u]] and not [w for w in dag.successors[u] if w < v]
    }


def types_by_walk(rules, dag):
    """(node, types that it may have) of the nodes whose type is decided."""
    for v in range(1, len(dag)):
        planned = sum(w < v for _, w in dag.edges) + len(loose_ends(rules, dag, v))
        is_full = rules.max_edges is not None and planned + 1 > rules.max_edges
        before = dag.node_types[v - 1]
        allowed = [
            t
            for t in range(TYPES)
            if rules.type_allowed[v, t] and rules.type_follows[before, t]
            if t == END or not is_full
        ]
        if len(allowed) > 1:
            yield v, allowed


def pairs_by_walk(rules, dag):
    """The pairs (u, v) whose edge is decided."""
    for v in range(1, len(dag)):
        kind = dag.node_types[v]
        if rules.max_in_degree[kind] == 0 or (kind == END and rules.loose_ends == "only"):
            continue
        forced = kind == END and rules.loose_ends == "forced"
        loose = loose_ends(rules, dag, v) if forced else set()
        yield from ((u, v) for u in range(v) if rules.edge_rule[u, v] == FREE and u not in loose)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_equal_a_walk_over_each_graph(case):
    rules = random_rules(*case)
    dags = decoded(rules, case[0])
    batch = GraphBatch.pack(dags)
    found = Decisions.of(batch, rules)
    first, states = batch.graph_ptr.numpy(), found.states.graph_ptr.numpy()
    types, pairs = [], []
    for g, dag in enumerate(dags):
        for v, allowed in types_by_walk(rules, dag):
            types.append((states[g] + v - 1, dag.node_types[v], *allowed))
        for u, v in pairs_by_walk(rules, dag):
            pairs.append((g, states[g] + u, first[g] + v, (u, v) in dag.edges))
    forbidden = found.type_forbidden.numpy()
    of_types = zip(found.type_state.tolist(), found.type_target.tolist(), forbidden, strict=True)
    assert [(s, t, *np.flatnonzero(~row)) for s, t, row in of_types] == types
    of_pairs = (found.pair_graph, found.pair_source, found.pair_target, found.pair_edge)
    assert list(zip(*(field.tolist() for field in of_pairs), strict=True)) == pairs
    assert found.type_graph.tolist() == found.states.node_graph[found.type_state].tolist()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_was_decoded_has_a_likelihood(case):
    rules = random_rules(*case)
    dags = decoded(rules, case[0])
    batch = GraphBatch.pack(dags)
    decoder = Decoder(rules, ModelConfig(hidden_dim=12, latent_dim=6, head_dim=14))
    nodes, edges = decoder(batch, Decisions.of(batch, rules), torch.zeros(len(dags), 6))
    assert (nodes >= 0).all() and nodes.isfinite().all()
    assert (edges >= 0).all() and edges.isfinite().all()
