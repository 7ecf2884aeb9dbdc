"""Splits of a table into rows to learn from and rows to judge by."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from ngae.data.config import DataConfig
from ngae.data.records import Table
from ngae.errors import DataError

Rows = NDArray[np.int64]


def split_rows(table: Table, config: DataConfig) -> tuple[Rows, Rows]:
    """Split as `config` says.

    `published` is the split of D-VAE's code: `random.Random(seed).shuffle` over the rows, the
    first `1 - test_fraction` of them to learn from. `distinct` does so with whole groups of
    isomorphic graphs; where every graph is distinct, the two are the same.

    Returns:
        Training rows and test rows, int64, in the shuffled order.

    Raises:
        DataError: A part would be empty.
    """
    shuffled = list(range(len(table)))
    random.Random(config.split_seed).shuffle(shuffled)
    order = np.array(shuffled, dtype=np.int64)
    cut = config.train_rows or int(len(order) * (1 - config.test_fraction))
    train, test = order[:cut], order[cut:]
    if config.split == "distinct":
        train, test = _cut_between_graphs(table, order, cut)
    if not len(train) or not len(test):
        raise DataError(
            f"{table.source}: expected rows for training and testing, found {len(train)} and "
            f"{len(test)} of {len(table)}",
            remedy="bring more distinct architectures, or change --test-fraction",
        )
    return train, test


def _cut_between_graphs(table: Table, order: Rows, cut: int) -> tuple[Rows, Rows]:
    """Cut between groups of equal graphs, which stand where their first row does."""
    kinds, first, kind, count = np.unique(
        table.first_rows[order], return_index=True, return_inverse=True, return_counts=True
    )
    if len(kinds) == len(table):
        return order[:cut], order[cut:]
    ranks = np.argsort(np.argsort(first))  # of groups, by their first rows
    sizes = count[np.argsort(first)]
    before = sizes.cumsum() - sizes
    groups = min(int(np.searchsorted(before, cut)), max(len(kinds) - 1, 1))
    grouped = order[np.argsort(ranks[kind], kind="stable")]
    end = int(sizes[:groups].sum())
    return grouped[:end], grouped[end:]
