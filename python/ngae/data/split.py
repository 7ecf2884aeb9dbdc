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
    first `1 - test_fraction` of them to learn from. `distinct` does so too, then brings rows
    whose graph is isomorphic to a training row's over to the training rows.

    Returns:
        Training rows and test rows, int64, in the shuffled order.

    Raises:
        DataError: A part would be empty.
    """
    order = list(range(len(table)))
    random.Random(config.split_seed).shuffle(order)
    cut = int(len(order) * (1 - config.test_fraction))
    train, test = order[:cut], order[cut:]
    if config.split == "distinct":
        known = {table.hashes[row] for row in train}
        moved = [row for row in test if table.hashes[row] in known]
        test = [row for row in test if table.hashes[row] not in known]
        train = train + moved
    if not train or not test:
        raise DataError(
            f"{table.source}: expected rows for training and testing, found {len(train)} and "
            f"{len(test)} of {len(table)}",
            remedy="bring more distinct architectures, or change --test-fraction",
        )
    return np.array(train, dtype=np.int64), np.array(test, dtype=np.int64)
