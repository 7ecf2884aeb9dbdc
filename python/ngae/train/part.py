"""A process's part of a batch: which rows it takes, and what its means count among all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.data import Table
from ngae.models.loss import Terms, Total


@dataclass(frozen=True)
class Share:
    """What a part's means are multiplied by, so that those of all parts add up to the batch's.

    Attributes:
        rows: Its share of the batch's graphs.
        performance: Its share of those whose performance is known.
        complexity: Its share of those whose complexities are known.
    """

    rows: float
    performance: float
    complexity: float

    def total(self, summed: Total) -> Total:
        """Return `summed` (over all parts), to which a part without graphs gives nothing."""
        return summed if self.rows else lambda values: summed(0 * values)

    def of(self, terms: Terms) -> Terms:
        """Return a part's terms as addends of the batch's."""
        return Terms(
            nodes=terms.nodes * self.rows,
            edges=terms.edges * self.rows,
            kl=terms.kl * self.rows,
            performance=terms.performance * self.performance,
            complexity=terms.complexity * self.complexity,
            correlation=_known_by_all(terms.correlation, self.rows),
        )


@dataclass(frozen=True)
class Part:
    """One process's part of a batch.

    Attributes:
        places: Which of the batch's graphs it takes. A process that is left without any takes the
            first one, with a share of 0, so that it takes every step as the others do.
        share: None where it is the whole batch.
    """

    places: slice
    share: Share | None

    @classmethod
    def of(cls, table: Table, batch: NDArray[np.int64], own: slice) -> Part:
        """Take the part `own` of the rows `batch` of a table."""
        if own == slice(0, len(batch)):
            return cls(own, None)
        count = own.stop - own.start
        share = Share(
            count / len(batch),
            _share(table.performance[batch][:, None], own),
            _share(table.complexity[batch], own),
        )
        return cls(own if count else slice(0, 1), share)


def _known_by_all(term: Tensor, share: float) -> Tensor:
    """A share of a term of the whole batch, with all of its gradient by this part's graphs."""
    return term + (share - 1) * term.detach()


def _share(targets: NDArray[np.float64], own: slice) -> float:
    """Share of `own` among the rows that are known, as the model has it: finite in float32."""
    known: Tensor = torch.from_numpy(targets).float().isfinite().all(dim=1)
    return int(known[own].sum()) / max(int(known.sum()), 1)
