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
    order = list(range(len(table)))
    random.Random(config.split_seed).shuffle(order)
    cut = config.train_rows or int(len(order) * (1 - config.test_fraction))
    train, test = order[:cut], order[cut:]
    if config.split == "distinct":
        train, test = _cut_between_graphs(table, order, cut)
    if not train or not test:
        raise DataError(
            f"{table.source}: expected rows for training and testing, found {len(train)} and "
            f"{len(test)} of {len(table)}",
            remedy="bring more distinct architectures, or change --test-fraction",
        )
    return np.array(train, dtype=np.int64), np.array(test, dtype=np.int64)


def _cut_between_graphs(table: Table, order: list[int], cut: int) -> tuple[list[int], list[int]]:
    first = table.first_rows
    if len(np.unique(first)) == len(table):
        return order[:cut], order[cut:]
    groups: dict[int, list[int]] = {}
    for row in order:
        groups.setdefault(int(first[row]), []).append(row)
    train: list[int] = []
    test: list[int] = []
    for rows in groups.values():
        (train if len(train) < cut else test).extend(rows)
    if not test and len(groups) > 1:
        test = [*groups.values()][-1]
        train = train[: -len(test)]
    return train, test
