"""`Table`: the oracle that looks answers up in a table of known architectures, computing none."""

from __future__ import annotations

import numpy as np

from ngae.dag import Dag
from ngae.data.records import Dataset
from ngae.data.records import Table as Records
from ngae.oracles.base import Answer, Budget, UnknownArchitectureError
from ngae.spaces.base import SearchSpace


class Table:
    """Answers for the architectures of a table, whatever the order of their nodes.

    Rows with the same architecture answer with the mean of their performances and complexities.

    Args:
        data: The table, or a data set (all its rows).
        budget: Queries allowed, or None for any number.
    """

    name = "table"

    def __init__(self, data: Records | Dataset, budget: int | None = None) -> None:
        table = data.table if isinstance(data, Dataset) else data
        self.space: SearchSpace = table.space
        self._table = table
        self._budget = Budget(budget)
        self._rows: dict[str, list[int]] = {}
        for row, digest in enumerate(table.hashes):
            self._rows.setdefault(digest, []).append(row)

    @property
    def queries(self) -> int:
        """Queries answered so far."""
        return self._budget.used

    def __contains__(self, dag: Dag) -> bool:
        return dag.canonical_hash in self._rows

    def query(self, dag: Dag) -> Answer:
        """Look `dag` up; the answer costs no time.

        Raises:
            UnknownArchitectureError: The table does not hold it; no query is spent.
            BudgetExhaustedError: No query is left.
        """
        rows = self._rows.get(dag.canonical_hash)
        if rows is None:
            raise UnknownArchitectureError(
                f"oracle table: expected one of the {len(self._rows)} architectures of "
                f"{self._table.name}, found {self._shown(dag)}",
                remedy="ask an oracle that evaluates, such as shared-weights or train",
            )
        self._budget.spend()
        values = self._table.complexity[rows].mean(axis=0)
        names = self._table.complexity_names
        return Answer(
            performance=float(np.mean(self._table.performance[rows])),
            complexity={name: float(value) for name, value in zip(names, values, strict=True)},
            cost_s=0.0,
            detail={"rows": float(len(rows))},
        )

    def _shown(self, dag: Dag) -> str:
        valid = self.space.is_valid(dag)
        return self.space.format(dag) if valid else f"a graph outside of {self.space.name}"
