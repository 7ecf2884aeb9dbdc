"""The model against a naive one, graph by graph and node by node, from its formulas."""

from collections import Counter

import numpy as np
import pytest
import torch

from ngae.batch import GraphBatch
from ngae.models import LossConfig, ModelConfig, NGAEModel, TargetScaler, objective
from ngae.models.decisions import Decisions
from ngae.models.inputs import Inputs
from ngae.models.loss import squared_correlations
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(4)
CONFIGS = {
    "default": ModelConfig(hidden_dim=12, latent_dim=5, head_dim=7, predictor_dim=6),
    "paper": ModelConfig(
        hidden_dim=12, latent_dim=5, head_dim=7, predictor_dim=6,
        readout="output", latent_in_heads=False, vertex_index=True,
    ),
    "one way": ModelConfig(
        hidden_dim=12, latent_dim=5, head_dim=7, predictor_dim=6,
        readout="output", bidirectional=False,
    ),
}  # fmt: skip


def _dags(count=5):
    rng = np.random.default_rng(1)
    return [SPACE.sample(rng) for _ in range(count)]


def _model(config):
    values = np.linspace(0, 1, 7)
    model = NGAEModel(
        SPACE, config, TargetScaler.fit(values[:, None]),
        TargetScaler.fit(np.stack([values, 100 * values], 1)), seed=3,
    )  # fmt: skip
    return model.double()


def _states(propagation, dag, initial=None, reverse=False):
    """Node states by equation (2), one node at a time."""
    size = propagation.gru.hidden_size
    states = {}
    order = range(len(dag))[::-1] if reverse else range(len(dag))
    for v in order:
        total = torch.zeros(size, dtype=torch.float64)
        for u in (dag.successors if reverse else dag.predecessors)[v]:
            gate, message = propagation.gate(states[u]), propagation.map(states[u])
            if propagation.gate_index is not None:
                gate = gate + propagation.gate_index[u]
                message = message + propagation.map_index[u]
            total = total + torch.sigmoid(gate) * message
        if initial is not None and v == 0:
            total = total + initial
        one_hot = torch.eye(propagation.gru.input_size, dtype=torch.float64)[dag.node_types[v]]
        states[v] = propagation.gru(one_hot[None], total[None])[0]
    return torch.stack([states[v] for v in range(len(dag))])


def _posterior(encoder, dag):
    parts = [_states(p, dag, reverse=bool(i)) for i, p in enumerate(encoder.propagations)]
    if encoder.readout == "all":
        state = torch.relu(encoder.unify(torch.cat(parts, 1).reshape(-1)))
    else:
        state = encoder.unify(torch.cat([p[-1 if i == 0 else 0] for i, p in enumerate(parts)]))
    return encoder.mean(state), encoder.logvar(state)


def _part(by_place, z, place):
    if by_place.latent is None:
        return by_place.term[place]
    return by_place.weights()[place] @ z + by_place.term[place]


