"""Regularised evolution: the population ages, the oldest leaves (Real et al. 2019).

Esteban Real, Alok Aggarwal, Yanping Huang, Quoc V. Le: Regularized evolution for image classifier
architecture search, AAAI 2019, arXiv:1802.01548, algorithm 1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ngae.dag import Dag
from ngae.search.base import Candidate, Trial
from ngae.search.config import EvolutionConfig
from ngae.search.neighbours import mutated
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, best_known, taken

_STREAM = 0x65766F6C


class EvolutionSearch:
    """Asks for mutants of the best of a few members of an ageing population.

    The population starts from the best known rows, the worst of them first to leave, and is filled
    with uniform draws. Each answer then enters it and the oldest member leaves, however good.

    Args:
        problem: What is looked for.
        seed: Seed of the draws.
        config: Settings.
    """

    def __init__(
        self, problem: Problem, seed: int = 0, config: EvolutionConfig | None = None
    ) -> None:
        self.problem = problem
        self.config = config or EvolutionConfig()
        self._proposals = Proposals(problem, seed, _STREAM)
        size = self.config.population
        self._population: deque[tuple[Dag, float]] = deque(best_known(problem, size), maxlen=size)
        self._to_draw = size - len(self._population)

    @property
    def population(self) -> tuple[Dag, ...]:
        """The members, oldest first."""
        return tuple(dag for dag, _ in self._population)

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures; fewer where the space has few left."""
        return taken(count, self._next)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Let each answer enter the population and the oldest member leave."""
        for trial in trials:
            self._population.append((trial.dag, self.problem.objective.score(trial.answer)))

    def _next(self) -> Candidate | None:
        if self._to_draw > 0 or not self._population:
            self._to_draw -= 1
            found = self._proposals.sampled()
            if found is not None or not self._population:
                return found
        return self._proposals.made(self._mutant)

    def _mutant(self) -> Dag | None:
        rng, size = self._proposals.rng, len(self._population)
        drawn = rng.choice(size, size=min(self.config.tournament, size), replace=False)
        parent, _ = max((self._population[i] for i in drawn), key=lambda member: member[1])
        return mutated(self.problem.space, parent, rng)
