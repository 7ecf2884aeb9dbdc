"""A made-up table as a file, for what searches whole tables."""

import csv

import numpy as np
import pytest

from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)


@pytest.fixture
def table_file(tmp_path):
    """Write 60 architectures with columns acc, test, ms; the best acc is 0.59."""
    rng = np.random.default_rng(0)
    dags = list({SPACE.sample(rng): None for _ in range(300)})[:60]
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arch", "acc", "test", "ms"])
        for row, dag in enumerate(dags):
            acc = (row * 37 % 60) / 100
            writer.writerow([SPACE.format(dag), acc, round(acc - 0.05, 2), 1 + row * 7 % 11])
    return path
