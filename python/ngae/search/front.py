"""What a surrogate of two objectives says of candidates: expected hypervolume improvement.

The objectives are believed independent of each other (`believed.py`). The region above the front
is cut into strips along the first objective, and the improvement is a sum over strips of a length
times a height, so that its expectation is a sum of products of expected improvements (exact, in
O(points of the front) a candidate: Yang et al. 2019, section 4).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ngae.search.believed import Believed, Teller
from ngae.search.gaussian_process import Array, Groups
from ngae.search.judging import Limits, expected_excess
from ngae.search.pareto import non_dominated

_BELOW = 0.5  # of the span of what counts: what lies further below need not be told apart


@dataclass(frozen=True, eq=False)
class FrontFit:
    """What the labels say of two objectives.

    Attributes:
        groups: Features of the labels, as described.
        targets: Ranks in a mixture of the objectives, of each label: what ascents climb.
        tellers: Of each objective.
        front: (points, 2) values of labels that count.
        reference: (2,) what each objective has to exceed.
        limits: On complexities that only answers tell.
    """

    groups: Groups
    targets: Array
    tellers: tuple[Teller, Teller]
    front: Array
    reference: Array
    limits: Limits

    def judge(self, groups: Groups) -> FrontJudged:
        """Say what is believed of candidates."""
        first, second = (teller.believe(groups) for teller in self.tellers)
        feasible = self.limits.chance(groups)
        return FrontJudged((first, second), self.front, self.reference, feasible)


@dataclass(frozen=True, eq=False)
class FrontJudged:
    """Candidates as two objectives.

    Attributes:
        objectives: What is believed of each.
        front: (points, 2) values so far.
        reference: (2,) what each objective has to exceed.
        feasible: (candidates,) probability that each keeps the limits.
    """

    objectives: tuple[Believed, Believed]
    front: Array
    reference: Array
    feasible: Array

    @property
    def gain(self) -> Array:
        """Expected hypervolume improvement, noise included, times the probability."""
        means = np.stack([k.mean for k in self.objectives], axis=1)
        spreads = np.stack([k.spread for k in self.objectives], axis=1)
        expected = expected_hypervolume_improvement(means, spreads, self.front, self.reference)
        found: Array = self.feasible * expected
        return found

    def after(self, row: int) -> FrontJudged:
        """As if candidate `row` had answered as expected."""
        first, second = self.objectives
        answer = np.array([[first.mean[row], second.mean[row]]])
        return dataclasses.replace(
            self,
            objectives=(first.after(row), second.after(row)),
            front=np.concatenate([self.front, answer]),
        )


def expected_hypervolume_improvement(
    means: Array, spreads: Array, front: Array, reference: Array
) -> Array:
    """Return the expected gain in hypervolume of normal points, for two maximised objectives.

    Args:
        means: (candidates, 2).
        spreads: (candidates, 2) standard deviations, positive; the objectives are independent.
        front: (points, 2); points that do not exceed the reference, and dominated ones, may be
            among them.
        reference: (2,).

    Returns:
        (candidates,).
    """
    above = front[(front > reference).all(axis=1)]
    above = above[non_dominated(above)]  # by descending second objective, ascending first
    edges = np.concatenate([reference[:1], above[:, 0]])
    floors = np.concatenate([above[:, 1], reference[1:]])  # in the strip from each edge on
    length = expected_excess(means[:, :1], spreads[:, :1], edges)
    length[:, :-1] -= length[:, 1:].copy()
    height = expected_excess(means[:, 1:], spreads[:, 1:], floors)
    found: Array = (length * height).sum(axis=1)
    return found


def lifted(values: Array, reference: float) -> Array:
    """Return values (labels,) of an objective, lifted where far below the reference.

    What is NaN is taken as just as bad.
    """
    least, best = float(np.nanmin(values)), float(np.nanmax(values))
    low = max(least, reference - _BELOW * max(best - reference, 0.0))
    found: Array = np.maximum(np.where(np.isnan(values), low, values), low)
    return found
