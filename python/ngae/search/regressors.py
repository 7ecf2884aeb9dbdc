"""Regressors from latent points to one number, fitted to few labels: an MLP ensemble, or kernels.

Whatever is fitted, its prediction is written in torch, so that gradients and Hessians by the point
come from `torch.func`. Points and targets are scaled inside.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ngae.errors import MissingExtraError
from ngae.search.gaussian_process import centre_and_spread

Kind = Literal["mlp", "kernel-ridge", "gaussian-process"]
Loss = Literal["squared", "ranking"]
Regressor = Callable[[Tensor], Tensor]  # (num_points, width) to (num_points,)

_MEMBERS, _HIDDEN = 5, 64
_STEPS, _LEARNING_RATE, _WEIGHT_DECAY = 80, 5e-3, 1e-2  # of AdamW, on all labels at once
_LENGTHS = (0.5, 1.0, 2.0, 4.0)  # of the kernel, in units of the points' distance from the centre
_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True, eq=False)
class Scale:
    """Centre and spread of points, mean and standard deviation of targets.

    Attributes:
        centre: (width,).
        spread: One for all coordinates: those that vary little count little.
        mean: Of the targets.
        deviation: Of the targets; 1 where all are equal.
    """

    centre: Tensor
    spread: float
    mean: float
    deviation: float

    @classmethod
    def of(cls, points: Tensor, targets: Tensor) -> Scale:
        """Measure points (n, width) and targets (n,)."""
        centre, spread = centre_and_spread(points.cpu().numpy())
        deviation = float(targets.std(correction=0)) or 1.0
        return cls(torch.from_numpy(centre).to(points), spread, float(targets.mean()), deviation)

    def points(self, points: Tensor) -> Tensor:
        """Scale points."""
        return (points - self.centre) / self.spread

    def targets(self, targets: Tensor) -> Tensor:
        """Scale targets."""
        return (targets - self.mean) / self.deviation

    def in_units(self, values: Tensor) -> Tensor:
        """Bring scaled targets back to their units."""
        return self.mean + self.deviation * values


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The mean of MLPs with two hidden layers that begin differently; one `bmm` a layer for all.

    Attributes:
        scale: Of points and targets.
        weights: (members, inputs, outputs) by layer.
        biases: (members, 1, outputs) by layer.
    """

    scale: Scale
    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    def __call__(self, points: Tensor) -> Tensor:
        """Predict the targets (num_points,) at points (num_points, width)."""
        return self.scale.in_units(self.members(self.scale.points(points)).mean(dim=0))

    def members(self, scaled: Tensor) -> Tensor:
        """Predict scaled targets (members, num_points) at scaled points (num_points, width)."""
        state = scaled.expand(len(self.weights[0]), *scaled.shape)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            state = torch.nn.functional.silu(torch.baddbmm(bias, state, weight))
        return torch.baddbmm(self.biases[-1], state, self.weights[-1])[..., 0]


@dataclass(frozen=True, eq=False)
class Kernel:
    """A sum of radial basis functions at the labelled points.

    Attributes:
        scale: Of points and targets.
        labelled: (n, width), scaled.
        length: Of the kernel exp(-|a - b|^2 / (2 length^2)).
        coefficients: (n,) of the functions, for scaled targets.
    """

    scale: Scale
    labelled: Tensor
    length: float
    coefficients: Tensor

    def __call__(self, points: Tensor) -> Tensor:
        """Predict the targets (num_points,) at points (num_points, width)."""
        x, held = self.scale.points(points), self.labelled
        apart = x.square().sum(1)[:, None] + held.square().sum(1) - 2 * x @ held.T
        return self.scale.in_units(torch.exp(apart / (-2 * self.length**2)) @ self.coefficients)


def fit(
    kind: Kind, points: Tensor, targets: Tensor, *, seed: int = 0, loss: Loss = "squared"
) -> Regressor:
    """Fit a regressor.

    Args:
        kind: Which one.
        points: (n, width), at least one.
        targets: (n,).
        seed: Of what is drawn.
        loss: Of the MLPs: squared error, or the order of pairs, for which predictions are brought
            to the mean and the spread of the targets afterwards.

    Raises:
        MissingExtraError: A kernel without scikit-learn.
    """
    scale = Scale.of(points, targets)
    if kind == "mlp":
        return _ensemble(scale, points, targets, seed, loss)
    check_installed(kind)
    fitted = _kernel_ridge if kind == "kernel-ridge" else _gaussian_process
    scaled, wanted = scale.points(points), scale.targets(targets)
    length, coefficients = fitted(scaled.double().numpy(), wanted.double().numpy())
    return Kernel(scale, scaled, length, torch.from_numpy(coefficients).to(points))


