"""Latent ascent from thousands of starts: the native op and plain PyTorch."""

from collections.abc import Callable

from bench import work

cases = work.ascent_cases


def bench_ascend(time_case: Callable[[], None]) -> None:
    time_case()
