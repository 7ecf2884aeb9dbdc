"""Gradient search with a Gaussian process that learns from every answer.

Each round fits the process to all answers, climbs its upper confidence bound in the latent space,
decodes, adds neighbours of the best, describes every candidate anew (its own encoding, and what can
be computed of it) and asks about those of the greatest expected improvement. Of a table that holds
little of its space most of these could not be asked: there all rows are candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ngae.dag import Dag
from ngae.search.base import Candidate, LatentModel, Trial
from ngae.search.climb import climb
from ngae.search.config import GradientConfig
from ngae.search.description import LatentDescriber
from ngae.search.front import FrontFit
from ngae.search.gaussian_process import Kernel
from ngae.search.gradient import GradientSearch, predicts_performance
from ngae.search.improvement import ImprovementSearch, Pool
from ngae.search.judging import Fit
from ngae.search.labels import Label
from ngae.search.neighbours import some_neighbours
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals
from ngae.transfer import transfer

_STREAM = 0x73757267
_KEPT = 3  # points of an ascent that are decoded
_PARENTS = 8  # best architectures whose neighbours are candidates
_FRONT = 16  # likewise of the front, where one is wanted
_AROUND = 64  # most neighbours of one of these in a round
_CLIMBS = 3  # times that neighbours of the most promising candidates are added
_DRAWS = 64  # of the space, of which most can be asked or most cannot
_MANY = 1000  # known rows from which on trained predictors are climbed, too


class SurrogateSearch(ImprovementSearch):
    """Asks for what a Gaussian process expects to improve most.

    Args:
        model: Encoder and decoder. Where it has learned the performances of a thousand rows or
            more, its predictors are climbed, too.
        problem: What is looked for; known rows count as labels.
        seed: Seed of all draws.
        config: Settings.
    """

    def __init__(
        self,
        model: LatentModel,
        problem: Problem,
        seed: int = 0,
        config: GradientConfig | None = None,
    ) -> None:
        self.model, self.seed = model, seed
        self.config = config = config or GradientConfig()
        self._latent = LatentDescriber(model, problem.space)
        proposals = Proposals(problem, seed, _STREAM)
        super().__init__(proposals, self._latent, config.initial, config.aim, config.weight)
        self._first: list[Candidate] | None = None
        self._rounds = 0
        self._trained = self._predictors()

    def _predictors(self) -> GradientSearch | None:
        if self._labels.count < _MANY or not predicts_performance(self.model, self.problem.known):
            return None
        return GradientSearch(self.model, self.problem, self.seed, self.config)

    def ask(self, count: int) -> list[Candidate]:
        """Propose up to `count` new architectures: random ones first, then the most promising."""
        return self._predicted(super().ask(count))

    def _drawn(self, count: int, missing: int) -> list[Candidate]:
        """Draw costly ones, where cost may be spent."""
        if self._first is None:
            self._first = self._proposals.costliest(missing) if self._free_of_cost() else []
        found, self._first = self._first[:count], self._first[count:]
        return found + super()._drawn(count - len(found), missing)

    def _free_of_cost(self) -> bool:
        """Whether complexity matters by limits alone, on what the space computes."""
        names = self.problem.space.complexity_names
        limits = [limit.name for limit in self.problem.objective.limits]
        weighed = self.config.aim == "front" or self.config.weight > 0
        return bool(names) and not weighed and set(limits) <= set(names)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn answers."""
        super().tell(trials)
        if self._trained is not None:
            self._trained.tell(trials)

    def _pool(self, fit: Fit | FrontFit) -> Pool:
        self._rounds += 1
        if self._sparse and self._table is not None:
            return self._unasked(self._table)
        return self._climbed(fit, self._gathered(fit))

    @cached_property
    def _sparse(self) -> bool:
        """Whether most of the space cannot be asked: nor most decodings and neighbours, then."""
        rng = np.random.default_rng([self.seed, _STREAM, 1])
        draws = [self.problem.space.sample(rng) for _ in range(_DRAWS)]
        return sum(self.problem.askable.key(dag) is None for dag in draws) > _DRAWS // 2

    def _climbed(self, fit: Fit | FrontFit, pool: Pool) -> Pool:
        """Add the neighbours of the most promising candidates, some times over."""
        parents: set[str] = set()
        for _ in range(_CLIMBS if pool else 0):
            gain, keys = self._judged(fit, pool).gain, list(pool)
            order = [keys[row] for row in np.argsort(-gain, kind="stable")]
            best = [key for key in order if key not in parents][:_PARENTS]
            parents |= set(best)
            made = [dag for key in best for dag in self._around(pool[key])]
            pool = {**pool, **self._new(made)}
        return pool

    def _predicted(self, candidates: list[Candidate]) -> list[Candidate]:
        """Add what trained predictors say, for people to compare."""
        if self._trained is None or not candidates:
            return candidates
        return self._trained.predicted([candidate.dag for candidate in candidates])

    def _gathered(self, fit: Fit | FrontFit) -> Pool:
        """Candidates by canonical hash: ends of ascents, neighbours of the best, prior draws."""
        points = torch.cat([self._ascended(fit), self._prior(self.config.num_starts // 2)])
        (points,) = transfer([points], self._latent.device)
        if self._trained is not None:
            points = torch.cat([points, self._trained.climbed()])
        found = self.model.decode(points, seed=self.seed + self._rounds)
        for parent in self._parents():
            found += self._around(parent.dag)
        return self._new([*found, *self._rows()])

    def _around(self, dag: Dag) -> list[Dag]:
        return some_neighbours(self.problem.space, dag, _AROUND, self._proposals.rng)

    def _parents(self) -> list[Label]:
        """Labels whose neighbours are candidates: of the best performance, and of the front."""
        best = self._labels.best(_PARENTS)
        return best if self._objectives == 1 else [*self._labels.front(_FRONT), *best]

    def _rows(self) -> Sequence[Dag]:
        """Some of the rows, where only a table's rows can be asked: few decodings may be in it."""
        rows = self.problem.askable.rows
        if rows is None:
            return ()
        return rows.take(self._proposals.rng.permutation(len(rows))[: self.config.num_starts])

    def _ascended(self, fit: Fit | FrontFit) -> Tensor:
        """Points on ascents of the upper confidence bound on `z` alone."""
        z = fit.groups["z"]
        process = self._process("z", Kernel(("z",)), {"z": z}, fit.targets)
        width, starts = z.shape[1], self.config.num_starts
        begin = self._proposals.rng.standard_normal((starts, width))
        if self.config.starts == "best":
            order = np.argsort(-fit.targets, kind="stable")[: max(4, len(fit.targets) // 4)]
            begin = z[np.resize(order, starts)] + 0.3 * begin
        path = climb(process, begin, self.config.steps, self.config.step_size, 1.0, _KEPT)
        return torch.from_numpy(self._latent.unscaled_z(path.reshape(-1, width)))

    def _prior(self, count: int) -> Tensor:
        width = self._latent.width
        draws = self._proposals.rng.standard_normal((count, width), dtype=np.float32)
        return torch.from_numpy(draws)
