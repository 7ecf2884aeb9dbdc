"""Philox4x32-10: random numbers as a function of a key and a counter, in numpy.

It holds no state. The native ops draw the same numbers from `csrc/philox.h`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 10
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_TYPE_BLOCK = 0xFFFFFFFF


def philox(counter: NDArray[np.uint32], key: tuple[int, int]) -> NDArray[np.uint32]:
    """Encrypt counters.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

    Args:
        counter: (..., 4) words.
        key: Two words.

    Returns:
        (..., 4) random words.
    """
    c0, c1, c2, c3 = (counter[..., i].astype(np.uint64) for i in range(4))
    k0, k1 = key
    for _ in range(_ROUNDS):
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (second >> _SHIFT) ^ c1 ^ np.uint64(k0),
            second & _LOW,
            (first >> _SHIFT) ^ c3 ^ np.uint64(k1),
            first & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def type_uniforms(seed: int, sample_ids: NDArray[np.int64], node: int) -> NDArray[np.float32]:
    """Draw the number that decides the type of node `node`.

    Returns:
        (num_samples,) in [0, 1), multiples of 2^-24.
    """
    return _uniforms(seed, sample_ids, node, np.array([_TYPE_BLOCK], dtype=np.uint32))[:, 0]


def edge_uniforms(seed: int, sample_ids: NDArray[np.int64], node: int) -> NDArray[np.float32]:
    """Draw the numbers that decide the edges from nodes 0 .. node - 1 to `node`.

    Returns:
        (num_samples, node) in [0, 1), multiples of 2^-24.
    """
    blocks = np.arange((node + 3) // 4, dtype=np.uint32)
    return _uniforms(seed, sample_ids, node, blocks)[:, :node]


def _uniforms(
    seed: int, sample_ids: NDArray[np.int64], node: int, blocks: NDArray[np.uint32]
) -> NDArray[np.float32]:
    """Words of all blocks as numbers in [0, 1): (num_samples, 4 * num_blocks)."""
    ids = sample_ids.astype(np.int64).view(np.uint64)
    counter = np.empty((len(ids), len(blocks), 4), dtype=np.uint32)
    counter[..., 0] = (ids & _LOW).astype(np.uint32)[:, None]
    counter[..., 1] = (ids >> _SHIFT).astype(np.uint32)[:, None]
    counter[..., 2] = node
    counter[..., 3] = blocks
    words = philox(counter, (seed & 0xFFFFFFFF, seed >> 32))
    scaled = (words >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    return scaled.reshape(len(ids), 4 * len(blocks))
