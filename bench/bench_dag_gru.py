"""Propagation, forward and with backward: the native op beside plain PyTorch, and `torch.mm`."""

import pytest
import torch

from bench.cases import (
    backend,
    enas_batch,
    propagation,
    propagation_flops,
    ragged_batch,
    random_batch,
)

CASES = {
    "enas-64": lambda: enas_batch(64),
    "enas-256": lambda: enas_batch(256),
    "ragged7-256": lambda: ragged_batch(256),
    "random20-64": lambda: random_batch(64, 20),
    "random200-4": lambda: random_batch(4, 200),
}


def _backward(module, batch):
    module.zero_grad(set_to_none=True)
    module(batch).square().sum().backward()


@pytest.mark.parametrize("hidden_dim", [256, 501])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ops", ["cpp", "torch"])
@pytest.mark.parametrize("way", ["forward", "backward"])
def bench_propagation(benchmark, way, ops, name, hidden_dim):
    batch, module = CASES[name](), propagation(hidden_dim)
    benchmark.group = f"dag_gru {way} {name} hidden {hidden_dim}"
    with torch.no_grad():
        with backend("torch"):
            expected = module(batch)
        with backend(ops):
            torch.testing.assert_close(module(batch), expected)
    with backend(ops):
        if way == "backward":
            benchmark.pedantic(_backward, (module, batch), rounds=7, warmup_rounds=2)
        else:
            with torch.no_grad():
                benchmark.pedantic(module, (batch,), rounds=7, warmup_rounds=2)
    flops = propagation_flops(batch, hidden_dim) * (3 if way == "backward" else 1)
    benchmark.extra_info["gflop_s"] = flops / benchmark.stats["median"] / 1e9


@pytest.mark.parametrize("rows", [64, 512])
def bench_torch_mm(benchmark, rows):
    left, right = torch.randn(rows, 512), torch.randn(512, 1536)
    benchmark.pedantic(torch.mm, (left, right), rounds=15, iterations=10, warmup_rounds=2)
    benchmark.extra_info["gflop_s"] = 2 * rows * 512 * 1536 / benchmark.stats["median"] / 1e9
