"""Latent points to sampled graphs: native ops in float32 and bf16, and plain PyTorch."""

from collections.abc import Callable

from bench import work

cases = work.decode_cases


def bench_decode(time_case: Callable[[], None]) -> None:
    time_case()
