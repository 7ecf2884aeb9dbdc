"""`Table`: the oracle that looks answers up in a table of known architectures, computing none."""

from __future__ import annotations

import math
from collections.abc import Collection, Container

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data.records import Dataset
from ngae.data.records import Table as Records
from ngae.oracles.base import Answer, Budget, UnknownArchitectureError
from ngae.spaces.base import SearchSpace


class Table:
    """Answers for the architectures of a table, whatever the order of their nodes.

    Rows with the same architecture answer with the mean of their performances, complexities and
    reported columns. An architecture that is not in the table is answered by the representative of
    those that compute the same (`SearchSpace.canonical`), and one whose performance the table does
    not know fails.

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
    def identity(self) -> str:
        """The table, its performance column and the digits that tell it from others."""
        table = self._table
        return f"table, {table.name}, {table.performance_name}, {table.fingerprint}"

    @property
    def queries(self) -> int:
        """Queries answered so far."""
        return self._budget.used

    def __contains__(self, dag: Dag) -> bool:
        return self.key_of(dag) is not None

    def key_of(self, dag: Dag) -> str | None:
        """Return the canonical hash of the row that answers for `dag`, or None."""
        digest = dag.canonical_hash
        if digest in self._rows or not self.space.is_valid(dag):
            return digest if digest in self._rows else None
        digest = self.space.canonical(Dag(dag.node_types, dag.edges, self.space)).canonical_hash
        return digest if digest in self._rows else None

    @property
    def hashes(self) -> Collection[str]:
        """Canonical hashes of the table's architectures, each once."""
        return self._rows.keys()

    def distinct(self) -> Records:
        """Return the table with one row for each architecture: the mean of its rows."""
        rows = list(self._rows.values())
        if len(rows) == len(self._table):
            return self._table
        found = self._table.subset(np.array([group[0] for group in rows], dtype=np.int64))
        for place, group in enumerate(rows):
            found.performance[place] = _mean_of_known(self._table.performance[group])
            found.complexity[place] = self._table.complexity[group].mean(axis=0)
        return found

    def rows_beside(self, hashes: Container[str]) -> Dags:
        """Return the architectures of the table, each once, whose hash is not in `hashes`."""
        return self._table.dags.take(
            [rows[0] for digest, rows in self._rows.items() if digest not in hashes]
        )

    def query(self, dag: Dag) -> Answer:
        """Look `dag` up; the answer costs no time.

        Returns:
            The answer, `detail` with the number of rows and the means of the reported columns.

        Raises:
            UnknownArchitectureError: The table does not hold it; no query is spent.
            BudgetExhaustedError: No query is left.
        """
        key = self.key_of(dag)
        rows = [] if key is None else self._rows[key]
        if not rows:
            raise UnknownArchitectureError(
                f"oracle table: expected one of the {len(self._rows)} architectures of "
                f"{self._table.name}, found {self._shown(dag)}",
                remedy="ask an oracle that evaluates, such as shared-weights or train",
            )
        self._budget.spend()
        table = self._table
        values = table.complexity[rows].mean(axis=0)
        complexity = {
            name: float(value) for name, value in zip(table.complexity_names, values, strict=True)
        }
        detail = {"rows": float(len(rows))}
        detail |= {name: _mean_of_known(column[rows]) for name, column in table.reported.items()}
        performance = _mean_of_known(table.performance[rows])
        if math.isnan(performance):
            wanted = table.performance_name
            error = f"{table.name}: expected a value of {wanted}, found none in its rows"
            return Answer.failed(error, complexity, detail=detail)
        return Answer(performance, complexity, 0.0, detail)

    def _shown(self, dag: Dag) -> str:
        valid = self.space.is_valid(dag)
        return self.space.format(dag) if valid else f"a graph outside of {self.space.name}"


def _mean_of_known(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan
