"""Uniform sampling of the space: what every other strategy is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ngae.data import Table
from ngae.search.base import Askable, Candidate, Trial, anything
from ngae.search.config import SearchConfig

_STREAM = 0x72616E64


class RandomSearch:
    """Asks for uniform draws of the space: the bar that every strategy has to pass.

    Args:
        known: The table; its rows are never asked.
        config: Settings.
        askable: Which architectures may be asked about.
    """

    def __init__(self, known: Table, config: SearchConfig, askable: Askable = anything) -> None:
        self._askable = askable
        self.space = known.space
        self._seen = set(known.hashes)
        # A stream of its own: a table may have been drawn from the same seed, row by row.
        self._rng = np.random.default_rng([config.seed, _STREAM])

    def ask(self, count: int) -> list[Candidate]:
        """Draw up to `count` new architectures; fewer where the space has few left."""
        drawn: list[Candidate] = []
        for _ in range(100 * count):
            dag = self.space.sample(self._rng)
            if len(drawn) == count:
                break
            if dag.canonical_hash not in self._seen and self._askable(dag):
                self._seen.add(dag.canonical_hash)
                drawn.append(Candidate(dag, None, {}))
        return drawn

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn nothing."""
