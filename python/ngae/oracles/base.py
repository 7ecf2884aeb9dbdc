"""Who answers a query: one architecture in, what it achieves and costs out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ngae.dag import Dag
from ngae.errors import NgaeError, UsageError
from ngae.files import without_folder
from ngae.spaces.base import SearchSpace


@dataclass(frozen=True)
class Answer:
    """What an oracle says of one architecture; only performance and complexity guide a search.

    Attributes:
        performance: Higher is better; measured on validation data, never on test data. NaN where
            the evaluation failed.
        complexity: Complexities by name; lower is better.
        cost_s: Seconds that the answer took; 0 where it was looked up.
        detail: What is reported beside it by name, such as the accuracy on test data.
        status: "ok", or "failed" where there is no performance.
        error: Why it failed.

    Raises:
        UsageError: A status of another name, or a failed answer with a performance.
    """

    performance: float
    complexity: Mapping[str, float]
    cost_s: float
    detail: Mapping[str, float] = field(default_factory=dict)
    status: Literal["ok", "failed"] = "ok"
    error: str = ""

    def __post_init__(self) -> None:
        if self.status not in ("ok", "failed"):
            raise UsageError(f"Answer: status: expected ok or failed, found {self.status!r}")
        if self.status == "failed" and not math.isnan(self.performance):
            raise UsageError(
                f"Answer: performance: expected NaN of a failed one, found {self.performance}"
            )

    @property
    def ok(self) -> bool:
        """Whether there is a performance."""
        return self.status == "ok"

    @classmethod
    def failed(
        cls,
        error: str,
        complexity: Mapping[str, float] | None = None,
        cost_s: float = 0.0,
        detail: Mapping[str, float] | None = None,
    ) -> Answer:
        """Make the answer of an evaluation that failed."""
        return cls(math.nan, complexity or {}, cost_s, detail or {}, "failed", error)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "performance": self.performance,
            "complexity": dict(self.complexity),
            "cost_s": self.cost_s,
            "detail": dict(self.detail),
            "status": self.status,
            "error": self.error,
        }


class EvaluationError(NgaeError):
    """An evaluation that ended without an answer; the same architecture would fail again."""

    several_lines = True  # the end of what a program said


class ExecutorError(NgaeError):
    """Nobody is left who evaluates; what was under way may be asked again."""


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
            TrainingError, EvaluationError: The evaluation failed; the query is spent. `Recorded`
                and `Parallel` make failed answers of them.
        """


def identity_of(oracle: Oracle) -> str:
    """Say in one line who answers: two oracles with one identity give the same answers."""
    return str(getattr(oracle, "identity", f"{oracle.name}, {without_folder(oracle.space.name)}"))


def complexity_of(space: SearchSpace, dag: Dag) -> dict[str, float]:
    """Compute the exact complexities of `dag`, by name."""
    values = space.complexity([dag])[0]
    return {name: float(v) for name, v in zip(space.complexity_names, values, strict=True)}
