from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from ngae.baselines.dvae import DVAEConfig
from ngae.errors import UsageError

END = 1


def test_decoded_graphs_obey_the_published_rules(model, config):
    z = 2 * torch.randn(300, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    decoded = model.decode(z, torch.Generator().manual_seed(2))
    assert len({len(dag) for dag in decoded.to_dags()}) > 2
    for dag in decoded.to_dags():
        assert 2 <= len(dag) <= config.max_nodes
        assert dag.node_types[0] == config.start_type
        assert [t == END for t in dag.node_types] == [False] * (len(dag) - 1) + [True]
        last = len(dag) - 1
        fed_before = {u for u, v in dag.edges if v < last}
        assert set(dag.predecessors[last]) == set(range(last)) - fed_before


def test_decoding_depends_on_the_generator_alone(model):
    z = torch.zeros(50, 3, dtype=torch.float64)
    before = torch.get_rng_state()
    first, again, other = (
        model.decode(z, torch.Generator().manual_seed(seed)).to_dags() for seed in (7, 7, 8)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert first == again
    assert first != other
    assert len(set(first)) > 1


def test_frequencies_are_those_of_the_naive_step_probabilities(make_model, make_naive):
    small = DVAEConfig(hidden_dim=4, latent_dim=2, num_node_types=4, max_nodes=4)
    model = make_model(small, seed=4, scale=3.0)  # an edge tells on those decided after it
    z = torch.tensor([0.5, -1.0], dtype=torch.float64)
    draws = 25000
    dags = model.decode(z.expand(draws, 2), torch.Generator().manual_seed(4)).to_dags()
    counts = Counter(dags)
    assert len(counts) > 50
    naive = make_naive(model.state_dict())
    expected = {dag: naive.probability(z, list(dag.node_types), set(dag.edges)) for dag in counts}
    assert 0.98 < sum(expected.values()) <= 1 + 1e-9  # the graphs never drawn are rare
    common = [dag for dag, p in expected.items() if draws * p >= 5]
    chi_square = sum(
        (counts[dag] - draws * expected[dag]) ** 2 / (draws * expected[dag]) for dag in common
    )
    assert chi_square < len(common) + 4 * math.sqrt(2 * len(common))  # four standard deviations


def test_without_a_generator_every_decision_is_the_likeliest(make_model, make_naive):
    small = DVAEConfig(hidden_dim=4, latent_dim=2, num_node_types=4, max_nodes=5)
    model = make_model(small, seed=4, scale=4.0)
    naive = make_naive(model.state_dict())
    points = 3 * torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    greedy = model.decode(points, None).to_dags()
    assert greedy == model.decode(points, None).to_dags()
    assert len(set(greedy)) > 3
    for z, dag in zip(points, greedy, strict=True):
        types, edges = list(dag.node_types), set(dag.edges)
        with torch.no_grad():
            type_terms, edge_terms = naive.decode_terms(z, types, edges)
            for v in range(1, min(len(dag), small.max_nodes - 1)):
                for other in range(small.num_node_types):
                    changed = [*types[:v], other, *types[v + 1 :]]
                    terms, _ = naive.decode_terms(z, changed, edges)
                    assert float(type_terms[v - 1]) <= float(terms[v - 1]) + 1e-12
        decided = [float(term) for (_, v), term in edge_terms.items() if v < len(dag) - 1]
        assert all(term <= math.log(2) + 1e-12 for term in decided)


@pytest.mark.parametrize("shape", [(3,), (2, 4), (1, 2, 3)])
def test_z_of_another_shape_is_refused(model, shape):
    with pytest.raises(UsageError, match=r"DVAE.decode: z: expected shape \(num_graphs, 3\)"):
        model.decode(torch.zeros(shape), None)
