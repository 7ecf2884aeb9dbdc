"""Encodings of mean 0 and variance 1, and a model that says what it said before."""

import copy

import numpy as np
import pytest
import torch

from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.models.inputs import Inputs
from ngae.models.standardise import standardise
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(4)
SIZES = {"hidden_dim": 8, "latent_dim": 4, "head_dim": 8, "predictor_dim": 6}
PUBLISHED = {"readout": "output", "latent_in_heads": False, "performance_members": 1}
ALONE = {"performance_predictor": False, "complexity_predictor": False}


def _model(table, **changes):
    model = NGAEModel(
        SPACE,
        ModelConfig(**SIZES, **changes),
        TargetScaler.fit(table.performance[:, None]),
        TargetScaler.fit(table.complexity),
        seed=0,
    )
    with torch.no_grad():  # encodings that are far from the prior, each coordinate otherwise
        model.encoder.mean.weight.mul_(torch.tensor([[9.0], [0.5], [30.0], [2.0]]))
        model.encoder.mean.bias.add_(torch.tensor([3.0, -2.0, 0.0, 0.5]))
        model.encoder.logvar.bias.add_(torch.tensor([1.0, -4.0, 0.0, -9.0]))
    return model.eval()


def _terms(model, table, noise):
    inputs = Inputs.of(table, np.arange(len(table)), model.device)
    with torch.no_grad():
        return model(inputs.batch, inputs.decisions, inputs.performance, inputs.complexity, noise)


@pytest.mark.parametrize("changes", [{}, PUBLISHED, ALONE], ids=["default", "published", "alone"])
def test_every_term_but_the_divergence_stays(make_table, changes):
    table = make_table(40, SPACE)
    before = _model(table, **changes)
    after = copy.deepcopy(before)
    standardise(after, before.encode(table.dags))
    noise = torch.randn(40, 4, generator=torch.Generator().manual_seed(2))
    old, new = _terms(before, table, noise), _terms(after, table, noise)
    for name in ("nodes", "edges", "performance", "complexity"):
        torch.testing.assert_close(getattr(new, name), getattr(old, name), rtol=1e-4, atol=1e-5)
    assert new.kl < 0.5 * old.kl


def test_the_mixture_of_posteriors_has_mean_zero_and_variance_one(make_table):
    table = make_table(40, SPACE)
    model = _model(table)
    first = model.encode(table.dags)
    standardise(model, first)
    posterior = model.encode(table.dags)
    variance = posterior.mean.var(dim=0, unbiased=False) + posterior.logvar.exp().mean(dim=0)
    torch.testing.assert_close(posterior.mean.mean(dim=0), torch.zeros(4), rtol=0, atol=1e-5)
    torch.testing.assert_close(variance, torch.ones(4), rtol=1e-4, atol=0)
    # A shift and a scale of each coordinate: what was far apart, in spreads, still is.
    apart = (posterior.mean[0] - posterior.mean[1]) / (0.5 * posterior.logvar[0]).exp()
    was = (first.mean[0] - first.mean[1]) / (0.5 * first.logvar[0]).exp()
    torch.testing.assert_close(apart, was, rtol=1e-3, atol=1e-3)


def test_once_more_or_of_nothing_changes_nothing(make_table):
    table = make_table(40, SPACE)
    model = _model(table)
    standardise(model, model.encode(table.dags))
    once = copy.deepcopy(model.state_dict())
    standardise(model, model.encode(table.dags))
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, once[name], rtol=1e-4, atol=1e-4)
    kept = copy.deepcopy(model.state_dict())
    standardise(model, model.encode([]))
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())


def test_equal_encodings_are_left_finite(make_table):
    table = make_table(40, SPACE)
    model = _model(table)
    with torch.no_grad():
        model.encoder.mean.weight.zero_()
        model.encoder.logvar.bias.fill_(-60.0)
        model.encoder.logvar.weight.zero_()
    standardise(model, model.encode(table.dags))
    assert all(value.isfinite().all() for value in model.state_dict().values())
