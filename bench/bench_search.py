"""Latent ascent from thousands of starts: native op and plain PyTorch."""

import pytest
import torch

from bench.bench_decode import model
from bench.cases import backend

POINTS, STEPS = 2048, 20


@pytest.mark.parametrize("predictors", [1, 2])
@pytest.mark.parametrize("ops", ["cpp", "torch"])
def bench_ascend(benchmark, ops, predictors):
    made = model(256)
    starts = torch.randn(POINTS, 56, generator=torch.Generator().manual_seed(0))
    weights = {"performance_weight": 1.0, "complexity_weights": [-0.5] * (predictors - 1)}
    benchmark.group = f"ascend {POINTS} points {STEPS} steps {predictors} predictors"

    def score(z):
        prediction = made.predict(z)
        return prediction.performance - 0.5 * (predictors - 1) * prediction.complexity[:, 0]

    def climb(keep):
        return made.ascend(starts, **weights, step_size=0.1, keep=keep)

    with backend("torch"):
        expected = climb([3])
    with backend(ops):
        torch.testing.assert_close(climb([3]), expected)
        points = benchmark.pedantic(climb, ([STEPS],), rounds=5, warmup_rounds=1)
    assert score(points[0]).mean() > score(starts).mean()
    rate = POINTS * STEPS / benchmark.stats["median"]
    flops = 4 * predictors * (56 * 256 + 256 * 256 + 256)  # forward and backward, times 2
    benchmark.extra_info.update(point_steps_per_s=rate, gflops=rate * flops / 1e9)
