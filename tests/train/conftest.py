"""A tiny run that trains in a fraction of a second."""

import dataclasses

import numpy as np
import pytest

from ngae.data import DataConfig
from ngae.data.records import Dataset
from ngae.evaluate.config import EvaluateConfig
from ngae.models.config import ModelConfig
from ngae.spaces.enas import EnasSpace
from ngae.train.config import RunConfig, TrainConfig


@pytest.fixture
def data(make_table):
    return Dataset(make_table(60, EnasSpace(3)), np.arange(48), np.arange(48, 60), DataConfig(), ())


@pytest.fixture
def config():
    return RunConfig(
        model=ModelConfig(hidden_dim=8, latent_dim=4, head_dim=8, predictor_dim=8),
        train=TrainConfig(epochs=3, batch_size=10, warmup_steps=3),
        evaluate=EvaluateConfig(prior_points=20, protocol_points=4, evaluate_batch_size=16),
    )


@pytest.fixture
def changed():
    """Return a function that changes fields of one section of a RunConfig."""

    def change(config, section, **fields):
        new = dataclasses.replace(getattr(config, section), **fields)
        return dataclasses.replace(config, **{section: new})

    return change
