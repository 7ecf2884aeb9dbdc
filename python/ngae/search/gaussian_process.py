"""A Gaussian process on groups of features, for tens to a few hundred labels.

    k(a, b) = s^2 exp(-sum over radial g of |a_g - b_g|^2 / (2 l_g^2))
              + sum over linear g of c_g^2 a_g . b_g / width_g,              y = f + noise

Amplitudes, noise and one length for each radial group maximise the marginal likelihood times a
prior (Rasmussen and Williams 2006, section 5.4.1): groups that do not help get long lengths, and
small slopes. What is linear goes on where no label is (there, section 2.7).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Groups = Mapping[str, Array]

_JITTER = 1e-6
_LEAST = 1e-12  # variance
_ROUNDS, _RATE = 60, 0.15  # of Adam on the logarithms
_FURTHER = 40  # rounds from where an earlier fit ended
_NOISE = 0.2  # middle of the prior, of targets of unit variance


@dataclass(frozen=True)
class Kernel:
    """Which groups of features count, and how.

    Attributes:
        radial: Groups near in all of which answers are alike.
        linear: Groups whose numbers each add a share to the answer.
    """

    radial: tuple[str, ...]
    linear: tuple[str, ...] = ()

    @property
    def amplitude(self) -> int:
        """Place of the amplitude among the logarithms: after the lengths, before the slopes."""
        return len(self.radial)

    def squares(self, a: Groups, b: Groups) -> Array:
        """Squared distances (radial groups, points of a, points of b)."""
        return _stacked([_squares(a[name], b[name]) for name in self.radial], a, b)

    def products(self, a: Groups, b: Groups) -> Array:
        """Inner products (linear groups, points of a, points of b), over the width."""
        return _stacked([_products(a[name], b[name]) for name in self.linear], a, b)

    def signal(self, squares: Array, logs: Array) -> Array:
        """Return what the radial groups make of the covariance."""
        exponent = np.tensordot(np.exp(-2 * logs[: self.amplitude]) / 2, squares, axes=1)
        signal: Array = np.exp(2 * logs[self.amplitude] - exponent)
        return signal

    def shares(self, products: Array, logs: Array) -> Array:
        """Return what the linear groups make of the covariance."""
        slopes = np.exp(2 * logs[self.amplitude + 1 : -1])
        shares: Array = np.tensordot(slopes, products, axes=1)
        return shares

    def covariance(self, a: Groups, b: Groups, logs: Array) -> Array:
        """Return k between points, (points of a, points of b)."""
        exponent = np.zeros((count_of(a), count_of(b)))
        for name, log in zip(self.radial, logs, strict=False):
            exponent += _squares(a[name], b[name]) / (2 * np.exp(2 * log))
        found: Array = np.exp(2 * logs[self.amplitude] - exponent)
        for name, log in zip(self.linear, logs[self.amplitude + 1 :], strict=False):
            found += np.exp(2 * log) * _products(a[name], b[name])
        return found

    def variance(self, groups: Groups, logs: Array) -> Array:
        """Return k of each point with itself, (points,)."""
        found = np.full(count_of(groups), np.exp(2 * logs[self.amplitude]))
        for name, log in zip(self.linear, logs[self.amplitude + 1 : -1], strict=True):
            found += np.exp(2 * log) * (groups[name] ** 2).mean(axis=1)
        return found

    def middle(self, groups: Groups) -> Array:
        """Return the middle of the prior of the logarithms.

        Points a spread apart in every radial group have covariance exp(-1), however many groups;
        each linear group has variance one.
        """
        widths = np.array([groups[name].shape[1] for name in self.radial])
        lengths = 0.5 * np.log(widths * len(widths))
        return np.concatenate([lengths, np.zeros(1 + len(self.linear)), [np.log(_NOISE)]])


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """A fitted process; targets are standardised inside.

    Attributes:
        kernel: Which groups count.
        groups: Features of the labelled points, (n, width) each, scaled.
        logs: Logarithms of the lengths, the amplitude, the slopes and the noise.
        mean: Of the targets.
        scale: Standard deviation of the targets.
        factor: (n, n) lower Cholesky factor of the covariance with noise.
        weights: (n,) inverse covariance times targets.
    """

    kernel: Kernel
    groups: Groups
    logs: Array
    mean: float
    scale: float
    factor: Array
    weights: Array

    @classmethod
    def fit(
        cls,
        kernel: Kernel,
        groups: Groups,
        targets: Array,
        start: Array | None = None,
        learn: bool = True,
    ) -> GaussianProcess:
        """Fit to labelled points.

        Args:
            kernel: Which groups count.
            groups: Features, float64 (n, width) each, of comparable scale; see
                `centre_and_spread`.
            targets: (n,), at least one.
            start: Where the search for lengths, amplitudes and noise begins (`logs` of a fit to
                fewer points); by default at the middle of their priors.
            learn: Whether to search at all; if not, `start` is taken as it is.
        """
        mean, scale = float(targets.mean()), float(targets.std()) or 1.0
        y = (targets - mean) / scale
        held = {name: groups[name] for name in dict.fromkeys(kernel.radial + kernel.linear)}
        evidence = _Evidence(
            kernel, kernel.squares(held, held), kernel.products(held, held), y, kernel.middle(held)
        )
        logs = evidence.middle if start is None else start
        if learn:
            logs = _maximised(evidence, logs, _ROUNDS if start is None else _FURTHER)
        factor = np.linalg.cholesky(_noisy(evidence.covariance(logs), logs)).astype(np.float64)
        return cls(kernel, held, logs, mean, scale, factor, _solve(factor, y))

    def covariance(self, groups: Groups) -> Array:
        """Return k between points and the labelled ones, (points, n)."""
        return self.kernel.covariance(groups, self.groups, self.logs)

    def predict(self, groups: Groups) -> tuple[Array, Array]:
        """Give mean and standard deviation of f at points, in units of the targets.

        Args:
            groups: As in `fit`, (points, width) each.
        """
        belief = self.believe(groups)
        return belief.mean, belief.deviation

    def believe(self, groups: Groups) -> Belief:
        """Give what is believed of f at points, which further points may change."""
        cross = self.covariance(groups)
        half = np.linalg.solve(self.factor, cross.T).astype(np.float64)
        before = self.kernel.variance(groups, self.logs)
        variance = np.maximum(before - (half**2).sum(axis=0), _LEAST)
        mean = self.mean + self.scale * (cross @ self.weights)
        return Belief(self, groups, mean, variance, half)

    def left_out(self) -> Array:
        """Predict each label by all others (Rasmussen and Williams 2006, section 5.4.2), (n,)."""
        half = np.linalg.inv(self.factor)
        y = self.factor @ (self.factor.T @ self.weights)
        found: Array = self.mean + self.scale * (y - self.weights / (half**2).sum(axis=0))
        return found

    @property
    def noise(self) -> float:
        """Standard deviation of the noise, in units of the targets."""
        return float(self.scale * np.exp(self.logs[-1]))


@dataclass(frozen=True, eq=False)
class Belief:
    """Mean and variance of a process at points.

    Attributes:
        process: The process.
        groups: Features of the points.
        mean: (points,), in units of the targets.
        variance: (points,), of standardised targets.
        half: (n, points) inverse factor times covariance: what was learned of each point.
    """

    process: GaussianProcess
    groups: Groups
    mean: Array
    variance: Array
    half: Array

    @property
    def deviation(self) -> Array:
        """Standard deviation of f at the points, in units of the targets."""
        found: Array = self.process.scale * np.sqrt(self.variance)
        return found

    @property
    def noisy_deviation(self) -> Array:
        """Standard deviation of answers at the points, in units of the targets."""
        found: Array = np.hypot(self.deviation, self.process.noise)
        return found

    def after(self, row: int) -> Belief:
        """Return what is believed once point `row` has answered with its mean.

        One more row of the Cholesky factor; the mean stays (the kriging believer of Ginsbourger
        et al. 2010).
        """
        kernel, logs = self.process.kernel, self.process.logs
        alone = {name: self.groups[name][row : row + 1] for name in self.process.groups}
        shared = kernel.covariance(self.groups, alone, logs)[:, 0]
        shared -= self.half[:, row] @ self.half
        learned = shared / np.sqrt(self.variance[row] + np.exp(2 * logs[-1]) + _JITTER)
        variance = np.maximum(self.variance - learned**2, _LEAST)
        return dataclasses.replace(
            self, variance=variance, half=np.concatenate([self.half, learned[None]])
        )


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What lengths, amplitudes and noise are judged by.

    Attributes:
        kernel: Which groups count.
        squares: (radial groups, n, n) of the labels.
        products: (linear groups, n, n) of the labels.
        y: (n,) standardised targets.
        middle: Of the prior of the logarithms, whose standard deviations are one.
    """

    kernel: Kernel
    squares: Array
    products: Array
    y: Array
    middle: Array

    def covariance(self, logs: Array) -> Array:
        """Without noise, (n, n)."""
        shares = self.kernel.shares(self.products, logs)
        return self.kernel.signal(self.squares, logs) + shares

    def loss(self, logs: Array) -> tuple[float, Array]:
        """Negative logarithm of marginal likelihood times prior, and its slope."""
        kernel, from_middle = self.kernel, logs - self.middle
        signal = kernel.signal(self.squares, logs)
        covariance = _noisy(signal + kernel.shares(self.products, logs), logs)
        try:
            factor = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return np.inf, from_middle
        inverse = np.linalg.inv(covariance)
        weights = inverse @ self.y
        loss = 0.5 * self.y @ weights + np.log(np.diag(factor)).sum() + 0.5 * (from_middle**2).sum()
        outer = 0.5 * (inverse - np.outer(weights, weights))
        weighted = outer * signal
        amplitude, factors = kernel.amplitude, np.exp(2 * logs)
        by_length = (self.squares * weighted).sum(axis=(1, 2)) / factors[:amplitude]
        by_slope = 2 * factors[amplitude + 1 : -1] * (self.products * outer).sum(axis=(1, 2))
        slope = [*by_length, 2 * weighted.sum(), *by_slope, 2 * factors[-1] * np.trace(outer)]
        return float(loss), np.array(slope) + from_middle


