"""What strategies without a model share: proposals that are new, and rows to start from."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.search.base import Candidate
from ngae.search.problem import Problem

_MADE, _SAMPLED = 200, 1000  # tries for one proposal


class Proposals:
    """Keeps what was proposed, so that each proposal is new, distinct and worth asking.

    Args:
        problem: What is looked for.
        seed: Seed of `rng`, the one source of randomness of a strategy.
        stream: Number of the strategy; each has random numbers of its own.
    """

    def __init__(self, problem: Problem, seed: int, stream: int) -> None:
        self.problem = problem
        # A stream of its own: a table may have been drawn from the same seed, row by row.
        self.rng = np.random.default_rng([seed, stream])
        self._seen: dict[str, int | None] = {}  # key to number of the row that was drawn
        self._rows = problem.askable.rows
        self._order = [] if self._rows is None else self.rng.permutation(len(self._rows)).tolist()

    def is_new(self, dag: Dag) -> bool:
        """Whether `new` would propose `dag`."""
        key = self.problem.key(dag)
        return key is not None and key not in self._seen

    def first_new(self, dags: Iterable[Dag], count: int) -> list[Candidate]:
        """Propose the first `count` of `dags` that are new; fewer where there are no more."""
        found = (self.new(dag) for dag in dags)
        return taken(count, lambda: next((c for c in found if c is not None), None))

    def new(self, dag: Dag, row: int | None = None) -> Candidate | None:
        """Propose `dag`; None where it was proposed before or is not worth asking.

        Args:
            dag: The architecture.
            row: Its number, where it was drawn from the rows.
        """
        key = self.problem.key(dag)
        if key is None or key in self._seen:
            return None
        self._seen[key] = row
        return Candidate(dag, None, {})

    def sampled(self) -> Candidate | None:
        """Propose a uniform draw: of the space, or of the rows where only those can be asked.

        Returns:
            None where no row is left, or 1,000 draws of the space gave nothing new.
        """
        if self._rows is not None:
            while self._order:
                row = self._order.pop()
                found = self.new(self._rows[row], row)
                if found is not None:
                    return found
            return None
        draws = (self.new(self.problem.space.sample(self.rng)) for _ in range(_SAMPLED))
        return next((found for found in draws if found is not None), None)

    def costliest(self, count: int) -> list[Candidate]:
        """Propose the costlier half of twice as many uniform draws, in the order of drawing.

        What costs more tends to perform better, and exact complexities can be had without asking.
        """
        drawn = taken(2 * count, self.sampled)
        if not drawn:
            return []
        costs = self.problem.space.complexity(Dags.of([c.dag for c in drawn]))[:, 0]
        kept = set(np.argsort(-costs, kind="stable")[:count].tolist())
        for left in (c for i, c in enumerate(drawn) if i not in kept):
            self._put_back(left.dag)
        return [candidate for i, candidate in enumerate(drawn) if i in kept]

    def _put_back(self, dag: Dag) -> None:
        """Let a draw that was not used be drawn again, after all others."""
        row = self._seen.pop(self.problem.key(dag) or "", None)
        if row is not None:
            self._order.insert(0, row)

    def made(self, make: Callable[[], Dag | None]) -> Candidate | None:
        """Propose what `make` gives, called until that is new; after 200 calls a uniform draw.

        Where only some architectures can be asked, most of what `make` gives may be none of them.
        """
        for _ in range(_MADE):
            dag = make()
            found = None if dag is None else self.new(dag)
            if found is not None:
                return found
        return self.sampled()


def taken(count: int, propose: Callable[[], Candidate | None]) -> list[Candidate]:
    """Take up to `count` proposals; fewer where there are no more."""
    found: list[Candidate] = []
    while len(found) < count and (candidate := propose()) is not None:
        found.append(candidate)
    return found


def known_values(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rows of known performance that keep the limits.

    Returns:
        int64 row numbers of `problem.known`; float64 (num_rows, num_objectives) what is maximised,
        as from `Objective.values`.
    """
    known, objective = problem.known, problem.objective
    names = known.complexity_names
    usable = ~np.isnan(known.performance)
    if usable.any():
        usable[usable] = problem.within_limits(known.dags.take(usable))
    for limit in objective.limits:
        if limit.name in names:
            usable &= known.complexity[:, names.index(limit.name)] <= limit.most
        else:
            usable &= limit.name in problem.space.complexity_names
    rows = np.flatnonzero(usable)
    columns = [known.performance] + [
        -known.complexity[:, names.index(name)] if name in names else np.full(len(known), np.nan)
        for name in objective.down
    ]
    return rows, np.stack(columns, axis=1)[rows]


def best_known(problem: Problem, count: int) -> list[tuple[Dag, float]]:
    """Return up to `count` known rows that keep the limits, with their performance, best last."""
    rows, values = known_values(problem)
    best = np.argsort(values[:, 0], kind="stable")[-count:]
    return [(problem.known.dags[int(rows[i])], float(values[i, 0])) for i in best]
