"""One training step with packing and Adam: native ops in float32 and bf16, and plain PyTorch."""

from collections.abc import Callable

from bench import work

cases = work.train_cases


def bench_train_step(time_case: Callable[[], None]) -> None:
    time_case()
