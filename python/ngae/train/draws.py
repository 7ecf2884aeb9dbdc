"""What a run draws at random: the order of an epoch, the noise of a step.

Each draw is made from (seed, count) alone, so that a run which was interrupted anywhere, or is one
of several processes, draws what one that was not would.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_ORDER, _NOISE = 0, 1  # streams


def order(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the rows 0 .. rows - 1 in the order of an epoch (from 0)."""
    drawn = torch.randperm(rows, generator=_seeded(seed, epoch, _ORDER))
    permuted: NDArray[np.int64] = drawn.numpy()
    return permuted


def noise(num_graphs: int, latent_dim: int, seed: int, step: int) -> Tensor:
    """Return standard normal noise of a step (from 0): float32 (num_graphs, latent_dim)."""
    return torch.randn(num_graphs, latent_dim, generator=_seeded(seed, step, _NOISE))


def _seeded(seed: int, count: int, stream: int) -> torch.Generator:
    """A generator of three numbers, so that neighbouring streams have nothing in common."""
    mixed = np.random.SeedSequence([seed, count, stream]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed) >> 1)
