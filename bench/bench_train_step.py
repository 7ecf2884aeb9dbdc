"""One training step, with its data, objective, backward and Adam: native ops and plain PyTorch."""

import numpy as np
import pytest
import torch

from bench.cases import ENAS, backend
from ngae.data import DataConfig
from ngae.data.records import Dataset, Table
from ngae.models.config import ModelConfig
from ngae.train.config import RunConfig, TrainConfig
from ngae.train.folder import RunFolder
from ngae.train.loop import Trainer


def made_data(rows=1024):
    """Random architectures with random targets: speed does not depend on them."""
    rng = np.random.default_rng(0)
    dags = tuple(ENAS.sample(rng) for _ in range(rows))
    table = Table(
        "made", ENAS, dags, rng.random(rows), ENAS.complexity(dags), "accuracy",
        ENAS.complexity_names, np.zeros(rows, dtype=np.int64), "embedded",
    )  # fmt: skip
    return Dataset(table, np.arange(rows - 64), np.arange(rows - 64, rows), DataConfig(), ())


def trainer(hidden_dim, batch_size, folder):
    """A trainer that is ready for its first step."""
    config = RunConfig(
        model=ModelConfig(hidden_dim=hidden_dim), train=TrainConfig(batch_size=batch_size)
    )
    return Trainer(config, made_data(), RunFolder(folder))


@pytest.mark.parametrize(("hidden_dim", "batch_size"), [(256, 64), (501, 32), (256, 256)])
@pytest.mark.parametrize("ops", ["cpp", "torch"])
def bench_train_step(benchmark, tmp_path, ops, hidden_dim, batch_size):
    made = trainer(hidden_dim, batch_size, tmp_path)
    order = np.arange(960)
    benchmark.group = f"train step hidden {hidden_dim} batch {batch_size}"
    with backend(ops):
        benchmark.pedantic(made._step, (order,), rounds=7, warmup_rounds=2)
    assert torch.isfinite(made.sums).all()
    benchmark.extra_info["graphs_per_s"] = batch_size / benchmark.stats["median"]
