"""The whole model on a real device, against the CPU engine."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from ngae.data.digits6 import load_digits6
from ngae.models import LossConfig, ModelConfig, NGAEModel, TargetScaler, objective
from ngae.models.inputs import Inputs

pytestmark = pytest.mark.gpu

GRAPHS = 100


def new_model(precision: str = "float32") -> NGAEModel:
    table = load_digits6()
    config = ModelConfig(hidden_dim=70, latent_dim=24, head_dim=40, precision=precision)
    performance = TargetScaler.fit(table.performance[:, None])
    return NGAEModel(table.space, config, performance, TargetScaler.fit(table.complexity), seed=0)


def points(model: NGAEModel, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, model.config.latent_dim, generator=generator)


def step(model: NGAEModel) -> tuple[list[Tensor], list[Tensor]]:
    """The terms of the objective and the gradients of all weights, on the CPU."""
    inputs = Inputs.of(load_digits6(), np.arange(GRAPHS), model.device)
    noise = points(model, GRAPHS).to(model.device)
    terms = model(inputs.batch, inputs.decisions, inputs.performance, inputs.complexity, noise)
    gradients = torch.autograd.grad(objective(terms, LossConfig()), list(model.parameters()))
    return [t.cpu() for t in terms.as_dict().values()], [g.cpu() for g in gradients]


def test_terms_and_gradients(cuda_device):
    model = new_model()
    right_terms, right = step(model)
    terms, gradients = step(copy.deepcopy(model).to(cuda_device))
    torch.testing.assert_close(terms, right_terms, rtol=1e-4, atol=1e-5)
    for found, gradient in zip(gradients, right, strict=True):
        most = max(1e-3, float(gradient.abs().max()))
        assert float((found - gradient).abs().max()) <= 1e-4 * most


@pytest.mark.parametrize("stochastic", [False, True])
def test_samples_are_those_of_the_cpu(cuda_device, stochastic):
    model = new_model()
    z = points(model, 1000)
    right = model.decode(z, seed=3, stochastic=stochastic)
    moved = copy.deepcopy(model).to(cuda_device)
    found = moved.decode(z.to(cuda_device), seed=3, stochastic=stochastic)
    # A decision may fall the other way where a probability meets its number within rounding:
    # some 20 decisions a graph, each with a chance of about 1e-6.
    assert sum(one != two for one, two in zip(found, right, strict=True)) <= 1


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_ascent(cuda_device, precision):
    model = new_model(precision)
    z = points(model, 300)
    weights = {"performance_weight": 1.0, "complexity_weights": [-0.5] * len(model.complexity.std)}
    right = model.ascend(z, **weights, step_size=0.05, keep=[0, 1, 3])
    moved = copy.deepcopy(model).to(cuda_device)
    found = moved.ascend(z.to(cuda_device), **weights, step_size=0.05, keep=[0, 1, 3]).cpu()
    torch.testing.assert_close(found[0], right[0], rtol=0, atol=0)
    # Where a hidden unit is within rounding of 0, the gradient jumps: of some points alone.
    error = (found - right).abs().amax(dim=(0, 2))
    assert float(error.median()) <= (1e-2 if precision == "bf16" else 1e-4)
    assert float((error > 1e-2).float().mean()) <= (0.2 if precision == "bf16" else 0.01)


def test_encoding(cuda_device):
    model = new_model()
    dags = load_digits6().dags[:500]
    right = model.encode(dags)
    found = copy.deepcopy(model).to(cuda_device).encode(dags)
    torch.testing.assert_close(found.mean.cpu(), right.mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.logvar.cpu(), right.logvar, rtol=1e-4, atol=1e-5)
