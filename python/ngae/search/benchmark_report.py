"""What the searches of a benchmark come to: regret, success, hypervolume, by strategy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.errors import DataError
from ngae.search.benchmark_task import Ground, Line
from ngae.search.benchmarks import Benchmark
from ngae.search.hypervolume import hypervolume, hypervolume_curve
from ngae.search.measures import carried_on, query_of_success, simple_regret

MARKS = (48, 64, 128)  # queries after which success is told, beside the whole budget
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plane:
    """Performance and one complexity, both scaled to 0 to 1 over the rows that count.

    Attributes:
        name: The complexity.
        low: float64 (2,), what becomes 0: the lowest performance, the highest complexity negated.
        span: float64 (2,), the distance from there to what becomes 1.
        reference: float64 (2,), scaled, of the hypervolume.
        volume: The hypervolume of all rows that count.
    """

    name: str
    low: Values
    span: Values
    reference: Values
    volume: float

    @classmethod
    def of(cls, values: Values, benchmark: Benchmark) -> Plane:
        """Make the plane of `values` (num_rows, 2), all maximised, of the rows that count."""
        low = values.min(axis=0)
        span = np.ptp(values, axis=0)
        span[span == 0] = 1.0
        performance, complexity = benchmark.reference or (None, None)
        corner = [
            low[0] if performance is None else performance,
            low[1] if complexity is None else -complexity,
        ]
        reference = (np.array(corner) - low) / span
        volume = hypervolume((values - low) / span, reference)
        return cls(benchmark.down[0], low, span, reference, volume)

    def shares(self, lines: Sequence[Line]) -> Values:
        """Return the share of the best hypervolume after each query, (len(lines),)."""
        values = [
            [_number(line["performance"]), -_number(line["complexity"].get(self.name))]
            if line["kept"]
            else [math.nan, math.nan]
            for line in lines
        ]
        points = (np.array(values).reshape(-1, 2) - self.low) / self.span
        return hypervolume_curve(points, self.reference) / self.volume


@dataclass(frozen=True, eq=False)
class Possible:
    """What all rows of a table come to.

    Attributes:
        best: The best performance of the rows that count.
        worst: The worst one: what a search has before it found anything.
        plane: Where there are two objectives and rows above the reference; else None.
    """

    best: float
    worst: float
    plane: Plane | None

    @classmethod
    def of(cls, ground: Ground) -> Possible:
        """Ask the table about all its rows.

        Raises:
            DataError: None of them counts.
        """
        rows = ground.problem.askable.rows
        answers = [] if rows is None else [ground.oracle.query(dag) for dag in rows]
        counting = [answer for answer in answers if ground.counts(answer)]
        if not counting:
            raise DataError(
                f"{ground.table.name}: expected rows with a performance that keep the limits of "
                f"{ground.benchmark.name}, found none"
            )
        values = ground.problem.objective.values(counting)
        plane = Plane.of(values, ground.benchmark) if values.shape[1] == 2 else None
        performance = values[:, 0]
        useful = plane is not None and plane.volume > 0
        return cls(float(performance.max()), float(performance.min()), plane if useful else None)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the searches of one strategy come to.

    Attributes:
        regrets: (num_seeds, budget), simple regret after each query.
        shares: (num_seeds, budget), share of the best hypervolume, or None.
        successes: For each seed the query that found the best, or None.
        reported: What is reported of each seed's best, where it is known.
        seconds: Mean seconds for the proposal of one query.
    """

    regrets: Values
    shares: Values | None
    successes: tuple[int | None, ...]
    reported: tuple[float, ...]
    seconds: float

    @classmethod
    def of(cls, searches: Sequence[Sequence[Line]], possible: Possible, budget: int) -> Outcome:
        """Measure searches (at least one, each of at least one query); a short one is carried on.

        Args:
            searches: Lines of each seed.
            possible: What the table comes to.
            budget: Length of the curves.
        """
        values = [_performances(lines) for lines in searches]
        regrets = [simple_regret(v, possible.best, possible.worst) for v in values]
        plane = possible.plane
        shares = None if plane is None else [plane.shares(lines) for lines in searches]
        reported = map(_reported_of_best, searches)
        return cls(
            _stacked(regrets, budget),
            None if shares is None else _stacked(shares, budget),
            tuple(query_of_success(v, possible.best) for v in values),
            tuple(value for value in reported if value is not None),
            statistics.fmean(line["model_seconds"] for lines in searches for line in lines),
        )

    def success(self, queries: int) -> float:
        """Share of the seeds that found the best within so many queries."""
        found = [number for number in self.successes if number is not None and number <= queries]
        return len(found) / len(self.successes)

    @property
    def median_queries(self) -> float | None:
        """Median over seeds of the queries to the best; None where half of them did not find it."""
        median = statistics.median(math.inf if s is None else s for s in self.successes)
        return median if math.isfinite(median) else None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as they stand in the result file."""
        budget = self.regrets.shape[1]
        marks = [*(mark for mark in MARKS if mark < budget), budget]
        return {
            "regret": _moments(self.regrets[:, -1]),
            "success": {str(mark): self.success(mark) for mark in marks},
            "median_queries_to_optimum": self.median_queries,
            "hypervolume": None if self.shares is None else _moments(self.shares[:, -1]),
            "reported": _moments(np.array(self.reported)) if self.reported else None,
            "model_seconds_per_query": self.seconds,
            "seeds": len(self.regrets),
        }


def _performances(lines: Sequence[Line]) -> Values:
    """Performance of each query that counts, else NaN."""
    return np.array([_number(line["performance"]) if line["kept"] else math.nan for line in lines])


def _reported_of_best(lines: Sequence[Line]) -> float | None:
    """The first reported column of the best performance, of equal ones the first."""
    kept = [line for line in lines if line["kept"]]
    best = max(kept, key=lambda line: line["performance"], default=None)
    if best is None or not best["reported"]:
        return None
    value: float | None = next(iter(best["reported"].values()))
    return value


def _stacked(curves: Sequence[Values], length: int) -> Values:
    return np.stack([carried_on(curve, length) for curve in curves])


def _moments(values: Values) -> dict[str, float]:
    """Mean and standard deviation over seeds (of a sample; 0 for one seed)."""
    std = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(values.mean()), "std": std}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
