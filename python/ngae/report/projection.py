"""The plane of the first two principal components of latent points: there and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane in the latent space.

    Attributes:
        origin: (latent_dim,) the mean of the points that it was fitted to.
        axes: (2, latent_dim), orthonormal.
        shares: (2,) share of the points' variance along each axis.
    """

    origin: Array
    axes: Array
    shares: Array

    @classmethod
    def fit(cls, points: NDArray[np.floating], values: Array | None = None) -> Plane:
        """Find the plane of the largest variance.

        Args:
            points: (num_points, latent_dim), at least one.
            values: (num_points,) that are to rise along each axis, NaN where they are not known;
                without, the largest coordinate of an axis is positive.
        """
        z = np.asarray(points, dtype=np.float64)
        if z.shape[1] < 2:  # a line is a plane whose second axis has no variance
            z = np.hstack([z, np.zeros((len(z), 1))])
        origin = z.mean(axis=0)
        centred = z - origin
        variance, vectors = np.linalg.eigh(centred.T @ centred / max(len(z), 1))
        axes = vectors.T[::-1][:2]
        axes = axes * np.array([_sign(axis, centred, values) for axis in axes])[:, None]
        shares = variance[::-1][:2] / max(float(variance.sum()), 1e-30)
        width = points.shape[1]
        return cls(origin[:width], axes[:, :width], np.maximum(shares, 0.0))

    def place(self, points: NDArray[np.floating]) -> Array:
        """Project points (..., latent_dim): where they stand on the plane, (..., 2)."""
        placed: Array = (np.asarray(points, dtype=np.float64) - self.origin) @ self.axes.T
        return placed

    def lift(self, places: NDArray[np.floating]) -> Array:
        """Return the latent points (..., latent_dim) of places (..., 2) on the plane."""
        lifted: Array = np.asarray(places, dtype=np.float64) @ self.axes + self.origin
        return lifted


def _sign(axis: Array, centred: Array, values: Array | None) -> float:
    if values is not None:
        known = ~np.isnan(values)
        if known.sum() > 1:
            rise = (centred[known] @ axis) @ (values[known] - values[known].mean())
            if rise != 0:
                return float(np.sign(rise))
    return float(np.sign(axis[np.argmax(np.abs(axis))])) or 1.0
