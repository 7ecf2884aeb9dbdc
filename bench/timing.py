"""Takes times: several calls in turn, so that a busy neighbour slows all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

_MOST_ROUNDS = 50


def interleaved(
    calls: Mapping[str, Callable[[], object]],
    *,
    seconds: float,
    rounds: int = 3,
    beside: Callable[[], Mapping[str, float]] | None = None,
) -> tuple[dict[str, float], dict[str, float]]:
    """Call all of `calls` in turn, round after round, for about `seconds`.

    Args:
        calls: What to time, by name, warmed up by the caller.
        seconds: Time to spend; at least `rounds` rounds, at most 50.
        rounds: See `seconds`.
        beside: Measures other numbers once a round.

    Returns:
        The median time of a call in seconds by name, and the medians of what `beside` measures.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    others: dict[str, list[float]] = {}
    started = time.perf_counter()
    for done in range(_MOST_ROUNDS):
        if done >= rounds and time.perf_counter() - started >= seconds:
            break
        for name, call in calls.items():
            before = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - before)
        for name, value in (beside() if beside else {}).items():
            others.setdefault(name, []).append(value)
    return _medians(times), _medians(others)


def _medians(values: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(column) for name, column in values.items()}
