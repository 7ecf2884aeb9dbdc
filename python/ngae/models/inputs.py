"""What one step of training or evaluation takes in: graphs, decisions, targets, on one device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ngae.batch import GraphBatch
from ngae.data import Table
from ngae.models.decisions import Decisions
from ngae.transfer import transfer


@dataclass(frozen=True)
class Inputs:
    """Rows of a table, ready for the model.

    Attributes:
        batch: The graphs.
        decisions: What a decoder decides to write them.
        performance: float32 (num_graphs,) in its own units.
        complexity: float32 (num_graphs, num_complexities) in their own units.
    """

    batch: GraphBatch
    decisions: Decisions
    performance: Tensor
    complexity: Tensor

    @classmethod
    def of(cls, table: Table, rows: NDArray[np.int64], device: torch.device) -> Inputs:
        """Pack the given rows of `table`."""
        batch = GraphBatch.pack(table.dags.take(rows))
        targets = [torch.from_numpy(a[rows]).float() for a in (table.performance, table.complexity)]
        performance, complexity = transfer(targets, device)
        return cls(
            batch.to(device),
            Decisions.of(batch, table.space.rules).to(device),
            performance,
            complexity,
        )


def in_order(table: Table, batch_size: int, device: torch.device) -> Iterator[Inputs]:
    """Yield all rows of `table` in their order, `batch_size` at a time."""
    for start in range(0, len(table), batch_size):
        yield Inputs.of(table, np.arange(start, min(start + batch_size, len(table))), device)
