"""What can be had at most: the product kernel, multiply-adds in registers, and `torch.mm`."""

from typing import Any, Literal

import pytest

from bench.machine import peaks


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def bench_peaks(benchmark: Any, precision: Literal["float32", "bf16"]) -> None:
    rates = benchmark.pedantic(peaks, (precision,), rounds=3, warmup_rounds=1)
    assert all(rate > 0 for rate in rates.values())
    benchmark.extra_info.update(rates)
