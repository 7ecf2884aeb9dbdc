"""Propagation, forward and with backward: native ops in float32 and bf16, and plain PyTorch."""

from collections.abc import Callable

from bench import work

cases = work.propagation_cases


def bench_dag_gru(time_case: Callable[[], None]) -> None:
    time_case()
