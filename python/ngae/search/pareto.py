"""The Pareto front of performance (up) and complexity (down)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pareto_front(
    performance: NDArray[np.float64], complexity: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Find the points that no other one beats.

    A point is beaten by one that is at least as good in both and better in one. Of equal points
    the first stays.

    Args:
        performance: (num_points,), higher is better.
        complexity: (num_points,), lower is better.

    Returns:
        int64 indices of the front, by ascending complexity.
    """
    order = np.lexsort((np.arange(len(performance)), -performance, complexity))
    front = []
    best = -np.inf
    for index in order:
        if performance[index] > best:
            front.append(index)
            best = performance[index]
    return np.array(front, dtype=np.int64)
