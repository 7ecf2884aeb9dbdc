"""Untrained models and made-up data of the benchmarks; the same every time."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from bench.cases import Precision
from bench.graphs import ENAS, NODE_TYPES, most_nodes
from ngae.data import DataConfig
from ngae.data.records import Dataset, Table
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.models.encoder import Encoder
from ngae.train.config import RunConfig, TrainConfig
from ngae.train.folder import RunFolder
from ngae.train.loop import Trainer

LATENT_DIM = 56


def model(hidden_dim: int, precision: Precision) -> NGAEModel:
    """Make an untrained model of ENAS graphs."""
    config = _config(hidden_dim, precision)
    scales = [TargetScaler.fit(np.linspace(0, 1, 8)[:, None].repeat(n, 1)) for n in (1, 2)]
    return NGAEModel(ENAS, config, scales[0], scales[1], seed=0).eval()


def _config(hidden_dim: int, precision: Precision) -> ModelConfig:
    """Sizes that stay, whatever the defaults become: what was timed is compared with what is."""
    return ModelConfig(
        hidden_dim=hidden_dim,
        latent_dim=LATENT_DIM,
        head_dim=256,
        performance_members=1,
        precision=precision,
    )


def encoder(kind: str, hidden_dim: int, precision: Precision) -> Encoder:
    """Make an untrained encoder of graphs of a kind."""
    config = _config(hidden_dim, precision)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Encoder(NODE_TYPES.get(kind, 5), most_nodes(kind), config).eval()


@lru_cache(maxsize=1)
def dataset(rows: int) -> Dataset:
    """Random architectures with random targets, one batch: speed does not depend on them."""
    rng = np.random.default_rng(0)
    dags = tuple(ENAS.sample(rng) for _ in range(rows + 8))
    table = Table(
        "made", ENAS, dags, rng.random(rows + 8), ENAS.complexity(dags), "accuracy",
        ENAS.complexity_names, np.zeros(rows + 8, dtype=np.int64), "embedded",
    )  # fmt: skip
    return Dataset(table, np.arange(rows), np.arange(rows, rows + 8), DataConfig(), ())


def trainer(hidden_dim: int, batch_size: int, precision: Precision, device: str = "cpu") -> Trainer:
    """Make a trainer that is ready for its first step, of one batch an epoch."""
    config = RunConfig(
        model=_config(hidden_dim, precision),
        train=TrainConfig(batch_size=batch_size, device=device),
    )
    return Trainer(config, dataset(batch_size), RunFolder(Path("runs/bench")))  # writes nothing
