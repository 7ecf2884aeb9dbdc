"""What labels tell of measured complexities, as objectives and under limits.

Those of the parts of a network add up; but where they are measured, greater ones are often measured
less exactly, which suits their logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ngae.search.believed import Fitted
from ngae.search.description import cost_kernel
from ngae.search.gaussian_process import Array, GaussianProcess, Groups, Kernel, count_of
from ngae.search.scales import CostScale, LogCostScale


class FitProcess(Protocol):
    """Fits a process, from where the last one of the same name ended."""

    def __call__(
        self, name: str, kernel: Kernel, groups: Groups, targets: Array
    ) -> GaussianProcess:
        """Fit a process to labels."""
        ...


def told(
    name: str, fit: FitProcess, groups: Groups, values: Array, useful: NDArray[np.bool_]
) -> Fitted:
    """Fit to minus a complexity: as it is, or by its logarithm.

    Taken is what predicts the cheaper half of the useful labels better, each by all others.

    Args:
        name: What the complexity is called.
        fit: Fits a process.
        groups: Features of the labels, as described.
        values: (labels,) NaN where no answer told.
        useful: (labels,) whose answers count.
    """
    rows = np.flatnonzero(np.isfinite(values))
    known = {group: numbers[rows] for group, numbers in groups.items()}
    values, useful = values[rows], useful[rows]
    counted = useful if useful.any() else np.ones(len(rows), dtype=np.bool_)
    cheaper = counted & (values >= np.median(values[counted]))
    kernel = cost_kernel(known)
    ways = []
    for scale in (CostScale(), LogCostScale.of(values)):
        own = f"{name}: {type(scale).__name__}"
        ways.append(Fitted(fit(own, kernel, known, scale.target_at(values)), scale))
    return min(ways, key=lambda way: way.error(values, cheaper))


@dataclass(frozen=True, eq=False)
class MeasuredLimits:
    """Limits on complexities that only answers tell.

    Attributes:
        limited: What tells of each, with the most that is allowed.
    """

    limited: Sequence[tuple[Fitted, float]]

    def chance(self, groups: Groups) -> Array:
        """Return the probability that candidates as described keep all limits."""
        found = np.ones(count_of(groups))
        for teller, most in self.limited:
            found *= teller.chance(groups, -most)
        return found
