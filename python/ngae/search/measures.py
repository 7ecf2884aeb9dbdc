"""How well a search went, query by query: incumbent, simple regret, success."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def incumbents(values: Values, start: float) -> Values:
    """Return the best value up to and including each query.

    Args:
        values: float64 (num_queries,), higher is better; NaN where a query failed or does not
            count, which carries the incumbent on.
        start: What one has before the first query, such as the worst value possible.

    Returns:
        float64 (num_queries,), never falling, without NaN.
    """
    return np.maximum.accumulate(np.where(np.isnan(values), start, np.maximum(values, start)))


def simple_regret(values: Values, best: float, start: float) -> Values:
    """Return by how much the incumbent falls short of the best value possible.

    Args:
        values: As for `incumbents`.
        best: The best value possible.
        start: As for `incumbents`.

    Returns:
        float64 (num_queries,), never rising, without NaN.
    """
    return best - incumbents(values, start)


def query_of_success(values: Values, best: float) -> int | None:
    """Return the number of the first query, from 1, that found the best value; None: none did."""
    found = np.flatnonzero(values >= best)
    return int(found[0]) + 1 if len(found) else None


def carried_on(curve: Values, length: int) -> Values:
    """Return a curve of at least one value with its last one repeated, or cut, to `length`."""
    return np.concatenate([curve, np.full(max(0, length - len(curve)), curve[-1])])[:length]
