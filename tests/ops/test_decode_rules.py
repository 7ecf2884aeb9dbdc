"""`decode` under rules of all kinds: what may follow, loose ends, a limit to the edges."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.dags import Dags
from ngae.errors import GraphError
from ngae.models import ModelConfig
from ngae.models.decisions import Decisions
from ngae.models.decoder import Decoder
from ngae.ops import decode, reference_decode
from ngae.rules import DecodeRules

START, END = 0, 1
LATENT = 6


def make_rules(nodes=7, types=5, *, loose_ends="forced", max_edges=None, early=True, **changes):
    """Operations 2, 3, ... between start and end; the end at any place, or at the last alone."""
    allowed = np.zeros((nodes, types), dtype=bool)
    allowed[0, START] = allowed[-1, END] = True
    allowed[1:-1, 2:] = True
    allowed[1:, END] |= early
    least = np.ones(types, dtype=np.int32)
    least[START] = 0
    rules = DecodeRules(
        START, END, allowed, np.triu(np.ones((nodes, nodes), dtype=np.uint8), 1), least,
        np.full(types, nodes, dtype=np.int32), loose_ends, max_edges=max_edges,
    )  # fmt: skip
    return replace(rules, **changes)


def taps():
    """Operations 2, 3; then perhaps an output 4, fed by one node and feeding none; then the end."""
    follows = np.ones((5, 5), dtype=bool)
    follows[START, 4] = follows[4, 2:] = False
    must_feed = np.array([False, True, True, True, False])
    most = np.array([0, 9, 2, 9, 1], dtype=np.int32)
    return make_rules(9, type_follows=follows, must_feed=must_feed, max_in_degree=most)


def second_input():
    """A second input 4 may stand right after the start and is fed by nothing."""
    follows = np.ones((5, 5), dtype=bool)
    follows[2:, 4] = False
    least = np.array([0, 1, 1, 1, 0], dtype=np.int32)
    most = np.array([0, 9, 9, 9, 0], dtype=np.int32)
    must_feed = np.array([False, True, True, True, False])
    return make_rules(
        type_follows=follows, min_in_degree=least, max_in_degree=most, must_feed=must_feed,
        loose_ends="only", early=False,
    )  # fmt: skip


KINDS = {
    "nine edges": make_rules(max_edges=9),
    "six edges": make_rules(max_edges=6),
    "six edges, loose ends alone": make_rules(max_edges=6, loose_ends="only"),
    "one edge": make_rules(max_edges=1),
    "forced": make_rules(10),
    "forced, two inputs": make_rules(10, max_in_degree=np.array([0, 2, 2, 2, 2], dtype=np.int32)),
    "taps": taps(),
    "second input": second_input(),
}


def make_decoder(rules, seed=0, sharp=3.0):
    torch.manual_seed(seed)
    config = ModelConfig(hidden_dim=12, latent_dim=LATENT, head_dim=14)
    decoder = Decoder(rules, config)
    with torch.no_grad():
        for name, weight in decoder.named_parameters():
            if name.startswith(("type_", "edge_")):
                weight.mul_(sharp)
        decoder.type_out.bias[END] -= 2
    return decoder


def draw(count, seed=0):
    return torch.randn(count, LATENT, generator=torch.Generator().manual_seed(seed)) * 2


def graphs(decoded):
    types, adjacency = decoded.node_type.numpy(), decoded.adjacency.numpy()
    return Dags.from_padded(types, adjacency)


def faults(dag, rules):
    """What of the rules a graph breaks, by plain loops; empty for a good one."""
    found = []
    types, last = dag.node_types, len(dag) - 1
    if types[0] != START or types[last] != END or END in types[1:last]:
        found.append("ends")
    for node in range(1, last + 1):
        if not rules.type_allowed[node, types[node]]:
            found.append(f"type of {node}")
        if not rules.type_follows[types[node - 1], types[node]]:
            found.append(f"order at {node}")
        degree = len(dag.predecessors[node])
        if degree < rules.min_in_degree[types[node]]:
            found.append(f"in-degree of {node}")
        if node < last and degree > rules.max_in_degree[types[node]]:
            found.append(f"in-degree of {node}")
    for node in range(last):
        if rules.must_feed[types[node]] and not dag.successors[node]:
            found.append(f"{node} is loose")
        others = [v for v in dag.successors[node] if v < last]
        to_end = rules.loose_ends == "only" and (node, last) in dag.edges
        if to_end and (others or not rules.must_feed[types[node]]):
            found.append(f"{node} feeds the end")
    if rules.max_edges is not None and len(dag.edges) > rules.max_edges:
        found.append("edges")
    return found


@pytest.mark.parametrize("stochastic", [True, False])
@pytest.mark.parametrize("rules", KINDS.values(), ids=KINDS)
def test_every_graph_keeps_the_rules(rules, stochastic):
    seen = set()
    for seed in range(4):
        decoder = make_decoder(rules, seed)
        for dag in graphs(decoder.sample(draw(1500, seed), seed=seed, stochastic=stochastic)):
            assert faults(dag, rules) == []
            seen.add(dag)
    assert len(seen) == 1 if rules.max_edges == 1 else len(seen) > 20
    if rules.max_edges is not None:
        assert max(len(dag.edges) for dag in seen) == rules.max_edges


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("stochastic", [True, False])
@pytest.mark.parametrize("rules", KINDS.values(), ids=KINDS)
def test_equals_the_reference(rules, stochastic, dtype):
    decoder = make_decoder(rules).to(dtype)
    z = draw(300).to(dtype)
    initial = torch.tanh(decoder.initial(z)).detach()
    weights = decoder._weights()
    with torch.no_grad():
        found = decode(z, initial, weights, rules, seed=7, stochastic=stochastic)
        expected = reference_decode.decode(
            z, initial, weights, rules, seed=7, stochastic=stochastic
        )
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


def all_graphs(rules):
    """Every graph that keeps the rules, by trying all."""
    nodes, types = rules.max_nodes, rules.num_node_types
    kept = []
    for size in range(2, nodes + 1):
        pairs = list(itertools.combinations(range(size), 2))
        for inner in itertools.product(range(2, types), repeat=size - 2):
            for chosen in itertools.product((0, 1), repeat=len(pairs)):
                edges = tuple(pair for pair, is_edge in zip(pairs, chosen, strict=True) if is_edge)
                dag = Dag((START, *inner, END), edges)
                if not faults(dag, rules):
                    kept.append(dag)
    return kept


SMALL = {
    "edges": make_rules(4, 4, max_edges=4),
    "edges, loose ends alone": make_rules(4, 4, max_edges=4, loose_ends="only"),
    "forced": make_rules(4, 4),
}


@pytest.mark.parametrize("rules", SMALL.values(), ids=SMALL)
def test_the_likelihood_is_a_lower_bound_of_the_frequency(rules):
    """What the decoder mends comes on top; without any it is the frequency."""
    dags = all_graphs(rules)
    assert len(dags) > 10
    decoder = make_decoder(rules, 3, sharp=1.0).double()
    z = draw(1, 5).double()
    batch = GraphBatch.pack(dags)
    with torch.no_grad():
        decisions = Decisions.of(batch, rules)
        nodes, edges = decoder(batch, decisions, z.expand(len(dags), -1))
    probability = (-(nodes + edges)).exp().numpy()
    assert 0.1 < probability.sum() <= 1 + 1e-9
    count = 40_000
    sampled = graphs(decoder.sample(z.expand(count, -1), seed=1))
    frequency = dict.fromkeys(dags, 0)
    for dag in sampled:
        frequency[dag] += 1
    found = np.array([frequency[dag] for dag in dags]) / count
    noise = 4.5 * np.sqrt(np.maximum(probability, 1 / count) / count)
    assert (found >= probability - noise).all()


def test_decisions_of_a_graph_by_hand():
    rules = make_rules(4, 4, max_edges=6)
    dag = Dag((START, 2, 3, END), ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3)))
    decisions = Decisions.of(GraphBatch.pack([dag]), rules)
    assert decisions.type_target.tolist() == [2, 3]
    pairs = list(zip(decisions.pair_source.tolist(), decisions.pair_target.tolist(), strict=True))
    assert pairs == [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3)]  # 2 is a loose end
    assert decisions.pair_edge.tolist() == [1, 1, 1, 0, 1]
    tight = Decisions.of(GraphBatch.pack([dag]), replace(rules, max_edges=2))
    assert tight.type_target.tolist() == [2]  # a second operation is out of reach


def test_types_decided_are_those_that_may_follow():
    rules = taps()
    dag = Dag((START, 2, 4, END), ((0, 1), (1, 2), (1, 3)))
    decisions = Decisions.of(GraphBatch.pack([dag]), rules)
    assert decisions.type_target.tolist() == [2, 4]  # after 4 only the end may come
    assert decisions.type_forbidden[0].tolist() == [True, False, False, False, True]


NO_END_AFTER_2 = np.ones((5, 5), dtype=bool)
NO_END_AFTER_2[2, END] = False
NO_2_BEFORE_LAST = make_rules().type_allowed.copy()
NO_2_BEFORE_LAST[5, 2] = False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loose_ends": "some"}, "loose_ends: expected one of free, forced, only, found some"),
        ({"must_feed": np.ones(3, dtype=bool)}, r"must_feed: expected \(5,\), found \(3,\)"),
        ({"type_follows": np.zeros((5, 5), dtype=bool)}, "a type for node 1 after one of type 0"),
        ({"max_edges": 0}, "max_edges of at least 1"),
        ({"max_edges": 5, "loose_ends": "free"}, "loose_ends that are not free"),
        ({"max_edges": 5, "early": False}, "the end allowed at every node"),
        ({"max_edges": 5, "edge_rule": np.zeros((7, 7), dtype=np.uint8)}, "all edges free"),
        ({"max_edges": 5, "min_in_degree": np.full(5, 2, dtype=np.int32)}, "in-degrees of at most"),
        ({"max_edges": 5, "must_feed": np.arange(5) != 2}, "all types but the end in must_feed"),
        (
            {"max_edges": 5, "type_follows": NO_END_AFTER_2, "type_allowed": NO_2_BEFORE_LAST},
            "the end allowed after every",
        ),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(changes, message):
    with pytest.raises(GraphError, match=message):
        make_rules(**changes)
