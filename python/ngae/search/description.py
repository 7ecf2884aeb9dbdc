"""Architectures as groups of numbers: what can be computed, and what the encoder sees in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.search.base import LatentModel
from ngae.search.features import BUILT, Features, graph_features
from ngae.search.gaussian_process import Array, Groups, Kernel, centre_and_spread
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

    All groups are in units of their spread over random architectures of the space; each exact
    complexity is in units of its own.

    Args:
        space: The space.
        seed: Of the random architectures.
    """

    def __init__(self, space: SearchSpace, seed: int = 0) -> None:
        self.space = space
        self._known: dict[str, int] = {}
        rng = np.random.default_rng(seed)
        references = self._raw([space.sample(rng) for _ in range(_REFERENCES)])
        self._scales = {name: _scale(name, group) for name, group in references.items()}
        self._held = {name: Rows(group.shape[1]) for name, group in references.items()}

    def __call__(self, dags: Sequence[Dag], hashes: Sequence[str]) -> Groups:
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
            for name, group in raw.items():
                centre, spread = self._scales[name]
                self._held[name].add((group - centre) / spread)
        rows = np.array([self._known[key] for key in hashes], dtype=np.int64)
        return {name: held.take(rows) for name, held in self._held.items()}

    def scale_of(self, complexity: str) -> tuple[float, float]:
        """Return centre and unit of a column of the group `exact`."""
        centre, unit = self._scales["exact"]
        column = self.space.complexity_names.index(complexity)
        return float(centre[column]), float(unit[column])

    def _raw(self, dags: Sequence[Dag]) -> Features:
        return graph_features(self.space, dags)


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
        self.width = len(self._scales["z"][0])

    def unscaled_z(self, z: Array) -> NDArray[np.float32]:
        """Turn values of the group `z` back into latent points."""
        centre, spread = self._scales["z"]
        points: NDArray[np.float32] = (z * spread + centre).astype(np.float32)
        return points

    def _raw(self, dags: Sequence[Dag]) -> Features:
        with torch.no_grad():
            mean = self.model.encode(dags).mean
        self.device = mean.device
        return {"z": mean.float().cpu().numpy(), **super()._raw(dags)}


def _scale(name: str, group: NDArray[np.float32]) -> tuple[Array, Array]:
    """Return centre and spread: of each column for complexities, whose units differ."""
    centre, spread = centre_and_spread(group)
    if name != "exact":
        return centre, np.array(spread)
    own = group.std(axis=0, dtype=np.float64)
    return centre, np.where(own > 0, own, 1.0)


def value_kernel(groups: Groups) -> Kernel:
    """What performance depends on: all that is described of the canonical member."""
    radial = tuple(name for name in groups if name not in BUILT)
    return Kernel(radial, tuple(name for name in ("path", "cost") if name in groups))


def cost_kernel(groups: Groups) -> Kernel:
    """What a measured cost depends on: above all it is a sum over what is built.

    Devices may leave out what does not matter, so the canonical member counts, too.
    """
    radial = ("built", "place") if "built" in groups else ("count", "path")
    linear = ("count", "built", "path", "place", "exact")
    return Kernel(radial, tuple(name for name in linear if name in groups))