def count_of(groups: Groups) -> int:
    """Return how many points `groups` describe."""
    return len(next(iter(groups.values())))


def centre_and_spread(points: NDArray[np.float32]) -> tuple[Array, float]:
    """Return the mean of each column, and one spread for all of them; 1 where there is none."""
    centre = points.mean(axis=0, dtype=np.float64)
    return centre, float(np.sqrt(((points - centre) ** 2).mean())) or 1.0


def _squares(a: Array, b: Array) -> Array:
    found: Array = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.maximum(found, 0.0)


def _products(a: Array, b: Array) -> Array:
    found: Array = a @ b.T / a.shape[1]
    return found


def _stacked(parts: list[Array], a: Groups, b: Groups) -> Array:
    return np.stack(parts) if parts else np.zeros((0, count_of(a), count_of(b)))


def _noisy(covariance: Array, logs: Array) -> Array:
    """Add the variance of the noise, in place."""
    covariance[np.diag_indices_from(covariance)] += np.exp(2 * logs[-1]) + _JITTER
    return covariance


def _solve(factor: Array, y: Array) -> Array:
    found: Array = np.linalg.solve(factor.T, np.linalg.solve(factor, y))
    return found


def _maximised(evidence: _Evidence, start: Array, rounds: int) -> Array:
    """Climb log p(y | logs) p(logs) by Adam; the best point on the way."""
    logs = start.copy()
    best, best_loss = logs.copy(), np.inf
    first, second = np.zeros_like(logs), np.zeros_like(logs)
    for step in range(1, rounds + 1):
        loss, slope = evidence.loss(logs)
        if loss < best_loss:
            best, best_loss = logs.copy(), loss
        first = 0.9 * first + 0.1 * slope
        second = 0.95 * second + 0.05 * slope**2
        rate = _RATE * (1 - step / (rounds + 1))
        move = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.95**step)) + 1e-8)
        logs = logs - rate * move
    return best
