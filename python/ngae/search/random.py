"""Uniform sampling of the space: what every other strategy is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ngae.data import Table
from ngae.oracles.table import canonical_key
from ngae.search.base import AskingKey, Candidate, Trial
from ngae.search.config import SearchConfig

_STREAM = 0x72616E64


class RandomSearch:
    """Asks for uniform draws of the space: the bar that every strategy has to pass.

    Args:
        known: The table; its rows are never asked.
        config: Settings.
        key: Tells what is worth asking; see `ngae.oracles.table.asking_key`.
    """

    def __init__(self, known: Table, config: SearchConfig, key: AskingKey = canonical_key) -> None:
        self._key = key
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
            key = self._key(dag)
            if key is not None and key not in self._seen:
                self._seen.add(key)
                drawn.append(Candidate(dag, None, {}))
        return drawn

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn nothing."""
