"""NSGA-II: evolution for several objectives by non-domination and crowding (Deb et al. 2002).

Kalyanmoy Deb, Amrit Pratap, Sameer Agarwal, T. Meyarivan: A fast and elitist multiobjective
genetic algorithm: NSGA-II, IEEE Transactions on Evolutionary Computation 6(2), 2002.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.search.base import Candidate, Trial
from ngae.search.config import NSGA2Config
from ngae.search.neighbours import crossed, mutated
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, known_values, taken

_STREAM = 0x6E736761


class NSGA2Search:
    """Asks for children of members that few others dominate or crowd.

    Objectives are those of the problem: the performance and what it wants down. The population
    starts from the best known rows and is filled with uniform draws. After each round the answers
    join it and the best by rank, then crowding distance, stay; rounds as large as the population
    give the published form.

    Args:
        problem: What is looked for.
        seed: Seed of the draws.
        config: Settings.
    """

    def __init__(self, problem: Problem, seed: int = 0, config: NSGA2Config | None = None) -> None:
        self.problem = problem
        self.config = config or NSGA2Config()
        self._proposals = Proposals(problem, seed, _STREAM)
        rows, values = known_values(problem)
        values = _without_nan(values)
        kept = survivors(values, self.config.population)
        self._dags, self._values = (
            [problem.known.dags[int(row)] for row in rows[kept]],
            values[kept],
        )
        self._to_draw = self.config.population - len(kept)
        self._rank, self._crowding = _fitness(self._values)

    @property
    def population(self) -> tuple[Dag, ...]:
        """The members, best first by rank and crowding distance."""
        return tuple(self._dags)

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures; fewer where the space has few left."""
        return taken(count, self._next)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Let the answers join the population, and keep its best."""
        objective = self.problem.objective
        values = _without_nan(objective.values([trial.answer for trial in trials]))
        values[[not objective.counts(trial.answer) for trial in trials]] = -np.inf
        dags = self._dags + [trial.dag for trial in trials]
        values = np.concatenate([self._values, values])
        kept = survivors(values, self.config.population)
        self._dags, self._values = [dags[i] for i in kept], values[kept]
        self._rank, self._crowding = _fitness(self._values)

    def _next(self) -> Candidate | None:
        if self._to_draw > 0 or not self._dags:
            self._to_draw -= 1
            found = self._proposals.sampled()
            if found is not None or not self._dags:
                return found
        return self._proposals.made(self._child)

    def _child(self) -> Dag | None:
        rng, space = self._proposals.rng, self.problem.space
        first = self._parent()
        child = None
        if rng.random() < self.config.crossover_rate:
            child = crossed(space, first, self._parent(), rng)
        if child is None or child == first or rng.random() < self.config.mutation_rate:
            return mutated(space, child or first, rng)
        return child

    def _parent(self) -> Dag:
        """The better of two members: of lower rank, and of equal rank the less crowded."""
        pair: list[int] = self._proposals.rng.integers(len(self._dags), size=2).tolist()
        return self._dags[min(pair, key=lambda i: (self._rank[i], -self._crowding[i]))]


def non_dominated_sort(
    values: NDArray[np.float64], enough: int | None = None
) -> list[NDArray[np.int64]]:
    """Split points into fronts: the first is dominated by none, the next by the first alone.

    A point is dominated by one that is at least as good in all objectives and better in one; of
    equal points neither is.

    Args:
        values: (num_points, num_objectives), higher is better.
        enough: Stop when the fronts hold so many points; None: all.

    Returns:
        For each front the int64 numbers of its points, ascending.
    """
    left = np.lexsort(-values.T[::-1]) if len(values) else np.zeros(0, dtype=np.int64)
    fronts: list[NDArray[np.int64]] = []
    wanted = len(values) if enough is None else min(enough, len(values))
    while sum(map(len, fronts)) < wanted:
        front, rest = _first_front(values, left)
        fronts.append(np.sort(front))
        left = rest
    return fronts


def _first_front(
    values: NDArray[np.float64], left: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split `left`, in descending order of the objectives, into its first front and the rest.

    Nothing dominates the first in that order.
    """
    front, dominated = [], [left[:0]]
    while len(left):
        best, left = left[0], left[1:]
        front.append(best)
        below = (values[left] <= values[best]).all(axis=1) & (values[left] < values[best]).any(
            axis=1
        )
        dominated.append(left[below])
        left = left[~below]
    rest = np.concatenate(dominated)
    return np.array(front, dtype=np.int64), rest[np.lexsort(-values[rest].T[::-1])]


def crowding_distance(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure how far the neighbours of each point of a front are, objective by objective.

    Args:
        values: (num_points, num_objectives).

    Returns:
        float64 (num_points,): over the objectives, the sum of the distance between the next lower
        and the next higher value, in units of the range; infinite at either end.
    """
    distance = np.zeros(len(values))
    for column in values.T:
        if not np.isfinite(column).all():
            continue
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        spread = float(ordered[-1] - ordered[0]) if len(values) else 0.0
        distance[order[:1]] = distance[order[-1:]] = np.inf
        if spread > 0:
            distance[order[1:-1]] += (ordered[2:] - ordered[:-2]) / spread
    return distance


def survivors(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Choose `count` points: whole fronts, of the last one the least crowded.

    Args:
        values: (num_points, num_objectives), higher is better.
        count: How many are wanted; all where there are fewer.

    Returns:
        int64 numbers of the points, by front, then by descending crowding distance.
    """
    chosen = [np.zeros(0, dtype=np.int64)]
    for front in non_dominated_sort(values, count):
        chosen.append(front[np.argsort(-crowding_distance(values[front]), kind="stable")])
    return np.concatenate(chosen)[:count]


def _fitness(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Number of the front and crowding distance of each point."""
    rank = np.zeros(len(values), dtype=np.int64)
    crowding = np.zeros(len(values))
    for number, front in enumerate(non_dominated_sort(values)):
        rank[front], crowding[front] = number, crowding_distance(values[front])
    return rank, crowding


def _without_nan(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is not known counts as the worst."""
    return np.where(np.isnan(values), -np.inf, values)
