"""Architectures as groups of numbers: what can be computed, and what the encoder sees in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.search.base import LatentModel
from ngae.search.features import graph_features
from ngae.search.gaussian_process import Array, centre_and_spread
from ngae.spaces.base import SearchSpace

_REFERENCES = 256  # random architectures that give each group its centre and spread


class Rows:
    """Rows of numbers, added a block at a time.

    Args:
        width: Numbers of a row.
    """

    def __init__(self, width: int) -> None:
        self._rows = np.empty((_REFERENCES, width), dtype=np.float32)
        self._count = 0

    def add(self, rows: Array) -> None:
        """Append rows, (count, width)."""
        needed = self._count + len(rows)
        if needed > len(self._rows):
            room = np.empty((max(needed, 2 * len(self._rows)), rows.shape[1]), dtype=np.float32)
            room[: self._count] = self._rows[: self._count]
            self._rows = room
        self._rows[self._count : needed] = rows
        self._count = needed

    def take(self, numbers: NDArray[np.int64]) -> Array:
        """Return rows by number, float64 (len(numbers), width)."""
        return self._rows[numbers].astype(np.float64)


class Describer:
    """Describes architectures for a surrogate by `graph_features`, each once.

    All groups are in units of their spread over random architectures of the space.

    Args:
        space: The space.
        seed: Of the random architectures.

    Attributes:
        cost: Number of the group of exact complexities; None where the space computes none.
    """

    def __init__(self, space: SearchSpace, seed: int = 0) -> None:
        self.space = space
        self._known: dict[str, int] = {}
        rng = np.random.default_rng(seed)
        references = self._raw([space.sample(rng) for _ in range(_REFERENCES)])
        self._scales = [centre_and_spread(group) for group in references]
        self._held = [Rows(group.shape[1]) for group in references]
        self.cost = len(references) - 1 if space.complexity_names else None

    def __call__(self, dags: Sequence[Dag], hashes: Sequence[str]) -> list[Array]:
        """Describe architectures.

        Args:
            dags: The architectures, at least one.
            hashes: Their canonical hashes.

        Returns:
            float64 (len(dags), width) by group.
        """
        new = {key: dag for key, dag in zip(hashes, dags, strict=True) if key not in self._known}
        if new:
            first = len(self._known)
            self._known |= {key: first + row for row, key in enumerate(new)}
            raw = self._raw(list(new.values()))
            for held, group, (centre, spread) in zip(self._held, raw, self._scales, strict=True):
                held.add((group - centre) / spread)
        rows = np.array([self._known[key] for key in hashes], dtype=np.int64)
        return [held.take(rows) for held in self._held]

    def _raw(self, dags: Sequence[Dag]) -> list[NDArray[np.float32]]:
        return list(graph_features(self.space, dags).values())


class LatentDescriber(Describer):
    """Describes architectures with the posterior's mean as the first group, `z`.

    Args:
        model: The encoder.
        space: The space.
        seed: Of the random architectures.

    Attributes:
        width: Size of the latent space.
        device: Where the encoder is.
    """

    def __init__(self, model: LatentModel, space: SearchSpace, seed: int = 0) -> None:
        self.model = model
        super().__init__(space, seed)
        self.width = len(self._scales[0][0])

    def unscaled_z(self, z: Array) -> NDArray[np.float32]:
        """Turn values of the group `z` back into latent points."""
        centre, spread = self._scales[0]
        points: NDArray[np.float32] = (z * spread + centre).astype(np.float32)
        return points

    def _raw(self, dags: Sequence[Dag]) -> list[NDArray[np.float32]]:
        with torch.no_grad():
            mean = self.model.encode(dags).mean
        self.device = mean.device
        return [mean.float().cpu().numpy(), *super()._raw(dags)]
