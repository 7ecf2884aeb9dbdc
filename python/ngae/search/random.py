"""Uniform sampling of the space: what every other strategy is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from ngae.search.base import Candidate, Trial
from ngae.search.problem import Problem
from ngae.search.proposals import Proposals, taken

_STREAM = 0x72616E64


class RandomSearch:
    """Asks for uniform draws of the space: the bar that every strategy has to pass.

    Where only a table's rows can be asked, they are the space.

    Args:
        problem: What is looked for.
        seed: Seed of the draws.
    """

    def __init__(self, problem: Problem, seed: int = 0) -> None:
        self._proposals = Proposals(problem, seed, _STREAM)

    def ask(self, count: int) -> list[Candidate]:
        """Draw up to `count` new architectures; fewer where the space has few left."""
        return taken(count, self._proposals.sampled)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn nothing."""
