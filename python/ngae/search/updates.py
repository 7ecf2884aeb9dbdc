"""Ascent of any function of latent points, by gradient or by damped Newton steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]  # (num_points, width) to (num_points,), each by its own point
Step = Callable[[Score, Tensor, float], Tensor]
Update = Literal["gradient", "newton"]

_RADIUS = 1.5  # as `ngae.ops.ascend`: points stay within 1.5 sqrt(width) of the origin
_REACH = 5.0  # longest Newton step, in lengths of a gradient step
_HALVINGS = 40  # of the interval of the damping
_TINY = 1e-12


def ascend(
    score: Score, starts: Tensor, steps: int, step_size: float, update: Update, keep: int
) -> Tensor:
    """Climb `score` from every start.

    Args:
        score: What is climbed; differentiable, twice for Newton steps.
        starts: (num_points, width).
        steps: Number of steps.
        step_size: Length of a gradient step, in units of a coordinate.
        update: What a step follows.
        keep: How many points of a path are returned, evenly spaced, the end among them; a path
            of fewer steps gives one a step.

    Returns:
        (kept, num_points, width); the starts are not among them.
    """
    length = step_size * math.sqrt(starts.shape[1])
    step: Step = newton_step if update == "newton" else gradient_step
    kept = set(np.linspace(steps, 0, min(keep, steps), endpoint=False).astype(int).tolist())
    points, found = starts, []
    for number in range(1, steps + 1):
        points = _within(points + step(score, points, length))
        if number in kept:
            found.append(points)
    return torch.stack(found)


def gradient_step(score: Score, points: Tensor, length: float) -> Tensor:
    """Return steps (num_points, width) of one length along the gradients."""
    slope = gradients(score, points)
    step: Tensor = length * slope / slope.norm(dim=1, keepdim=True).clamp(min=_TINY)
    return step


def newton_step(score: Score, points: Tensor, length: float) -> Tensor:
    """Return damped Newton steps (num_points, width).

    Along each eigenvector of the Hessian the step is the slope over the downward curvature, or,
    where the curvature is upward or none, that of a gradient step. A step longer than five gradient
    steps is damped: what brings it to that length is added to all curvatures (Levenberg 1944).
    """
    slope = gradients(score, points)
    curvature, axes = torch.linalg.eigh(hessians(score, points))
    along = torch.einsum("nij,ni->nj", axes, slope)
    by_gradient = slope.norm(dim=1, keepdim=True).clamp(min=_TINY) / max(length, _TINY)
    divisor = torch.where(curvature < 0, -curvature, by_gradient).clamp(min=_TINY)
    step = along / (divisor + _damping(along, divisor, _REACH * length))
    return torch.einsum("nij,nj->ni", axes, step)


def gradients(score: Score, points: Tensor) -> Tensor:
    """Return the gradients of `score` (num_points, width)."""
    with torch.enable_grad():
        held = points.detach().requires_grad_()
        slope: Tensor = torch.autograd.grad(score(held).sum(), held)[0]
    return slope


def hessians(score: Score, points: Tensor) -> Tensor:
    """Return the Hessians of `score` (num_points, width, width).

    Each row is the change of the gradient along one coordinate, all of them in one batch.
    """
    count, width = points.shape
    repeated = points.detach().repeat_interleave(width, dim=0)
    along = torch.eye(width).to(points).repeat(count, 1)
    slopes = torch.func.grad(lambda held: score(held).sum())
    pulled: Callable[[Tensor], tuple[Tensor]] = torch.func.vjp(slopes, repeated)[1]
    return pulled(along)[0].view(count, width, width)


def _damping(along: Tensor, divisor: Tensor, longest: float) -> Tensor:
    """Least numbers (num_points, 1) that, added to the divisors, keep steps at `longest`."""
    low = torch.zeros_like(along[:, :1])
    high = along.norm(dim=1, keepdim=True) / max(longest, _TINY)  # enough even where divisors are 0
    fits = (along / divisor).norm(dim=1, keepdim=True) <= longest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        short = (along / (divisor + middle)).norm(dim=1, keepdim=True) <= longest
        low, high = torch.where(short, low, middle), torch.where(short, middle, high)
    return torch.where(fits, torch.zeros_like(high), high)


def _within(points: Tensor) -> Tensor:
    """Bring points back to the sphere that they have left."""
    radius = _RADIUS * math.sqrt(points.shape[1])
    length = points.norm(dim=1, keepdim=True)
    inside: Tensor = points * (radius / length.clamp(min=_TINY)).clamp(max=1.0)
    return inside
