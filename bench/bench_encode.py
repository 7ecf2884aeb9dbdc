"""Packed graphs to posteriors: native ops in float32 and bf16, and plain PyTorch."""

from collections.abc import Callable

from bench import work

cases = work.encode_cases


def bench_encode(time_case: Callable[[], None]) -> None:
    time_case()
