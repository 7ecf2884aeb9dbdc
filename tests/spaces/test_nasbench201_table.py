"""The whole published table of NAS-Bench-201."""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from ngae.data import load
from ngae.networks.nasbench201 import NasBench201Config
from ngae.spaces.nasbench201 import NasBench201Space
from ngae.spaces.nasbench201_classes import representatives

DATA = Path(os.environ.get("NGAE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
TABLE = DATA / "nas-bench-201" / "nasbench201.csv.gz"
CONFIGS = {
    "cifar10": NasBench201Config(),
    "cifar100": NasBench201Config(num_classes=100),
    "imagenet16_120": NasBench201Config(num_classes=120, image_size=16),
}
pytestmark = pytest.mark.skipif(not TABLE.exists(), reason="the NAS-Bench-201 table is not here")


@pytest.fixture(scope="module")
def rows():
    with gzip.open(TABLE, "rt") as file:
        return list(csv.DictReader(file))


def test_every_cell_is_there_once_and_comes_back(rows):
    space = NasBench201Space()
    dags = space.parse_many([row["arch_str"] for row in rows])
    assert len(set(dags.hashes())) == len(rows) == 15_625
    assert [space.format(dag) for dag in dags] == [row["arch_str"] for row in rows]


@pytest.mark.parametrize("name", CONFIGS)
def test_costs_are_those_of_the_table(rows, name):
    space = NasBench201Space(CONFIGS[name])
    costs = space.complexity(space.parse_many([row["arch_str"] for row in rows])).tolist()
    for row, (params, macs) in zip(rows, costs, strict=True):
        assert f"{params / 1e6:.6f}" == f"{float(row[name + '_params_m']):.6f}"
        assert f"{macs / 1e6:.5f}" == f"{float(row[name + '_flops_m']):.5f}"


@pytest.mark.parametrize(
    ("name", "median", "within"),
    [("cifar10", 0.24, 0.24), ("cifar100", 0.50, 0.37), ("imagenet16_120", 0.56, 0.51)],
)
def test_accuracies_of_equal_cells_agree_to_the_noise_of_training(rows, name, median, within):
    space = NasBench201Space()
    dags = space.parse_many([row["arch_str"] for row in rows])
    classes = representatives()[[space.number(dag) for dag in dags]]
    accuracy = np.array([float(row[f"{name}_test_acc_200ep"]) for row in rows])
    order = np.argsort(classes, kind="stable")
    groups = np.split(accuracy[order], np.flatnonzero(np.diff(classes[order])) + 1)
    groups = [group for group in groups if len(group) > 1]
    assert (len(groups), sum(map(len, groups))) == (1_188, 11_553)
    spread = np.median([np.ptp(group) for group in groups])
    squares = sum(((group - group.mean()) ** 2).sum() for group in groups)
    deviation = np.sqrt(squares / sum(len(group) - 1 for group in groups))
    assert spread == pytest.approx(median, abs=0.01)
    assert deviation == pytest.approx(within, abs=0.01)


def test_the_table_is_read_with_its_costs():
    columns = {"arch_col": "arch_str", "performance_col": "cifar10_test_acc_200ep"}
    table = load(str(TABLE), **columns).table
    assert len(table) == 15_625
    assert table.complexity_names == ("params", "macs")
    assert table.complexity[:, 0].max() == 1_531_546
