"""Hypervolume: how much a set of points dominates above a reference point, exactly.

All objectives are maximised. The volume is cut into slices along the last objective; each slice is
a hypervolume of one objective less. Points with NaN, or not above the reference in every objective,
add nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ngae.errors import UsageError
from ngae.search.pareto import non_dominated

Values = NDArray[np.float64]


def hypervolume(values: Values, reference: Sequence[float] | Values) -> float:
    """Measure what is dominated by the points and dominates the reference.

    Time grows as n log n for two objectives, and by a factor of n with each further one, where n
    points are in the front.

    Args:
        values: (num_points, num_objectives).
        reference: A value for each objective.

    Raises:
        UsageError: Not as many reference values as objectives.
    """
    values, origin = _checked(values, reference)
    above = values[(values > origin).all(axis=1)] - origin
    return _volume(above)


def _volume(points: Values) -> float:
    """Hypervolume over 0 of positive points (num_points, num_objectives)."""
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(points.max())
    points = points[non_dominated(points)]  # by descending last objective
    first, last = points[:, 0], points[:, -1]
    if points.shape[1] == 2:
        return float(np.sum(np.diff(first, prepend=0.0) * last))
    heights = last - np.append(last[1:], 0.0)
    slices = (
        float(height) * _volume(points[: row + 1, :-1])
        for row, height in enumerate(heights)
        if height > 0
    )
    return sum(slices)


def hypervolume_curve(values: Values, reference: Sequence[float] | Values) -> Values:
    """Measure the hypervolume of the first 1, 2, ..., num_points points, for two objectives.

    Each point costs a binary search in the front, and each that it beats is dropped once.

    Args:
        values: (num_points, 2), in the order of coming.
        reference: A value for each objective.

    Returns:
        float64 (num_points,), never falling.

    Raises:
        UsageError: Another number of objectives.
    """
    values, origin = _checked(values, reference)
    if values.shape[1] != 2:
        raise UsageError(
            f"hypervolume_curve: expected values of 2 objectives, found {values.shape[1]}"
        )
    stairs = _Stairs()
    gains = [stairs.add(x, y) if x > 0 and y > 0 else 0.0 for x, y in (values - origin).tolist()]
    return np.cumsum(np.array(gains, dtype=np.float64))


class _Stairs:
    """A front of positive points in two objectives, by ascending first."""

    def __init__(self) -> None:
        self.first: list[float] = []  # ascending
        self.second: list[float] = []  # descending

    def add(self, x: float, y: float) -> float:
        """Add a point; return the area that it adds."""
        end = bisect_left(self.first, x)
        if end < len(self.first) and self.second[end] >= y:
            return 0.0
        start = end
        while start > 0 and self.second[start - 1] <= y:
            start -= 1
        if end < len(self.first) and self.first[end] == x:
            end += 1
        left = self.first[start - 1] if start else 0.0
        gain = 0.0
        for right, height in zip(self.first[start:end], self.second[start:end], strict=True):
            gain += (right - left) * (y - height)
            left = right
        gain += (x - left) * (y - (self.second[end] if end < len(self.second) else 0.0))
        self.first[start:end], self.second[start:end] = [x], [y]
        return gain


def _checked(values: Values, reference: Sequence[float] | Values) -> tuple[Values, Values]:
    values, origin = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    if values.ndim != 2 or origin.shape != (values.shape[1],) or not len(origin):
        raise UsageError(
            "hypervolume: expected values (num_points, num_objectives) and a reference of as many "
            f"objectives, found {values.shape} and {origin.shape}"
        )
    return values, origin
