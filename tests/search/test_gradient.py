import math

import pytest
import torch

from ngae.data import Table
from ngae.errors import UsageError
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.search.config import GradientConfig
from ngae.search.gradient import GradientSearch
from ngae.search.problem import Objective, Problem
from ngae.spaces.enas import EnasSpace


@pytest.fixture
def table(make_table):
    return make_table(40, EnasSpace(3))


def _model(table, **switches):
    config = ModelConfig(hidden_dim=8, latent_dim=4, predictor_dim=16, **switches)
    scales = TargetScaler.fit(table.performance[:, None]), TargetScaler.fit(table.complexity)
    return NGAEModel(table.space, config, *scales, seed=0)


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_ascents_follow_the_gradient_of_the_score(table, weight):
    config = GradientConfig(weight=weight, steps=1, step_size=0.05)
    problem = Problem(table.space, table, objective=Objective(table.complexity_names[-1:]))
    search = GradientSearch(_model(table).double(), problem, config=config)
    z = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    (gradient,) = torch.autograd.grad(search.score(z).sum(), z)
    moved = z.detach() + 0.05 * math.sqrt(4) * gradient / gradient.norm(dim=1, keepdim=True)
    inside = moved.norm(dim=1) < 1.5 * math.sqrt(4)
    found = search.ascend(z)
    assert found.shape == (2, 30, 4)
    assert inside.sum() > 15
    assert torch.equal(found[1], z)
    torch.testing.assert_close(found[0][inside], moved[inside])


@pytest.mark.parametrize(("steps", "kept"), [(0, 1), (7, 8), (50, 11), (57, 12)])
def test_ascents_keep_their_ends_and_some_points_on_the_way(table, steps, kept):
    config = GradientConfig(steps=steps)
    search = GradientSearch(_model(table), Problem(table.space, table), config=config)
    starts = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    found = search.ascend(starts)
    assert found.shape == (kept, 20, 4)
    with torch.no_grad():
        scores = search.score(found.flatten(0, 1)).view(kept, 20).mean(dim=1)
    assert torch.equal(found[-1], starts) == (steps != 57)  # 57, 52, ..., 2
    assert steps == 0 or scores[0] > scores[-1]


def test_proposals_are_those_of_plain_pytorch(table, monkeypatch):
    proposals = []
    for ops in ("cpp", "torch"):
        monkeypatch.setenv("NGAE_OPS", ops)
        config = GradientConfig(weight=0.3, num_starts=8, steps=4)
        search = GradientSearch(_model(table), Problem(table.space, table), config=config)
        proposals.append([candidate.dag for candidate in search.ask(5)])
    assert len(proposals[0]) == 5
    assert proposals[0] == proposals[1]


def test_a_model_without_the_predictor_is_refused(table):
    model = _model(table, performance_predictor=False)
    with pytest.raises(UsageError, match="expected a model with a performance predictor"):
        GradientSearch(model, Problem(table.space, table))


@pytest.mark.parametrize("weights", [[1.0], [1.0, 2.0, 3.0]])
def test_weights_of_the_complexities_are_counted(table, weights):
    message = f"ascend: complexity: expected 2 weights.*found {len(weights)}"
    with pytest.raises(UsageError, match=message):
        _model(table).ascend(
            torch.zeros(1, 4),
            performance_weight=1.0,
            complexity_weights=weights,
            step_size=0.1,
            keep=[1],
        )


def test_predictors_need_known_rows_to_climb_from(table):
    problem = Problem(table.space, Table.empty(table.space))
    with pytest.raises(UsageError, match="--guide predictors: expected known rows"):
        GradientSearch(_model(table), problem)