def _reconstruction(decoder, dag, z):
    """Negative log-likelihood of types and of edges, decision by decision."""
    states = _states(decoder.propagation, dag, torch.tanh(decoder.initial(z)))
    nodes = edges = torch.zeros((), dtype=torch.float64)
    for v in range(1, len(dag) - 1):
        hidden = decoder.type_hidden(states[v - 1]) + _part(decoder.type_place, z, v)
        logits = decoder.type_out(torch.relu(hidden))[2:]
        nodes = nodes - torch.log_softmax(logits, 0)[dag.node_types[v] - 2]
        one_hot = torch.eye(8, dtype=torch.float64)[dag.node_types[v]]
        bare = decoder.propagation.gru(one_hot[None], torch.zeros_like(states[:1]))[0]
        for u in range(v - 1):
            hidden = decoder.edge_source(states[u]) + _part(decoder.source_place, z, u)
            hidden = hidden + decoder.edge_target(bare) + _part(decoder.edge_place, z, v)
            probability = torch.sigmoid(decoder.edge_out(torch.relu(hidden)))[0]
            edges = edges - torch.log(probability if u in dag.predecessors[v] else 1 - probability)
    return nodes, edges


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_encoder_and_likelihood_equal_the_naive_model(config):
    model, dags = _model(config), _dags()
    batch = GraphBatch.pack(dags)
    posterior = model.encoder(batch)
    z = torch.randn(len(dags), 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    nodes, edges = model.decoder(batch, Decisions.of(batch, SPACE.rules), z)
    for i, dag in enumerate(dags):
        mean, logvar = _posterior(model.encoder, dag)
        torch.testing.assert_close(posterior.mean[i], mean)
        torch.testing.assert_close(posterior.logvar[i], logvar)
        expected_nodes, expected_edges = _reconstruction(model.decoder, dag, z[i])
        torch.testing.assert_close(nodes[i], expected_nodes)
        torch.testing.assert_close(edges[i], expected_edges)


def test_likelihood_is_the_frequency_of_stochastic_decodings():
    model = _model(CONFIGS["default"])
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(3)
    z = torch.zeros(1, 5, dtype=torch.float64)
    decoded = model.float().decode(z.float().expand(20_000, 5), seed=1, stochastic=True)
    ((most, times),) = Counter(decoded).most_common(1)
    batch = GraphBatch.pack([most])
    nodes, edges = model.decoder(batch, Decisions.of(batch, SPACE.rules), z.float())
    expected = float(torch.exp(-(nodes + edges)).detach())
    share = times / len(decoded)
    assert abs(share - expected) < 5 * (expected / 20_000) ** 0.5


def test_kl_is_the_divergence_of_gaussians():
    posterior = _model(CONFIGS["default"]).encode(_dags())
    normal = torch.distributions.Normal(posterior.mean, (0.5 * posterior.logvar).exp())
    prior = torch.distributions.Normal(torch.zeros_like(posterior.mean), 1.0)
    expected = torch.distributions.kl_divergence(normal, prior).sum(1)
    torch.testing.assert_close(posterior.kl(), expected)


def test_objective_weighs_each_term():
    model, dags = _model(CONFIGS["default"]), _dags()
    batch = GraphBatch.pack(dags)
    inputs = (batch, Decisions.of(batch, SPACE.rules), torch.zeros(5), torch.zeros(5, 2))
    terms = model(*inputs, torch.zeros(5, 5, dtype=torch.float64))
    weights = LossConfig(
        beta=2.0, performance_weight=3.0, complexity_weight=5.0, correlation_weight=7.0
    )
    predicted = 3 * terms.performance + 5 * terms.complexity
    expected = terms.nodes + terms.edges + 2 * terms.kl + predicted + 7 * terms.correlation
    torch.testing.assert_close(objective(terms, weights), expected)
    means = model.encode(dags).mean.numpy()
    by_numpy = np.corrcoef(means, rowvar=False)
    assert terms.correlation.item() == pytest.approx((by_numpy**2).sum() - 5, rel=1e-6)


def test_squared_correlations():
    points = torch.tensor([[1.0, 2.0, 0.0, 7.0], [-1.0, -2.0, 1.0, 7.0], [0.0, 0.0, -1.0, 7.0]])
    assert squared_correlations(points[:, :2]).item() == pytest.approx(2.0)
    assert squared_correlations(points[:, [0, 3]]).item() == 0.0  # one does not vary
    assert squared_correlations(points).item() == pytest.approx(2 + 4 * 0.25)
    assert squared_correlations(points[:1]).item() == 0.0
    held = points[:, :3].double().requires_grad_()
    assert torch.autograd.gradcheck(squared_correlations, held)


def test_predictions_come_back_in_their_own_units_and_range():
    rng = np.random.default_rng(0)
    targets = rng.normal(1e6, 2e5, (200, 1))
    scaler = TargetScaler.fit(targets)
    model = NGAEModel(SPACE, CONFIGS["default"], scaler, TargetScaler.fit(targets[:, :0]), 0)
    predicted = model.predict(100 * torch.randn(500, 5)).performance
    span = targets.max() - targets.min()
    assert predicted.min() >= targets.min() - 0.11 * span
    assert predicted.max() <= targets.max() + 0.11 * span
    assert model.complexity is None


def test_constant_targets_do_not_divide_by_zero():
    scaler = TargetScaler.fit(np.full((5, 1), 3.0))
    assert scaler.std.tolist() == [1.0]
    assert scaler.low[0] < 0 < scaler.high[0]


def test_decodings_are_valid_and_follow_seed_not_batch():
    model = _model(CONFIGS["default"]).float()
    z = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    dags = model.decode(z, seed=7, stochastic=True)
    assert all(dag.space is SPACE for dag in dags)
    parts = [
        model.decode(z[i : i + 8], seed=7, sample_ids=torch.arange(i, i + 8), stochastic=True)
        for i in range(0, 40, 8)
    ]
    assert [dag for part in parts for dag in part] == dags
    assert model.decode(z, seed=8, stochastic=True) != dags


def test_no_decision_where_the_rules_decide():
    batch = GraphBatch.pack(_dags(2))
    decisions = Decisions.of(batch, SPACE.rules)
    assert decisions.type_target.tolist() == batch.node_type[[1, 2, 3, 4, 7, 8, 9, 10]].tolist()
    assert decisions.type_graph.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert len(decisions.pair_source) == 2 * (0 + 1 + 2 + 3)
    assert bool(decisions.type_forbidden[:, :2].all())


def test_states_that_no_decision_reads_are_left_out():
    batch = GraphBatch.pack(_dags(2))
    decisions = Decisions.of(batch, SPACE.rules)  # of 6 nodes, the last two are read by none
    assert decisions.states.node_type.tolist() == batch.node_type[[0, 1, 2, 3, 6, 7, 8, 9]].tolist()
    assert decisions.type_state.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert set(decisions.pair_source.tolist()) == {0, 1, 2, 4, 5, 6}


def test_encoding_in_parts_gives_the_same_bits(monkeypatch):
    model, dags = _model(CONFIGS["default"]), _dags(7)
    whole = model.encode(dags)
    monkeypatch.setattr("ngae.models.ngae._ENCODED_AT_ONCE", 3)
    parts = model.encode(dags)
    assert torch.equal(whole.mean, parts.mean)
    assert torch.equal(whole.logvar, parts.logvar)
    assert model.encode([]).mean.shape == (0, 5)


def test_same_seed_same_weights_and_no_global_state():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second = _model(CONFIGS["default"]), _model(CONFIGS["default"])
    assert torch.equal(torch.random.get_rng_state(), before)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_inputs_hold_the_rows_in_the_given_order(make_table):
    table = make_table(6, SPACE)
    inputs = Inputs.of(table, np.array([4, 1]), torch.device("cpu"))
    assert inputs.performance.tolist() == pytest.approx(table.performance[[4, 1]].tolist())
    assert inputs.batch.node_type[:6].tolist() == list(table.dags[4].node_types)
