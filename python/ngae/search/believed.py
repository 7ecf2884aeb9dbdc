"""What is believed of one objective at candidates, in the objective's own units.

Performances are told by a process of their ranks, measured complexities by one of their values or
logarithms; complexities that the space computes are known.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ngae.search.gaussian_process import Array, Belief, GaussianProcess, Groups
from ngae.search.judging import below
from ngae.search.scales import Scale

_LEAST = 1e-9  # deviation


class Believed(Protocol):
    """One objective at candidates."""

    @property
    def mean(self) -> Array:
        """Expected values, (candidates,)."""
        ...

    @property
    def spread(self) -> Array:
        """Standard deviations of answers, noise included, positive, (candidates,)."""
        ...

    def after(self, row: int) -> Believed:
        """As if candidate `row` had answered as expected."""
        ...


class Teller(Protocol):
    """What the labels say of one objective."""

    def believe(self, groups: Groups) -> Believed:
        """Say what is believed of candidates as described."""
        ...


@dataclass(frozen=True, eq=False)
class Fitted:
    """An objective that a process tells.

    Attributes:
        process: Of the targets.
        scale: From these to values.
    """

    process: GaussianProcess
    scale: Scale

    def believe(self, groups: Groups) -> Scaled:
        """Say what is believed of candidates as described."""
        return Scaled(self.process.believe(groups), self.scale)

    def chance(self, groups: Groups, least: float) -> Array:
        """Return the probability that each candidate answers `least` or more."""
        belief = self.process.believe(groups)
        target = self.scale.target_at(np.array(least))
        return below((belief.mean - target) / belief.noisy_deviation)

    def error(self, values: Array, rows: NDArray[np.bool_]) -> float:
        """Return the squared error at some labels, each predicted by all others.

        Args:
            values: (labels,) that the process was fitted to.
            rows: (labels,) which count.
        """
        found = self.scale.value_at(self.process.left_out())
        return float(((found - values)[rows] ** 2).sum())


@dataclass(frozen=True, eq=False)
class Scaled:
    """Candidates whose targets are believed.

    Attributes:
        belief: Of the targets.
        scale: From these to values.
    """

    belief: Belief
    scale: Scale

    @property
    def mean(self) -> Array:
        """Expected values."""
        return self.scale.value_at(self.belief.mean)

    @property
    def spread(self) -> Array:
        """Half of what one deviation up and one down differ by."""
        mean, spread = self.belief.mean, self.belief.noisy_deviation
        width = self.scale.value_at(mean + spread) - self.scale.value_at(mean - spread)
        return np.maximum(width / 2, _LEAST)

    def after(self, row: int) -> Scaled:
        """As if candidate `row` had answered as expected."""
        return dataclasses.replace(self, belief=self.belief.after(row))


@dataclass(frozen=True, eq=False)
class Computed:
    """Minus a complexity that the space computes: known of every candidate.

    Attributes:
        column: Number of the complexity in the group `exact`.
        centre: Of that column.
        unit: Of that column.
    """

    column: int
    centre: float
    unit: float

    def believe(self, groups: Groups) -> Known:
        """Say what is known of candidates as described."""
        return Known(-(groups["exact"][:, self.column] * self.unit + self.centre))


@dataclass(frozen=True, eq=False)
class Known:
    """Candidates whose values are known.

    Attributes:
        mean: The values.
    """

    mean: Array

    @property
    def spread(self) -> Array:
        """Next to nothing."""
        return np.full(len(self.mean), _LEAST)

    def after(self, row: int) -> Known:
        """Nothing changes."""
        return self
