import dataclasses
import math

import numpy as np
import pytest
import torch

from ngae.data.records import Dataset
from ngae.evaluate.latent_space import divergence_from_prior, excess_variation, latent_space
from ngae.models import NGAEModel
from ngae.models.config import ModelConfig
from ngae.models.encoder import Posterior
from ngae.models.predictors import Prediction, TargetScaler
from ngae.spaces.enas import EnasSpace
from ngae.train.config import RunConfig


def test_divergence_is_that_of_the_fitted_gaussian():
    rng = np.random.default_rng(0)
    white = rng.normal(size=(400, 3))
    white -= white.mean(axis=0)
    white = white @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T, bias=True))).T
    assert divergence_from_prior(white) == pytest.approx(0, abs=1e-12)
    moved = 2 * white + [1, 0, 3]
    expected = (3 * 4 + 10 - 3 - 6 * math.log(2)) / 2
    assert divergence_from_prior(moved) == pytest.approx(expected, abs=1e-12)
    assert divergence_from_prior(white[:, :1] * [1, 1]) == math.inf


def test_excess_variation_is_nothing_on_the_way_and_twice_a_detour():
    values = np.array([[0.0, 1, 2, 5], [0, 3, 1, 5], [2, 2, 2, 2], [5, 1, 1, 0]])
    assert excess_variation(values).tolist() == [0, 4, 0, 0]


class _Exact:
    """A model of a space whose latent point is one number, the place of an architecture."""

    device = torch.device("cpu")

    def __init__(self, dags, shift=0):
        self.dags, self.shift = list(dags), shift
        self.performance = object()
        self.places = {dag.canonical_hash: place for place, dag in enumerate(self.dags)}

    def encode(self, dags):
        place = [(self.places[dag.canonical_hash] + self.shift) % len(self.dags) for dag in dags]
        mean = torch.tensor(place, dtype=torch.float32)[:, None]
        return Posterior(mean, torch.zeros_like(mean))

    def decode(self, z):
        return [self.dags[int(place) % len(self.dags)] for place in z[:, 0].round().tolist()]

    def predict(self, z):
        return Prediction(z[:, 0], None)


@pytest.fixture
def data(make_table):
    table = make_table(60, EnasSpace(3))
    return Dataset(table, np.arange(48), np.arange(48, 60), RunConfig().data, ())


def test_points_that_come_back_and_points_that_do_not(data):
    points = torch.arange(0, 40, 2).float()[:, None]
    std = data.train.performance.std()
    exact = latent_space(_Exact(data.table.dags), data, points, 0)
    assert exact["greedy_uniqueness"] == 1
    assert exact["cycle"] == {"same": 1.0, "performance_rms": 0.0}
    assert exact["lines"]["excess_variation"] == pytest.approx(0, abs=1e-4)
    assert 1 < exact["lines"]["networks"] < 21
    assert exact["aggregated_posterior"]["active_dims"] == 1
    moved = latent_space(_Exact(data.table.dags, shift=3), data, points.repeat(2, 1), 0)
    assert moved["greedy_uniqueness"] == 0.5
    assert moved["cycle"]["same"] == 0
    assert moved["cycle"]["performance_rms"] == pytest.approx(3 / std)


@pytest.mark.parametrize("labelled", [True, False])
def test_of_a_real_model_all_is_finite_and_the_same_twice(data, labelled):
    targets = data.train.performance[:, None] if labelled else np.zeros((1, 0))
    config = ModelConfig(hidden_dim=8, latent_dim=4, head_dim=8, predictor_dim=8)
    scales = TargetScaler.fit(targets), TargetScaler.fit(data.train.complexity)
    model = NGAEModel(data.space, config, *scales, seed=0).eval()
    points = torch.randn(30, 4, generator=torch.Generator().manual_seed(1))
    found = latent_space(model, data, points, 3)
    assert found == latent_space(model, data, points, 3)
    assert 0 < found["aggregated_posterior"]["kl"] < 100
    assert 0 <= found["cycle"]["same"] <= 1
    assert (found["cycle"]["performance_rms"] is not None) == labelled
    assert (found["lines"]["excess_variation"] is not None) == labelled
    alone = dataclasses.replace(data, train_rows=np.arange(3), test_rows=np.arange(1))
    few = latent_space(model, alone, points, 3)
    assert few["lines"] is None
    assert few["aggregated_posterior"]["kl"] is None
