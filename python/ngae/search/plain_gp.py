"""A Gaussian process with expected improvement on hand-made features, without a model."""

from __future__ import annotations

from functools import cached_property

from ngae.dag import Dag
from ngae.search.config import GPConfig
from ngae.search.description import Describer
from ngae.search.enumeration import members
from ngae.search.front import FrontFit
from ngae.search.improvement import WHOLE, ImprovementSearch, Pool
from ngae.search.judging import Fit
from ngae.search.neighbours import mutated
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals

_STREAM = 0x67700000
_DRAWN = 1000  # uniform draws of a larger space
_PARENTS, _MUTANTS = 10, 50  # best architectures, and mutants of each


class GPSearch(ImprovementSearch):
    """Asks for the greatest expected improvement by the features of `graph_features` alone.

    Candidates are all architectures that can be asked, where these are 50,000 or fewer: the rows
    of a table, or the members of the space. Else they are uniform draws and mutants of the best.

    Args:
        problem: What is looked for; known rows count as labels.
        seed: Seed of the draws.
        config: Settings.
    """

    def __init__(self, problem: Problem, seed: int = 0, config: GPConfig | None = None) -> None:
        self.config = config = config or GPConfig()
        proposals = Proposals(problem, seed, _STREAM)
        super().__init__(proposals, Describer(problem.space), config.initial, config.aim)

    def _pool(self, fit: Fit | FrontFit) -> Pool:
        if self._whole is None:
            return self._new(self._sampled())
        return self._unasked(self._whole)

    @cached_property
    def _whole(self) -> Pool | None:
        """Everything that is worth asking; None where that is too much."""
        if self.problem.askable.rows is not None:
            return self._table
        found = members(self.problem.space, WHOLE)
        return None if found is None else self._new(list(found.values()))

    def _sampled(self) -> list[Dag]:
        space, rng, rows = self.problem.space, self._proposals.rng, self.problem.askable.rows
        if rows is None:
            found = [space.sample(rng) for _ in range(_DRAWN)]
        else:
            found = list(rows.take(rng.permutation(len(rows))[:_DRAWN]))
        for parent in self._labels.best(_PARENTS):
            made = (mutated(space, parent.dag, rng) for _ in range(_MUTANTS))
            found += [dag for dag in made if dag is not None]
        return found
