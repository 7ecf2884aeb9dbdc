"""The points that no other one beats, for any number of objectives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 512  # points that are compared at a time: a block against 20,000 takes 10 MB


def non_dominated(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the Pareto front.

    A point is beaten by one that is at least as good in all objectives and better in one. Of equal
    points the first stays. A point with NaN is never in the front and beats none.

    Args:
        values: (num_points, num_objectives), at least one objective; all are maximised.

    Returns:
        int64 indices of the front, by descending last objective; among equal ones by descending
        first, second, ... objective.
    """
    known = np.flatnonzero(~np.isnan(values).any(axis=1))
    points = values[known]
    # In this order whatever beats a point, or equals it and comes first, stands before it.
    order = np.lexsort((*-points.T[-2::-1], -points[:, -1]))
    points = points[order]
    kept = _two(points[:, 0]) if points.shape[1] == 2 else _any(points)
    front: NDArray[np.int64] = known[order[kept]]
    return front


def _two(first: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points stay, for two objectives, by descending second: those of a new best first."""
    kept = np.ones(len(first), dtype=np.bool_)
    kept[1:] = first[1:] > np.maximum.accumulate(first)[:-1]
    return kept


def _any(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points stay: those that no earlier one reaches in all objectives, block by block."""
    kept = np.zeros(len(points), dtype=np.bool_)
    for start in range(0, len(points), _BLOCK):
        block = points[start : start + _BLOCK]
        beaten = _reached(points[:start][kept[:start]], block).any(axis=0)
        beaten |= np.triu(_reached(block, block), 1).any(axis=0)
        kept[start : start + len(block)] = ~beaten
    return kept


def _reached(by: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a point of `by` is at least as good in all objectives, (len(by), len(points))."""
    reached = np.ones((len(by), len(points)), dtype=np.bool_)
    for ours, theirs in zip(by.T, points.T, strict=True):
        reached &= ours[:, None] >= theirs[None, :]
    return reached
