"""What a surrogate says of candidates: expected improvement, and the chance to keep limits."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from ngae.search.gaussian_process import Array, Belief, GaussianProcess, Groups


class Limits(Protocol):
    """What the labels say of limits."""

    def chance(self, groups: Groups) -> Array:
        """Return the probability that candidates as described keep all limits."""
        ...


@dataclass(frozen=True, eq=False)
class Fit:
    """What the labels say.

    Attributes:
        groups: Features of the labels, as described.
        values: What is maximised, of each label.
        process: Of the targets: ranks of the values, or the values of the upper half.
        best: Target of the best value that is of use.
        limits: On complexities that only answers tell.
    """

    groups: Groups
    values: Array
    process: GaussianProcess
    best: float
    limits: Limits

    def judge(self, groups: Groups) -> Judged:
        """Say what is believed of candidates."""
        return Judged(self.process.believe(groups), self.best, self.limits.chance(groups))


@dataclass(frozen=True, eq=False)
class Judged:
    """Candidates as a process sees them.

    Attributes:
        belief: Of their values.
        best: The best value so far.
        feasible: (candidates,) probability that each keeps the limits.
    """

    belief: Belief
    best: float
    feasible: Array

    @property
    def gain(self) -> Array:
        """Expected improvement over the best value, noise included, times the probability."""
        excess = expected_excess(self.belief.mean, self.belief.noisy_deviation, self.best)
        gain: Array = self.feasible * excess
        return gain

    def after(self, row: int) -> Judged:
        """As if candidate `row` had answered as expected."""
        return dataclasses.replace(self, belief=self.belief.after(row))


def expected_excess(mean: Array, spread: Array, above: Any) -> Array:
    """Return E[max(0, y - above)] of normal y: spread (u Phi(u) + phi(u)), u in spreads above."""
    step = (mean - above) / spread
    found: Array = spread * (step * below(step) + _bell(step))
    return found


def ranks_of(values: Array) -> Array:
    """Ranks from the lowest, in (0, 1); equal values share theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Array = ((ends - counts / 2)[place]) / len(values)
    return ranks


def upper_half(values: Array) -> Array:
    """Values, those below the median (and what is not finite) lifted to it."""
    fine = np.isfinite(values)
    median = np.median(values[fine]) if fine.any() else 0.0
    lifted: Array = np.maximum(np.where(fine, values, median), median)
    return lifted


def below(step: Array) -> Array:
    """Distribution function of the standard normal."""
    found: Array = torch.special.ndtr(torch.from_numpy(np.asarray(step))).numpy()
    return found


def _bell(step: Array) -> Array:
    """Density of the standard normal."""
    found: Array = np.exp(-(step**2) / 2) / math.sqrt(2 * math.pi)
    return found
