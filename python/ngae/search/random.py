"""Uniform sampling of the space: what every other strategy is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ngae.dag import Dag
from ngae.search.base import Candidate, Trial
from ngae.search.problem import Problem

_STREAM = 0x72616E64


class RandomSearch:
    """Asks for uniform draws of the space: the bar that every strategy has to pass.

    Where only a table's rows can be asked, they are the space.

    Args:
        problem: What is looked for.
        seed: Seed of the draws.
    """

    def __init__(self, problem: Problem, seed: int = 0) -> None:
        self.problem = problem
        self._seen: set[str] = set()
        # A stream of its own: a table may have been drawn from the same seed, row by row.
        self._rng = np.random.default_rng([seed, _STREAM])
        self._rows = problem.askable.rows
        self._order = [] if self._rows is None else self._rng.permutation(len(self._rows)).tolist()

    def ask(self, count: int) -> list[Candidate]:
        """Draw up to `count` new architectures; fewer where the space has few left."""
        drawn: list[Candidate] = []
        for dag in self._draws(100 * count):
            key = self.problem.key(dag)
            if key is not None and key not in self._seen:
                self._seen.add(key)
                drawn.append(Candidate(dag, None, {}))
            if len(drawn) == count:
                break
        return drawn

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn nothing."""

    def _draws(self, limit: int) -> Iterator[Dag]:
        if self._rows is not None:
            while self._order:
                yield self._rows[self._order.pop()]
            return
        for _ in range(limit):
            yield self.problem.space.sample(self._rng)
