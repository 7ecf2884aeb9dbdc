"""Who answers a query: one architecture in, what it achieves and costs out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ngae.dag import Dag
from ngae.errors import NgaeError


@dataclass(frozen=True)
class Answer:
    """What an oracle says of one architecture.

    Attributes:
        performance: Higher is better.
        complexity: Complexities by name; lower is better.
        cost_s: Seconds that the answer took.
        detail: Further measures by name.
    """

    performance: float
    complexity: Mapping[str, float]
    cost_s: float
    detail: Mapping[str, float] = field(default_factory=dict)


class BudgetExhaustedError(NgaeError):
    """An oracle was asked more often than its budget allows."""


class Oracle(Protocol):
    """Answers queries."""

    @property
    def name(self) -> str:
        """Short name, as on the command line."""

    def query(self, dag: Dag) -> Answer:
        """Answer for one architecture."""
