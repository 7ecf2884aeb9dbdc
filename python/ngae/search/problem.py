"""What a search is about: the space, what is known, what may be asked, what is better."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data import Table
from ngae.oracles.asking import ANYTHING, Askable
from ngae.oracles.base import Answer
from ngae.search.limits import Limit
from ngae.spaces.base import SearchSpace


@dataclass(frozen=True)
class Objective:
    """What is better: performance up, complexities down, within limits.

    Attributes:
        down: Complexities that count beside the performance; none: the performance alone.
        limits: What an architecture has to keep to be of use.
        floor: Performance below which it is of no use.
    """

    down: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    floor: float = -np.inf

    def keeps(self, complexity: Mapping[str, float]) -> bool:
        """Whether all limits are kept; one on what is not told is not."""
        return all(complexity.get(k.name, np.inf) <= k.most for k in self.limits)

    def counts(self, answer: Answer) -> bool:
        """Whether an answer has a performance, reaches the floor and keeps the limits."""
        return answer.ok and answer.performance >= self.floor and self.keeps(answer.complexity)

    def score(self, answer: Answer) -> float:
        """Return the performance, minus infinity where the answer does not count."""
        return answer.performance if self.counts(answer) else -np.inf

    def values(self, answers: Sequence[Answer]) -> NDArray[np.float64]:
        """Return what is maximised, NaN where it is not known.

        Returns:
            float64 (len(answers), 1 + len(down)): the performance, then each complexity negated.
        """
        rows = [
            [a.performance, *(-a.complexity.get(name, np.nan) for name in self.down)]
            for a in answers
        ]
        return np.array(rows, dtype=np.float64).reshape(len(rows), 1 + len(self.down))


@dataclass(frozen=True)
class Problem:
    """What a search is about.

    Attributes:
        space: Where architectures are looked for.
        known: Rows of known performance that the search starts from; may be empty.
        askable: What may be asked.
        objective: What is better.
        failed: Canonical hashes that are not asked though nothing is known of them.
    """

    space: SearchSpace
    known: Table
    askable: Askable = ANYTHING
    objective: Objective = field(default_factory=Objective)
    failed: frozenset[str] = frozenset()

    def key(self, dag: Dag) -> str | None:
        """Return the key that tells `dag` from others (see `Askable`).

        Returns:
            None where it is not worth asking: it is known, cannot be asked, or is beyond a limit
            by its exact complexity.
        """
        key = self.askable.key(dag)
        if key is None or key in self._known or key in self.failed:
            return None
        return key if self._keeps_limits(dag) else None

    def _keeps_limits(self, dag: Dag) -> bool:
        return not self.objective.limits or bool(self.within_limits(Dags.of([dag]))[0])

    def within_limits(self, dags: Dags) -> NDArray[np.bool_]:
        """Tell which architectures keep the limits on complexities that the space computes.

        Returns:
            bool (len(dags),); limits on other complexities are taken as kept.
        """
        names = self.space.complexity_names
        limits = [limit for limit in self.objective.limits if limit.name in names]
        inside = np.ones(len(dags), dtype=np.bool_)
        if limits and len(dags):
            exact = self.space.complexity(dags)
            for limit in limits:
                inside &= exact[:, names.index(limit.name)] <= limit.most
        return inside

    def completed(self, dag: Dag, answer: Answer) -> Answer:
        """Add limited complexities that `answer` leaves out and the space computes."""
        names = self.space.complexity_names
        left = {k.name for k in self.objective.limits} & set(names) - answer.complexity.keys()
        if not left:
            return answer
        exact = dict(zip(names, self.space.complexity([dag])[0].tolist(), strict=True))
        told = {**answer.complexity, **{name: exact[name] for name in sorted(left)}}
        return dataclasses.replace(answer, complexity=told)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.known.hashes)
