"""Architectures as groups of numbers: what can be computed, and what the encoder sees in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.search.base import LatentModel
from ngae.search.features import graph_features
from ngae.search.gaussian_process import Array, centre_and_spread, scaled
from ngae.spaces.base import SearchSpace

_REFERENCES = 256  # random architectures that give each group its centre and spread


class Describer:
    """Describes architectures for a surrogate by `graph_features`, each once.

    All groups are in units of their spread over random architectures of the space.

    Args:
        space: The space.
        seed: Of the random architectures.
    """

    def __init__(self, space: SearchSpace, seed: int = 0) -> None:
        self.space = space
        self._known: dict[str, int] = {}
        self._held: list[list[NDArray[np.float32]]] = []
        rng = np.random.default_rng(seed)
        self._reference = self._raw([space.sample(rng) for _ in range(_REFERENCES)])

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
            groups = self._raw(list(new.values()))
            for row, key in enumerate(new):
                self._known[key] = len(self._held)
                self._held.append([group[row] for group in groups])
        rows = [self._held[self._known[key]] for key in hashes]
        return [
            scaled(np.stack([row[k] for row in rows]), by) for k, by in enumerate(self._reference)
        ]

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
        self.width = self._reference[0].shape[1]

    def unscaled_z(self, z: Array) -> NDArray[np.float32]:
        """Turn values of the group `z` back into latent points."""
        centre, spread = centre_and_spread(self._reference[0])
        points: NDArray[np.float32] = (z * spread + centre).astype(np.float32)
        return points

    def _raw(self, dags: Sequence[Dag]) -> list[NDArray[np.float32]]:
        with torch.no_grad():
            mean = self.model.encode(dags).mean
        self.device = mean.device
        return [mean.float().cpu().numpy(), *super()._raw(dags)]
