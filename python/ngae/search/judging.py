"""What a surrogate says of candidates: expected improvement, and the chance to keep limits."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from ngae.search.gaussian_process import Array, Belief, GaussianProcess, Groups

_FEW = 16  # values that are all told apart


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
        targets: What the process is fitted to, of each label; what is greater is better.
        process: Of the targets.
        best: Target of the best value that is of use.
        limits: On complexities that only answers tell.
    """

    groups: Groups
    targets: Array
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


def scaled_by(usual: Array, values: Array) -> Array:
    """Put values on a scale on which the median of what is usual is 0.5 and the best of it 1.

    From the median on in proportion, also beyond the best; below it by rank among what is usual.
    The lowest ranks are taken as one, next to none of 16 values, in the end nearly half: the more
    is known of what is good, the less counts how bad the rest is.

    Args:
        usual: At least one.
        values: (n,); what is not finite is as bad as the worst that is usual.
    """
    finite = usual[np.isfinite(usual)]
    known = np.where(np.isfinite(usual), usual, finite.min() if len(finite) else 0.0)
    places, rows = np.unique(known, return_index=True)
    fine = np.where(np.isfinite(values), values, places[0])
    median, best = np.median(known), places[-1]
    half = float(best - median) or float(best - places[0]) or 1.0
    ranks = np.minimum(np.interp(fine, places, ranks_of(known)[rows]), 0.5)
    targets = np.where(fine >= median, 0.5 + 0.5 * (fine - median) / half, ranks)
    lifted: Array = np.maximum(targets, 0.5 * (1 - _FEW / max(_FEW, len(values))))
    return lifted


def in_both(ranks: Array, scaled: Array) -> Array:
    """Add ranks and values on a scale, each in units of its spread.

    Ranks among all values (Salinas et al. 2020) part what is good where there is much of it, but
    crowd where a search has looked, and say of all else that it is bad; values on the scale of what
    is usual do not.
    """
    spreads = [float(part.std()) or 1.0 for part in (ranks, scaled)]
    both: Array = (ranks - ranks.mean()) / spreads[0] + (scaled - scaled.mean()) / spreads[1]
    return both


def below(step: Array) -> Array:
    """Distribution function of the standard normal."""
    found: Array = torch.special.ndtr(torch.from_numpy(np.asarray(step))).numpy()
    return found


def _bell(step: Array) -> Array:
    """Density of the standard normal."""
    found: Array = np.exp(-(step**2) / 2) / math.sqrt(2 * math.pi)
    return found