def check_installed(kind: Kind) -> None:
    """Raise MissingExtraError where a regressor needs scikit-learn and there is none."""
    try:
        if kind != "mlp":
            import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "ml", f"--ascent-regressor {kind}") from error


@torch.enable_grad()
def _ensemble(scale: Scale, points: Tensor, targets: Tensor, seed: int, loss: Loss) -> Ensemble:
    generator = torch.Generator().manual_seed(seed)
    sizes = (points.shape[1], _HIDDEN, _HIDDEN, 1)
    weights, biases = [], []
    for inputs, outputs in pairwise(sizes):
        drawn = torch.randn((_MEMBERS, inputs, outputs), generator=generator)
        weights.append((drawn / math.sqrt(inputs)).to(points).requires_grad_())
        biases.append(points.new_zeros((_MEMBERS, 1, outputs)).requires_grad_())
    found = Ensemble(scale, tuple(weights), tuple(biases))
    x, y = scale.points(points), scale.targets(targets)
    optimizer = torch.optim.AdamW(
        [*weights, *biases], lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY, foreach=True
    )
    for step in range(_STEPS):
        optimizer.param_groups[0]["lr"] = _LEARNING_RATE * (1 - step / _STEPS)
        optimizer.zero_grad()
        value = (_squared if loss == "squared" else _ranking)(found.members(x), y)
        value.backward()
        optimizer.step()
    for parameter in (*weights, *biases):
        parameter.requires_grad_(False)
    return found if loss == "squared" else _in_spread(found, x)


def _squared(found: Tensor, wanted: Tensor) -> Tensor:
    """Squared error, summed over members."""
    return (found - wanted).square().mean(dim=1).sum()


def _ranking(found: Tensor, wanted: Tensor) -> Tensor:
    """-log sigmoid of the difference of each pair whose order is known, summed over members."""
    above = wanted[:, None] > wanted
    pairs = torch.nn.functional.softplus(found[:, None, :] - found[:, :, None]) * above
    return pairs.sum() / max(1, int(above.sum()))


def _in_spread(found: Ensemble, x: Tensor) -> Ensemble:
    """Bring what orders alone to mean 0 and spread 1 on the labelled points."""
    values = found.members(x).mean(dim=0)
    mean, deviation = float(values.mean()), float(values.std(correction=0)) or 1.0
    weights = (*found.weights[:-1], found.weights[-1] / deviation)
    biases = (*found.biases[:-1], (found.biases[-1] - mean) / deviation)
    return Ensemble(found.scale, weights, biases)


def _kernel_ridge(points: Any, targets: Any) -> tuple[float, Any]:
    """Length and dual coefficients; length and penalty of the least leave-one-out error."""
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.metrics.pairwise import rbf_kernel

    typical = math.sqrt(points.shape[1])
    best = (math.inf, typical, 1.0)
    for length in (typical * factor for factor in _LENGTHS):
        values, axes = np.linalg.eigh(rbf_kernel(points, gamma=0.5 / length**2))
        along = axes.T @ targets
        for penalty in _PENALTIES:
            inverse = 1 / (np.maximum(values, 0) + penalty)
            left_out = (axes @ (inverse * along)) / (axes**2 @ inverse)  # errors, in closed form
            best = min(best, (float((left_out**2).mean()), length, penalty))
    _, length, penalty = best
    model = KernelRidge(kernel="rbf", alpha=penalty, gamma=0.5 / length**2).fit(points, targets)
    return length, model.dual_coef_


def _gaussian_process(points: Any, targets: Any) -> tuple[float, Any]:
    """Length and dual coefficients; length, amplitude and noise by maximum likelihood."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    typical = math.sqrt(points.shape[1])
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * RBF(typical, (0.1 * typical, 10 * typical))
    kernel += WhiteKernel(0.1, (1e-3, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound is as wanted
        model = GaussianProcessRegressor(kernel, alpha=1e-8).fit(points, targets)
    amplitude = model.kernel_.k1.k1.constant_value
    length = float(model.kernel_.k1.k2.length_scale)
    return length, np.asarray(amplitude * model.alpha_)
