"""A training step of the published model, edge by edge: its encoder on the native op and not."""

from collections.abc import Callable

from bench import work

cases = work.published_cases


def bench_published(time_case: Callable[[], None]) -> None:
    time_case()
