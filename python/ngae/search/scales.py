"""Scales on which a process is fitted to the values of an objective, and back from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ngae.search.gaussian_process import Array
from ngae.search.judging import ranks_of

_TOP = 8  # the best eighth of the labels says how values go on above the best
_NEAR_ZERO = 0.1  # of the median: costs below that need not be told apart


class Scale(Protocol):
    """What a process is fitted to instead of values, which are maximised."""

    def target_at(self, values: Array) -> Array:
        """Return the targets of `values`."""
        ...

    def value_at(self, targets: Array) -> Array:
        """Return the values at `targets`."""
        ...


@dataclass(frozen=True, eq=False)
class RankScale:
    """Ranks of values, and back, by the straight lines between the values that are known.

    Attributes:
        known_ranks: (distinct,) ascending.
        known_values: (distinct,) ascending.
        slope: Of the line above the best value.
    """

    known_ranks: Array
    known_values: Array
    slope: float

    @classmethod
    def of(cls, values: Array) -> RankScale:
        """Take the ranks of `values` (labels,), at least one."""
        known_values, first = np.unique(values, return_index=True)
        known_ranks = ranks_of(values)[first]
        below = -1 - max(1, len(known_values) // _TOP)
        if len(known_values) < 2:
            return cls(known_ranks, known_values, 0.0)
        rise, run = (float(k[-1] - k[below]) for k in (known_values, known_ranks))
        return cls(known_ranks, known_values, rise / run)

    def target_at(self, values: Array) -> Array:
        """Return the ranks of `values`: between those of the next known ones."""
        found: Array = np.interp(values, self.known_values, self.known_ranks)
        return found

    def value_at(self, targets: Array) -> Array:
        """Return the values at ranks: the least one below all, further up above all."""
        beyond = np.maximum(targets - self.known_ranks[-1], 0.0)
        known: Array = np.interp(targets, self.known_ranks, self.known_values)
        found: Array = known + self.slope * beyond
        return found


@dataclass(frozen=True)
class CostScale:
    """Costs as they are: those of the parts of a network add up."""

    def target_at(self, values: Array) -> Array:
        """Return the targets of `values`."""
        return values

    def value_at(self, targets: Array) -> Array:
        """Return the values at `targets`."""
        return targets


@dataclass(frozen=True)
class LogCostScale:
    """Logarithms of costs: the greater, the less exactly they were measured.

    Attributes:
        unit: Costs far below it need not be told apart.
    """

    unit: float

    @classmethod
    def of(cls, values: Array) -> LogCostScale:
        """Take a unit for `values` (labels,): minus the costs."""
        return cls(float(_NEAR_ZERO * np.median(-values)) or 1.0)

    def target_at(self, values: Array) -> Array:
        """Return the targets of `values`: minus the logarithms of the costs."""
        found: Array = -np.log1p(np.maximum(-values, 0.0) / self.unit)
        return found

    def value_at(self, targets: Array) -> Array:
        """Return the values at `targets`."""
        found: Array = -self.unit * np.expm1(-targets)
        return found
