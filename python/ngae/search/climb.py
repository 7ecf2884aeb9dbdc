"""Ascent of a Gaussian process in the latent space: mean plus a share of the uncertainty."""

from __future__ import annotations

import numpy as np

from ngae.search.gaussian_process import Array, GaussianProcess

_RADIUS = 1.5  # as `ngae.ops.ascend`: points stay within 1.5 sqrt(latent_dim) of the origin


def climb(
    process: GaussianProcess, starts: Array, steps: int, step_size: float, kappa: float, keep: int
) -> Array:
    """Climb mean + kappa times standard deviation, by steps of one length.

    Args:
        process: Fitted on one radial group, the latent points.
        starts: (points, latent_dim).
        steps: Number of steps.
        step_size: Length of a step, in units of a coordinate.
        kappa: Weight of the standard deviation.
        keep: How many points of a path are returned, evenly spaced, the end among them.

    Returns:
        (kept, points, latent_dim), from the starts to the ends.
    """
    width = starts.shape[1]
    kept = set(np.linspace(0, steps, keep).astype(int).tolist())
    inverse = np.linalg.inv(process.factor)
    precision = inverse.T @ inverse
    points, found = starts, [starts] if 0 in kept else []
    for step in range(1, steps + 1):
        slope = _slope(process, precision, points, kappa)
        length = np.linalg.norm(slope, axis=1, keepdims=True)
        points = points + step_size * np.sqrt(width) * slope / np.maximum(length, 1e-12)
        points = _within(points, _RADIUS * np.sqrt(width))
        if step in kept:
            found.append(points)
    return np.stack(found)


def _slope(process: GaussianProcess, precision: Array, points: Array, kappa: float) -> Array:
    """Gradient of mean + kappa sqrt(variance), with k and its gradient in closed form."""
    ((name, held),) = process.groups.items()
    cross = process.covariance({name: points})  # (points, n)
    solved = cross @ precision
    amplitude = np.exp(2 * process.logs[process.kernel.amplitude])
    deviation = np.sqrt(np.maximum(amplitude - (cross * solved).sum(axis=1), 1e-9))
    pull = cross * (process.weights - kappa * solved / deviation[:, None])
    slope: Array = pull @ held - pull.sum(axis=1, keepdims=True) * points
    return slope * float(np.exp(-2 * process.logs[0]))


def _within(points: Array, radius: float) -> Array:
    length = np.linalg.norm(points, axis=1, keepdims=True)
    inside: Array = points * np.minimum(1.0, radius / np.maximum(length, 1e-12))
    return inside
