"""Local search: climbs by single changes, restarts where none is better (White et al. 2021).

Colin White, Sam Nolen, Yash Savani: Exploring the loss landscape in neural architecture search,
UAI 2021, arXiv:2005.02960, algorithm 1; the next better neighbour is taken, as in section 3.
"""

from __future__ import annotations

from collections.abc import Sequence

from ngae.dag import Dag
from ngae.search.base import Candidate, Trial
from ngae.search.config import LocalConfig
from ngae.search.neighbours import neighbours
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, best_known

_STREAM = 0x6C6F6361


class LocalSearch:
    """Asks for neighbours of the incumbent in random order until one is better.

    The incumbent is the best known row, or else the best of a few uniform draws. Where no neighbour
    is left to ask and none was better, it starts again from new draws. Of the answers of a round
    the best counts.

    Args:
        problem: What is looked for.
        seed: Seed of the draws.
        config: Settings.
    """

    def __init__(self, problem: Problem, seed: int = 0, config: LocalConfig | None = None) -> None:
        self.problem = problem
        self.config = config or LocalConfig()
        self._proposals = Proposals(problem, seed, _STREAM)
        self._incumbent: tuple[Dag, float] | None = None
        self._waiting: list[Dag] = []  # neighbours that were not asked for yet
        self._answered: list[tuple[Dag, float]] = []
        self._drawn = 0
        for dag, performance in best_known(problem, 1):
            self._move(dag, performance)

    @property
    def incumbent(self) -> Dag | None:
        """The architecture whose neighbours are asked for, or None before there is one."""
        return None if self._incumbent is None else self._incumbent[0]

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures, fewer where answers have to come first.

        None are proposed where nothing is left.
        """
        if self._incumbent is not None:
            found = self._neighbours(count)
            if found:
                return found
            self._incumbent, self._drawn = None, 0
        found = self._draws(count)
        if not found and self._answered:  # there is nothing to draw any more: climb from what is
            self._settle()
            found = self._neighbours(count)
        return found

    def tell(self, trials: Sequence[Trial]) -> None:
        """Move to the best answer where it is better, or, of the draws, when all are there."""
        score = self.problem.objective.score
        self._answered += [(trial.dag, score(trial.answer)) for trial in trials]
        if self._incumbent is not None or self._drawn >= self.config.draws:
            self._settle()

    def _settle(self) -> None:
        if self._answered:
            dag, value = max(self._answered, key=lambda pair: pair[1])
            if self._incumbent is None or value > self._incumbent[1]:
                self._move(dag, value)
        self._answered = []

    def _move(self, dag: Dag, value: float) -> None:
        around = neighbours(self.problem.space, dag)
        self._incumbent = (dag, value)
        self._waiting = [around[i] for i in self._proposals.rng.permutation(len(around))]

    def _neighbours(self, count: int) -> list[Candidate]:
        found: list[Candidate] = []
        while self._waiting and len(found) < count:
            candidate = self._proposals.new(self._waiting.pop())
            if candidate is not None:
                found.append(candidate)
        return found

    def _draws(self, count: int) -> list[Candidate]:
        if self._drawn >= self.config.draws:  # all of them failed
            self._drawn = 0
        found: list[Candidate] = []
        while self._drawn < self.config.draws and len(found) < count:
            candidate = self._proposals.sampled()
            self._drawn += 1 if candidate is not None else self.config.draws
            found += [] if candidate is None else [candidate]
        return found
