"""A Gaussian process on groups of features, for tens to a few hundred labels.

    k(a, b) = s^2 exp(-sum over groups g of |a_g - b_g|^2 / (2 l_g^2)) + a_t . b_t,    y = f + noise

Amplitude, noise and one length for each group maximise the marginal likelihood times a prior
(Rasmussen and Williams 2006, section 5.4.1); groups that do not help get long lengths. The group t,
where there is one, has a linear trend, whose slopes are standard normal (there, section 2.7).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_JITTER = 1e-6
_LEAST = 1e-12  # variance
_ROUNDS, _RATE = 60, 0.15  # of Adam on the logarithms
_FURTHER = 40  # rounds from where an earlier fit ended
_NOISE = 0.2  # middle of the prior, of targets of unit variance
_WIDTHS = (1.0, 1.0, 1.0)  # standard deviations of the priors: lengths, amplitude, noise


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """A fitted process; targets are standardised inside.

    Attributes:
        groups: Features of the labelled points, (n, width) each, scaled.
        logs: Logarithms of the lengths, then of amplitude and noise.
        mean: Of the targets.
        scale: Standard deviation of the targets.
        trend: Number of the group with a linear trend, or None.
        factor: (n, n) lower Cholesky factor of the covariance with noise.
        weights: (n,) inverse covariance times targets.
    """

    groups: tuple[Array, ...]
    logs: Array
    mean: float
    scale: float
    trend: int | None
    factor: Array
    weights: Array

    @classmethod
    def fit(
        cls,
        groups: Sequence[Array],
        targets: Array,
        start: Array | None = None,
        trend: int | None = None,
        learn: bool = True,
    ) -> GaussianProcess:
        """Fit to labelled points.

        Args:
            groups: Features, (n, width) each, of comparable scale; see `centre_and_spread`.
            targets: (n,), at least one.
            start: Where the search for lengths, amplitude and noise begins (`logs` of a fit to
                fewer points); by default at the middle of their priors.
            trend: Number of the group with a linear trend; by default there is none.
            learn: Whether to search at all; if not, `start` is taken as it is.
        """
        held = tuple(np.asarray(group, dtype=np.float64) for group in groups)
        mean, scale = float(targets.mean()), float(targets.std()) or 1.0
        y = (targets - mean) / scale
        squares = np.stack([_squares(group, group) for group in held])
        fixed = _linear(held, held, trend)
        # Points a spread apart in every group have covariance exp(-1), however many groups.
        widths = np.array([group.shape[1] for group in held])
        middle = np.append(0.5 * np.log(widths * len(held)), [0.0, np.log(_NOISE)])
        logs = middle if start is None else start
        if learn:
            rounds = _ROUNDS if start is None else _FURTHER
            logs = _maximised(squares, fixed, y, middle, logs, rounds)
        factor = np.linalg.cholesky(_noisy(squares, fixed, logs)).astype(np.float64)
        weights = _solve(factor, y)
        return cls(held, logs, mean, scale, trend, factor, weights)

    def covariance(self, groups: Sequence[Array]) -> Array:
        """Return k between points and the labelled ones, (points, n)."""
        exponent = np.zeros((len(groups[0]), len(self.weights)))
        for group, held, log in zip(groups, self.groups, self.logs, strict=False):
            exponent += _squares(group, held) / (2 * np.exp(2 * log))
        cross: Array = np.exp(2 * self.logs[-2] - exponent) + _linear(
            groups, self.groups, self.trend
        )
        return cross

    def predict(self, groups: Sequence[Array]) -> tuple[Array, Array]:
        """Give mean and standard deviation of f at points, in units of the targets.

        Args:
            groups: As in `fit`, (points, width) each.
        """
        belief = self.believe(groups)
        return belief.mean, belief.deviation

    def believe(self, groups: Sequence[Array]) -> Belief:
        """Give what is believed of f at points, which further points may change."""
        cross = self.covariance(groups)
        half = np.linalg.solve(self.factor, cross.T).astype(np.float64)
        before = np.full(len(cross), np.exp(2 * self.logs[-2]))
        if self.trend is not None:
            before += (groups[self.trend] ** 2).sum(axis=1)
        variance = np.maximum(before - (half**2).sum(axis=0), _LEAST)
        mean = self.mean + self.scale * (cross @ self.weights)
        return Belief(self, tuple(groups), mean, variance, half)

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
    groups: tuple[Array, ...]
    mean: Array
    variance: Array
    half: Array

    @property
    def deviation(self) -> Array:
        """Standard deviation of f at the points, in units of the targets."""
        found: Array = self.process.scale * np.sqrt(self.variance)
        return found

    def after(self, row: int) -> Belief:
        """Return what is believed once point `row` has answered with its mean.

        One more row of the Cholesky factor; the mean stays (the kriging believer of Ginsbourger
        et al. 2010).
        """
        logs = self.process.logs
        exponent = np.zeros(len(self.mean))
        for group, log in zip(self.groups, logs, strict=False):
            exponent += _squares(group, group[row : row + 1])[:, 0] / (2 * np.exp(2 * log))
        row_alone = [group[row : row + 1] for group in self.groups]
        shared = np.exp(2 * logs[-2] - exponent) - self.half[:, row] @ self.half
        shared += np.ravel(_linear(self.groups, row_alone, self.process.trend))
        learned = shared / np.sqrt(self.variance[row] + np.exp(2 * logs[-1]) + _JITTER)
        variance = np.maximum(self.variance - learned**2, _LEAST)
        return dataclasses.replace(
            self, variance=variance, half=np.concatenate([self.half, learned[None]])
        )


def centre_and_spread(points: NDArray[np.float32]) -> tuple[Array, float]:
    """Return the mean of each column, and one spread for all of them; 1 where there is none."""
    centre = points.mean(axis=0, dtype=np.float64)
    return centre, float(np.sqrt(((points - centre) ** 2).mean())) or 1.0


def _squares(a: Array, b: Array) -> Array:
    found: Array = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.maximum(found, 0.0)


def _linear(a: Sequence[Array], b: Sequence[Array], trend: int | None) -> Array:
    """Covariance of the linear trend, (points of a, points of b)."""
    found: Array = np.zeros((len(a[0]), len(b[0]))) if trend is None else a[trend] @ b[trend].T
    return found


def _noisy(squares: Array, fixed: Array, logs: Array) -> Array:
    found: Array = _signal(squares, logs) + fixed
    found[np.diag_indices_from(found)] += np.exp(2 * logs[-1]) + _JITTER
    return found


def _signal(squares: Array, logs: Array) -> Array:
    exponent = np.tensordot(np.exp(-2 * logs[:-2]) / 2, squares, axes=1)
    signal: Array = np.exp(2 * logs[-2] - exponent)
    return signal


def _solve(factor: Array, y: Array) -> Array:
    found: Array = np.linalg.solve(factor.T, np.linalg.solve(factor, y))
    return found


def _maximised(
    squares: Array, fixed: Array, y: Array, middle: Array, start: Array, rounds: int
) -> Array:
    """Climb log p(y | logs) p(logs) by Adam; the best point on the way."""
    logs = start.copy()
    best, best_loss = logs.copy(), np.inf
    first, second = np.zeros_like(logs), np.zeros_like(logs)
    for step in range(1, rounds + 1):
        loss, slope = _loss(squares, fixed, y, middle, logs)
        if loss < best_loss:
            best, best_loss = logs.copy(), loss
        first = 0.9 * first + 0.1 * slope
        second = 0.95 * second + 0.05 * slope**2
        rate = _RATE * (1 - step / (rounds + 1))
        move = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.95**step)) + 1e-8)
        logs = logs - rate * move
    return best


def _loss(
    squares: Array, fixed: Array, y: Array, middle: Array, logs: Array
) -> tuple[float, Array]:
    """Negative logarithm of marginal likelihood times prior, and its slope."""
    widths = np.array([_WIDTHS[0]] * (len(logs) - 2) + list(_WIDTHS[1:]))
    from_middle = (logs - middle) / widths
    signal = _signal(squares, logs)
    noise = np.exp(2 * logs[-1])
    covariance = signal + fixed + (noise + _JITTER) * np.eye(len(y))
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return np.inf, from_middle / widths
    inverse = np.linalg.inv(covariance)
    weights = inverse @ y
    loss = 0.5 * y @ weights + np.log(np.diag(factor)).sum() + 0.5 * (from_middle**2).sum()
    outer = 0.5 * (inverse - np.outer(weights, weights))
    weighted = outer * signal
    lengths = (squares * weighted).sum(axis=(1, 2)) * np.exp(-2 * logs[:-2])
    slope = np.array([*lengths, 2 * weighted.sum(), 2 * noise * np.trace(outer)])
    return float(loss), slope + from_middle / widths
