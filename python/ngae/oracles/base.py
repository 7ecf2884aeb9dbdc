"""Who answers a query: one architecture in, what it achieves and costs out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ngae.dag import Dag
from ngae.errors import NgaeError, UsageError
from ngae.spaces.base import SearchSpace


@dataclass(frozen=True)
class Answer:
    """What an oracle says of one architecture.

    Attributes:
        performance: Higher is better.
        complexity: Complexities by name; lower is better.
        cost_s: Seconds that the answer took; 0 where it was looked up.
        detail: Further measures by name.
    """

    performance: float
    complexity: Mapping[str, float]
    cost_s: float
    detail: Mapping[str, float] = field(default_factory=dict)


class BudgetExhaustedError(NgaeError):
    """An oracle was asked more often than its budget allows."""


class UnknownArchitectureError(NgaeError):
    """An oracle that only looks up was asked about an architecture that it does not hold."""


class Budget:
    """Counts the queries of one oracle; a repeated architecture counts again.

    Args:
        limit: Queries allowed, or None for any number.
    """

    def __init__(self, limit: int | None = None) -> None:
        if limit is not None and limit < 1:
            raise UsageError(f"Budget: limit: expected at least 1, found {limit}")
        self.limit = limit
        self.used = 0

    def spend(self) -> None:
        """Count one query.

        Raises:
            BudgetExhaustedError: None is left; nothing is counted.
        """
        if self.used == self.limit:
            raise BudgetExhaustedError(
                f"oracle: expected at most {self.limit} queries, found one more",
                remedy="raise the budget",
            )
        self.used += 1


class Oracle(Protocol):
    """Answers queries within a budget of its own."""

    @property
    def name(self) -> str:
        """Short name, as on the command line."""

    @property
    def space(self) -> SearchSpace:
        """The search space whose architectures it answers for."""

    @property
    def queries(self) -> int:
        """Queries answered so far."""

    def query(self, dag: Dag) -> Answer:
        """Answer for one architecture.

        Raises:
            GraphError: The architecture is not in the space; no query is spent.
            BudgetExhaustedError: No query is left.
        """


def complexity_of(space: SearchSpace, dag: Dag) -> dict[str, float]:
    """Compute the exact complexities of `dag`, by name."""
    values = space.complexity([dag])[0]
    return {name: float(v) for name, v in zip(space.complexity_names, values, strict=True)}
