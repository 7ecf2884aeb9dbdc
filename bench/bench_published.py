"""A training step of the published model, by native ops and by plain PyTorch, both reordered."""

from collections.abc import Callable

from bench import work

cases = work.published_cases


def bench_published(time_case: Callable[[], None]) -> None:
    time_case()
