"""Latent ascent from thousands of starts."""

import torch

from bench.bench_decode import model
from ngae.search.gradient import ascend


def bench_ascent(benchmark):
    made = model(256)
    starts = torch.randn(2048, 56, generator=torch.Generator().manual_seed(0))

    def score(z):
        return made.predict(z).performance

    path = benchmark.pedantic(ascend, (score, starts, 20, 0.1), rounds=5, warmup_rounds=1)
    with torch.no_grad():
        assert score(path[-1]).mean() > score(path[0]).mean()
    benchmark.extra_info["point_steps_per_s"] = 2048 * 20 / benchmark.stats["median"]
