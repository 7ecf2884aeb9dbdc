"""Encoding and stochastic decoding of many graphs: native ops and plain PyTorch."""

import pytest
import torch

from bench.cases import ENAS, backend, enas_batch
from ngae.models import ModelConfig, NGAEModel, TargetScaler


def model(hidden_dim):
    """An untrained model."""
    scaler = TargetScaler.fit(torch.rand(8, 1).double().numpy())
    return NGAEModel(ENAS, ModelConfig(hidden_dim=hidden_dim), scaler, scaler, seed=0).eval()


@pytest.mark.parametrize("hidden_dim", [256, 501])
@pytest.mark.parametrize("ops", ["cpp", "torch"])
def bench_decode(benchmark, ops, hidden_dim):
    made = model(hidden_dim)
    z = torch.randn(1024, 56, generator=torch.Generator().manual_seed(0))
    benchmark.group = f"decode 1024 points hidden {hidden_dim}"
    with backend("torch"):
        expected = made.decoder.sample(z[:64], seed=1)
    with backend(ops):
        same = made.decoder.sample(z[:64], seed=1).node_type == expected.node_type
        assert same.float().mean() > 0.999
        benchmark.pedantic(made.decoder.sample, (z,), {"seed": 1}, rounds=5, warmup_rounds=1)
    benchmark.extra_info["graphs_per_s"] = 1024 / benchmark.stats["median"]


@pytest.mark.parametrize("hidden_dim", [256, 501])
@pytest.mark.parametrize("ops", ["cpp", "torch"])
def bench_encode(benchmark, ops, hidden_dim):
    made, batch = model(hidden_dim), enas_batch(1024)
    benchmark.group = f"encode 1024 graphs hidden {hidden_dim}"
    with backend(ops), torch.no_grad():
        benchmark.pedantic(made.encoder, (batch,), rounds=5, warmup_rounds=1)
    benchmark.extra_info["graphs_per_s"] = 1024 / benchmark.stats["median"]
