"""What a surrogate of two objectives says of candidates: expected hypervolume improvement.

A process for the ranks of each objective, independent of the other; ranks come back in the
objective's units. The region above the front is cut into
strips along the first objective, and the improvement is a sum over strips of a length times a
height, so that its expectation is a sum of products of expected improvements (exact, in
O(points of the front) a candidate: Yang et al. 2019, section 4).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ngae.search.gaussian_process import Array, Belief, GaussianProcess
from ngae.search.judging import chance_to_keep, expected_excess, ranks_of
from ngae.search.pareto import non_dominated

_BELOW = 0.5  # of the span of what counts: what lies further below need not be told apart
_LEAST = 1e-9  # deviation
_TOP = 8  # the best eighth of the labels says how values go on above the best


@dataclass(frozen=True, eq=False)
class RankScale:
    """Ranks of values, and back, by the straight lines between the values that are known.

    Attributes:
        ranks: (labels,) as of `ranks_of`.
        known_ranks: (distinct,) ascending.
        known_values: (distinct,) ascending.
        slope: Of the line above the best value.
    """

    ranks: Array
    known_ranks: Array
    known_values: Array
    slope: float

    @classmethod
    def of(cls, values: Array) -> RankScale:
        """Take the ranks of `values` (labels,), at least one."""
        ranks = ranks_of(values)
        known_values, first = np.unique(values, return_index=True)
        known_ranks = ranks[first]
        below = -1 - max(1, len(known_values) // _TOP)
        if len(known_values) < 2:
            return cls(ranks, known_ranks, known_values, 0.0)
        rise, run = (float(k[-1] - k[below]) for k in (known_values, known_ranks))
        return cls(ranks, known_ranks, known_values, rise / run)

    def value_at(self, ranks: Array) -> Array:
        """Return the values at `ranks`: the least one below all, further up above all."""
        beyond = np.maximum(ranks - self.known_ranks[-1], 0.0)
        found: Array = np.interp(ranks, self.known_ranks, self.known_values) + self.slope * beyond
        return found

    def in_units(self, belief: Belief) -> tuple[Array, Array]:
        """Return mean and standard deviation of answers in units of the values, noise included.

        The deviation is half of what one deviation up and one down differ by.
        """
        spread = np.hypot(belief.deviation, belief.process.noise)
        width = self.value_at(belief.mean + spread) - self.value_at(belief.mean - spread)
        return self.value_at(belief.mean), np.maximum(width / 2, _LEAST)


@dataclass(frozen=True, eq=False)
class FrontFit:
    """What the labels say of two objectives.

    Attributes:
        groups: Features of the labels, as described.
        values: A mixture of the objectives, of each label: what ascents climb.
        processes: Of the ranks of each objective.
        scales: From the ranks of each objective to its values.
        front: (points, 2) values of labels that count.
        reference: (2,) what each objective has to exceed.
        limited: Processes of limited complexities that only answers tell, with their limits.
    """

    groups: list[Array]
    values: Array
    processes: tuple[GaussianProcess, GaussianProcess]
    scales: tuple[RankScale, RankScale]
    front: Array
    reference: Array
    limited: tuple[tuple[GaussianProcess, float], ...]

    def judge(self, groups: list[Array]) -> FrontJudged:
        """Say what is believed of candidates."""
        first, second = (process.believe(groups) for process in self.processes)
        chance = chance_to_keep(self.limited, groups)
        return FrontJudged((first, second), self.scales, self.front, self.reference, chance)


@dataclass(frozen=True, eq=False)
class FrontJudged:
    """Candidates as two processes see them.

    Attributes:
        beliefs: Of the candidates' ranks, for each objective.
        scales: From these to values.
        front: (points, 2) values so far.
        reference: (2,) what each objective has to exceed.
        feasible: (candidates,) probability that each keeps the limits.
    """

    beliefs: tuple[Belief, Belief]
    scales: tuple[RankScale, RankScale]
    front: Array
    reference: Array
    feasible: Array

    @property
    def gain(self) -> Array:
        """Expected hypervolume improvement, noise included, times the probability."""
        pairs = [k.in_units(b) for k, b in zip(self.scales, self.beliefs, strict=True)]
        means, spreads = (np.stack(columns, axis=1) for columns in zip(*pairs, strict=True))
        expected = expected_hypervolume_improvement(means, spreads, self.front, self.reference)
        found: Array = self.feasible * expected
        return found

    def after(self, row: int) -> FrontJudged:
        """As if candidate `row` had answered as expected."""
        first, second = (belief.after(row) for belief in self.beliefs)
        answer = np.array(
            [[k.value_at(b.mean[row]) for k, b in zip(self.scales, self.beliefs, strict=True)]]
        )
        return dataclasses.replace(
            self, beliefs=(first, second), front=np.concatenate([self.front, answer])
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


def targets_of(values: Array, reference: Array) -> Array:
    """Return what the processes are fitted to: values (labels, 2), lifted where far below.

    What is NaN is taken as just as bad.
    """
    least = np.nanmin(values, axis=0)
    best = np.nanmax(values, axis=0)
    low = np.maximum(least, reference - _BELOW * np.maximum(best - reference, 0.0))
    found: Array = np.maximum(np.where(np.isnan(values), low, values), low)
    return found
