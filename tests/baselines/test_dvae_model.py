from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from ngae.baselines.dvae import DVAE, DenseGraphs, DVAEConfig, Losses
from ngae.errors import DataError, GraphError, UsageError

HIDDEN, LATENT, TYPES, NODES = 5, 3, 5, 6


def published_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for gru in ("grue_forward", "grue_backward", "grud"):
        shapes[f"{gru}.weight_ih"] = (3 * HIDDEN, TYPES)
        shapes[f"{gru}.weight_hh"] = (3 * HIDDEN, HIDDEN)
        shapes[f"{gru}.bias_ih"] = shapes[f"{gru}.bias_hh"] = (3 * HIDDEN,)
    linear = {
        "fc1": (LATENT, HIDDEN),
        "fc2": (LATENT, HIDDEN),
        "fc3": (HIDDEN, LATENT),
        "add_vertex.0": (2 * HIDDEN, HIDDEN),
        "add_vertex.2": (TYPES, 2 * HIDDEN),
        "add_edge.0": (4 * HIDDEN, 2 * HIDDEN),
        "add_edge.2": (1, 4 * HIDDEN),
        "gate_forward.0": (HIDDEN, HIDDEN + NODES),
        "gate_backward.0": (HIDDEN, HIDDEN + NODES),
        "mapper_forward.0": (HIDDEN, HIDDEN + NODES),
        "mapper_backward.0": (HIDDEN, HIDDEN + NODES),
        "hv_unify.0": (HIDDEN, 2 * HIDDEN),
        "hg_unify.0": (HIDDEN, 2 * HIDDEN),
        "predictor.0": (HIDDEN, LATENT),
        "predictor.2": (1, HIDDEN),
        "predictor_complexity.0": (HIDDEN, LATENT),
        "predictor_complexity.2": (1, HIDDEN),
    }
    for name, shape in linear.items():
        shapes[f"{name}.weight"] = shape
        if not name.startswith("mapper"):
            shapes[f"{name}.bias"] = shape[:1]
    return shapes


def run(model: DVAE, graphs: DenseGraphs) -> tuple[torch.Tensor, torch.Tensor, Losses]:
    mean, logvar = model.encode(graphs)
    return mean, logvar, model.loss(graphs, mean, logvar)


def test_parameters_have_the_published_names_and_shapes(model):
    found = {name: tuple(w.shape) for name, w in model.state_dict().items()}
    assert found == published_shapes()


def test_batch_of_ragged_graphs_agrees_with_naive_loops(model, naive, graphs):
    mean, logvar, losses = run(model, graphs)
    answers = naive.all_answers(graphs)
    assert_close(mean, torch.stack([a.mean for a in answers]))
    assert_close(logvar, torch.stack([a.logvar for a in answers]))
    assert_close(losses.reconstruction, torch.stack([a.reconstruction for a in answers]))
    assert_close(losses.kl, torch.stack([a.kl for a in answers]))
    assert_close(model.predictor(mean), torch.stack([a.predictor for a in answers]))
    assert_close(
        model.predictor_complexity(mean), torch.stack([a.predictor_complexity for a in answers])
    )


def test_gradients_agree_with_naive_loops(model, naive, graphs):
    _, _, losses = run(model, graphs)
    losses.total(0.3).backward()
    answers = naive.all_answers(graphs)
    sum(a.reconstruction + 0.3 * a.kl for a in answers).backward()
    reached = {name for name, w in naive.w.items() if w.grad is not None}
    unused = {name for name in naive.w if name.startswith(("hv_unify", "predictor"))}
    assert reached == set(naive.w) - unused
    for name, weight in model.named_parameters():
        assert_close(weight.grad, naive.w[name].grad, msg=lambda m, n=name: f"{n}: {m}")


def test_a_graph_alone_gives_the_same_numbers_as_in_a_batch(model, graphs):
    mean, logvar, losses = run(model, graphs)
    for i in range(len(graphs)):
        alone = run(model, graphs.rows(i, i + 1))
        assert_close(alone[0][0], mean[i])
        assert_close(alone[1][0], logvar[i])
        assert_close(alone[2].reconstruction[0], losses.reconstruction[i])
        assert_close(alone[2].kl[0], losses.kl[i])


def test_no_graphs_give_empty_results(model, graphs):
    mean, _, losses = run(model, graphs.rows(0, 0))
    assert mean.shape == (0, LATENT)
    assert losses.reconstruction.shape == losses.kl.shape == (0,)
    assert len(model.decode(mean, None)) == 0


def test_total_is_a_sum_over_graphs():
    losses = Losses(torch.tensor([1.0, 2.0]), torch.tensor([10.0, 30.0]))
    assert float(losses.total(0.5)) == 23.0


