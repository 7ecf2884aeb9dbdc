"""How a search stands after each query: incumbent, simple regret, hypervolume, time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ngae.oracles.base import Answer, Oracle
from ngae.oracles.table import Table
from ngae.search.base import Trial
from ngae.search.hypervolume import hypervolume
from ngae.search.problem import Problem
from ngae.search.proposals import known_values
from ngae.search.result import Seconds

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """How a search stands after a query.

    Attributes:
        trial: The query.
        best: The best one so far, as `SearchResult.best`.
        queries: Number of queries so far.
        regret: By how much the best falls short of the best that can be asked; None where nobody
            knows that, or nothing of use was found.
        hypervolume: See `Standings`; None for one objective.
        seconds: Where the time went.
    """

    trial: Trial
    best: Trial
    queries: int
    regret: float | None
    hypervolume: float | None
    seconds: Seconds

    @property
    def text(self) -> str:
        """The figures in a few words."""
        parts = [f"best {self.best.answer.performance:.6g}"]
        if self.regret is not None:
            parts.append(f"regret {self.regret:.4g}")
        if self.hypervolume is not None:
            parts.append(f"hypervolume {self.hypervolume:.4f}")
        model, oracle = self.seconds.model, self.seconds.oracle
        return ", ".join([*parts, f"model {model:.1f} s, oracle {oracle:.1f} s"])


class Standings:
    """Measures a search after each query.

    Where a table answers, the hypervolume is that of the useful answers as a share of that of all
    rows that can be asked, both scaled to 0 to 1 over these rows, the worst of both objectives the
    reference. Elsewhere nobody knows what is possible: the scale is that of the known rows and of
    the answers so far, and the hypervolume is its part of the box between worst and best.

    Args:
        problem: What is looked for.
        oracle: Who answers, perhaps within others.
    """

    def __init__(self, problem: Problem, oracle: Oracle) -> None:
        self.problem = problem
        possible = possible_values(problem, oracle)
        self._most = float(possible[:, 0].max()) if possible is not None and len(possible) else None
        self._box = None if possible is None else _Box.of(possible)
        self._whole = 1.0 if self._box is None else self._box.share(self._box.inside)
        self._known = known_values(problem)[1]
        self._found: list[Answer] = []
        self._best: Trial | None = None
        self._queries = 0

    def after(self, trial: Trial, seconds: Seconds) -> Standing:
        """Count one more query."""
        self._queries += 1
        if self._best is None or self._rank(trial) > self._rank(self._best):
            self._best = trial
        if self.problem.objective.counts(trial.answer):
            self._found.append(trial.answer)
        return Standing(
            trial, self._best, self._queries, self._regret(), self._hypervolume(), seconds
        )

    def _rank(self, trial: Trial) -> tuple[bool, bool, float]:
        answer = trial.answer
        performance = answer.performance if answer.ok else -math.inf
        return self.problem.objective.counts(answer), answer.ok, performance

    def _regret(self) -> float | None:
        if self._most is None or not self._found:
            return None
        return self._most - max(answer.performance for answer in self._found)

    def _hypervolume(self) -> float | None:
        if not self.problem.objective.down:
            return None
        found = self.problem.objective.values(self._found)
        box = self._box or _Box.of(np.vstack([self._known, found]))
        return box.share(found) / self._whole if self._whole else 0.0


@dataclass(frozen=True, eq=False)
class _Box:
    """The box from the worst to the best of some points in each objective.

    Attributes:
        inside: float64 (num_points, num_objectives), the points, all maximised, without NaN.
        low: float64 (num_objectives,), the worst.
        span: float64 (num_objectives,), from there to the best; 1 where there is no distance.
    """

    inside: Values
    low: Values
    span: Values

    @classmethod
    def of(cls, points: Values) -> _Box:
        inside = points[~np.isnan(points).any(axis=1)]
        if not len(inside):
            return cls(inside, np.zeros(points.shape[1]), np.ones(points.shape[1]))
        span = np.ptp(inside, axis=0)
        span[span == 0] = 1.0
        return cls(inside, inside.min(axis=0), span)

    def share(self, points: Values) -> float:
        """Hypervolume of points above the worst corner, as a share of the box."""
        return hypervolume((points - self.low) / self.span, np.zeros(len(self.low)))


def possible_values(problem: Problem, oracle: Oracle) -> Values | None:
    """Return what is maximised of all that can be asked and counts, where a table answers.

    Returns:
        float64 (num_rows, num_objectives), or None where anything can be asked.
    """
    while not isinstance(oracle, Table) and hasattr(oracle, "oracle"):
        oracle = oracle.oracle
    if not isinstance(oracle, Table):
        return None
    table, objective = oracle.distinct(), problem.objective
    keys = (None if digest in problem.failed else digest for digest in table.hashes)
    known = set(problem.known.hashes)
    usable = np.array([key is not None and key not in known for key in keys], dtype=np.bool_)
    rows = table.subset(np.flatnonzero(usable & ~np.isnan(table.performance)))
    _, values = known_values(Problem(problem.space, rows, objective=objective))
    return values
