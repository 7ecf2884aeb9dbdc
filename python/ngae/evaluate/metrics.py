"""The field's measures as pure functions of arrays."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def rmse(predicted: Array, actual: Array) -> float:
    """Return the root of the mean squared error, in the targets' units."""
    return float(np.sqrt(np.mean((predicted - actual) ** 2)))


def pearson_r(predicted: Array, actual: Array) -> float:
    """Return Pearson's correlation; NaN where either side is constant."""
    x, y = predicted - predicted.mean(), actual - actual.mean()
    scale = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / scale if scale > 0 else float("nan")


def kendall_tau(predicted: Array, actual: Array) -> float:
    """Return Kendall's tau-b in O(n log n); NaN where either side is constant.

    tau = (concordant - discordant) / sqrt((pairs - ties in x) * (pairs - ties in y)).
    """
    order = np.lexsort((actual, predicted))
    x, y = predicted[order], actual[order]
    pairs = len(x) * (len(x) - 1) // 2
    ties_x, ties_y = _tied_pairs(x), _tied_pairs(np.sort(y))
    ties_both = _tied_pairs(x + 1j * y)
    discordant = _inversions(y)
    scale = float(pairs - ties_x) ** 0.5 * float(pairs - ties_y) ** 0.5
    concordant = pairs - ties_x - ties_y + ties_both - discordant
    return (concordant - discordant) / scale if scale > 0 else float("nan")


def regression(predicted: Array, actual: Array, train_std: float) -> dict[str, float]:
    """Return rmse, rmse_normalised (by the training rows' std), pearson_r and kendall_tau."""
    error = rmse(predicted, actual)
    return {
        "rmse": error,
        "rmse_normalised": error / train_std,
        "pearson_r": pearson_r(predicted, actual),
        "kendall_tau": kendall_tau(predicted, actual),
    }


def generation(hashes: list[str | None], known: frozenset[str]) -> dict[str, float]:
    """Return validity, uniqueness and novelty of decoded graphs.

    Args:
        hashes: Canonical hash of each decoded graph, None where it is not in the space.
        known: Canonical hashes of the training graphs.

    Returns:
        Shares in [0, 1]: valid of all; distinct of the valid; not in `known` of the valid.
    """
    valid = [digest for digest in hashes if digest is not None]
    count = max(len(valid), 1)
    return {
        "validity": len(valid) / max(len(hashes), 1),
        "uniqueness": len(set(valid)) / count,
        "novelty": sum(digest not in known for digest in valid) / count,
    }


def _tied_pairs(ordered: NDArray[np.generic]) -> int:
    _, counts = np.unique(ordered, return_counts=True)
    return int((counts * (counts - 1) // 2).sum())


def _inversions(values: Array) -> int:
    """Count pairs i < j with values[i] > values[j], by sorted blocks."""
    ranks = np.searchsorted(np.unique(values), values)
    total = 0
    blocks: list[list[int]] = []
    for start in range(0, len(ranks), 512):
        block = np.sort(ranks[start : start + 512])
        total += _inversions_within(ranks[start : start + 512])
        for earlier in blocks:
            total += sum(len(earlier) - bisect_left(earlier, r + 1) for r in block.tolist())
        blocks.append(block.tolist())
    return total


def _inversions_within(ranks: NDArray[np.intp]) -> int:
    return int(np.triu(ranks[:, None] > ranks[None, :], 1).sum())