def test_noise_comes_from_the_generator_alone(model):
    mean, logvar = torch.ones(40000, LATENT), torch.full((40000, LATENT), 2.0)
    assert model.sample(mean, logvar, None) is mean
    first, second = (model.sample(mean, logvar, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    noise = (first - mean) / (0.01 * torch.e)  # noise_scale * exp(logvar / 2)
    assert abs(float(noise.mean())) < 0.02  # five standard errors of 120,000 draws
    assert abs(float(noise.std()) - 1) < 0.02


def test_loss_with_a_generator_scores_noisy_z(model, graphs):
    mean, logvar, plain = run(model, graphs)
    generator = torch.Generator().manual_seed(1)
    noisy = model.loss(graphs, mean, logvar, generator=generator)
    assert torch.equal(noisy.kl, plain.kl)
    assert not torch.equal(noisy.reconstruction, plain.reconstruction)
    assert_close(noisy.reconstruction, plain.reconstruction, rtol=0.02, atol=0)  # noise is 0.01


def test_confident_and_wrong_edges_keep_their_loss(model, graphs):
    with torch.no_grad():
        model.get_parameter("add_edge.2.bias").fill_(500.0)
    pairs = NODES * (NODES - 1) // 2
    absent = pairs - graphs.adjacency.sum(dim=(1, 2))
    assert bool((run(model, graphs)[2].reconstruction > 400 * absent).all())


def test_weights_come_from_the_seed_and_leave_the_global_generator_alone(config):
    before = torch.get_rng_state()
    first, again, other = DVAE(config, seed=1), DVAE(config, seed=1), DVAE(config, seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    for name, weight in first.named_parameters():
        assert torch.equal(weight, again.get_parameter(name))
        assert not torch.equal(weight, other.get_parameter(name))
    bound = HIDDEN**-0.5
    assert 0.5 * bound < float(first.fc1.weight.detach().abs().max()) <= bound


def test_published_defaults():
    config = DVAEConfig()
    assert (config.hidden_dim, config.latent_dim, config.num_node_types, config.max_nodes) == (
        501,
        56,
        8,
        8,
    )
    assert (config.beta, config.noise_scale) == (0.005, 0.01)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"hidden_dim": 0}, "hidden_dim: expected at least 1, found 0"),
        ({"max_nodes": 1}, "max_nodes: expected at least 2, found 1"),
        ({"end_type": 8}, "end_type: expected less than num_node_types"),
        ({"beta": float("nan")}, "beta: expected at least 0, found nan"),
    ],
)
def test_impossible_sizes_are_refused(fields, text):
    with pytest.raises(UsageError, match=text):
        DVAEConfig(**fields)


def test_from_state_dict_reads_the_sizes_and_copies_the_weights(model, config, graphs):
    other = DVAE.from_state_dict(model.state_dict())
    assert other.config == config
    assert other.fc1.weight.dtype == torch.float64
    assert torch.equal(run(other, graphs)[2].reconstruction, run(model, graphs)[2].reconstruction)
    with torch.no_grad():
        other.fc1.weight.zero_()
    assert bool(model.fc1.weight.any())


@pytest.mark.parametrize("absent", [("predictor.",), ("predictor_complexity.",)])
def test_each_head_may_be_absent_as_a_whole(model, absent):
    state = {k: v for k, v in model.state_dict().items() if not k.startswith(absent)}
    other = DVAE.from_state_dict(state)
    assert (other.predictor is None) == (absent == ("predictor.",))
    assert (other.predictor_complexity is None) == (absent == ("predictor_complexity.",))
    assert list(other.state_dict()) == list(state)


def test_state_dict_with_missing_and_foreign_names_is_refused(model):
    state = dict(model.state_dict())
    state["fc9.weight"] = state.pop("predictor.0.bias")
    with pytest.raises(DataError, match=r"missing: predictor\.0\.bias; foreign: fc9\.weight"):
        DVAE.from_state_dict(state)
    with pytest.raises(DataError, match="and 28 more"):
        DVAE.from_state_dict({})


@pytest.mark.parametrize("name", sorted(published_shapes()))
def test_state_dict_with_a_wrong_shape_is_refused(model, name):
    state = dict(model.state_dict())
    state[name] = torch.cat([state[name], state[name][:1]])
    with pytest.raises(DataError, match=r"expected shape \(|expected a matrix") as caught:
        DVAE.from_state_dict(state)
    # one row more in fc1.weight is another latent size, and then other names do not fit
    assert name in str(caught.value) or name == "fc1.weight"


@pytest.mark.parametrize(
    ("name", "shape", "text"),
    [
        ("fc1.weight", (3,), "expected a matrix"),
        ("fc1.weight", (0, 5), "latent size .* at least 1, found 0"),
        ("gate_forward.0.weight", (5, 5), "number of nodes .* at least 2, found 0"),
        ("grue_forward.weight_ih", (15, 1), "number of node types .* at least 2, found 1"),
    ],
)
def test_state_dict_without_sizes_is_refused(model, name, shape, text):
    with pytest.raises(DataError, match=text):
        DVAE.from_state_dict({**model.state_dict(), name: torch.zeros(shape)})


def test_graphs_that_do_not_fit_the_model_are_refused(model):
    wide = DenseGraphs(torch.zeros(1, 7).long(), torch.zeros(1, 7, 7).bool(), torch.tensor([7]))
    with pytest.raises(GraphError, match="expected max_nodes 6, found 7"):
        model.encode(wide)
    types, feeds = torch.zeros(2, 6).long(), torch.zeros(2, 6, 6).bool()
    types[1, 3] = 5
    with pytest.raises(GraphError, match="expected types below 5, found 5"):
        model.encode(DenseGraphs(types, feeds, torch.tensor([6, 6])))
    types[1, 3], types[1, 0] = 2, 4
    with pytest.raises(GraphError, match="graph 1: expected node 0 of the start type 0, found 4"):
        model.encode(DenseGraphs(types, feeds, torch.tensor([6, 6])))
