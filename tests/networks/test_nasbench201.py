import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from ngae.errors import GraphError, UsageError
from ngae.networks.cell_nasbench201 import Cell201, CellNetwork201
from ngae.networks.counts import count
from ngae.networks.nasbench201 import NasBench201Config, cell_complexities

SMALL = NasBench201Config(channels=4, cells=1, num_classes=3, image_size=8, image_channels=2)
NONE, SKIP, CONV1, CONV3, POOL = range(5)
# One cell for each possible number of 3x3 and of 1x1 convolutions.
NUMBERS = [(n3, n1) for n3 in range(7) for n1 in range(7 - n3)]
MIXES = [(CONV3,) * n3 + (CONV1,) * n1 + (SKIP,) * (6 - n3 - n1) for n3, n1 in NUMBERS]


def test_costs_of_the_published_skeleton():
    cells = np.array([[SKIP] * 6, [CONV3] * 6, [CONV1] * 6])
    found = cell_complexities(cells, NasBench201Config())
    each = np.array([[0, 0], [243_040, 35_389_440], [28_000, 3_932_160]])
    np.testing.assert_array_equal(found, [73_306, 7_783_050] + 6 * each)


@pytest.mark.parametrize("config", [NasBench201Config(), SMALL])
def test_costs_are_those_of_the_built_module(config):
    shape = (1, config.image_channels, config.image_size, config.image_size)
    expected = cell_complexities(np.array(MIXES), config)
    counted = [count(lambda o=mix: CellNetwork201(o, config), shape) for mix in MIXES]
    # Published tables hold the linear layer's bias, one addition for each class.
    bias = np.array([0, config.num_classes])
    np.testing.assert_array_equal(np.array(counted) + bias, expected)
    assert len(MIXES) == 28


def test_forward_of_a_cell_follows_the_formula():
    torch.manual_seed(0)
    cell = Cell201((CONV3, SKIP, POOL, NONE, CONV1, SKIP), 4).eval()
    weights = cell.state_dict()

    def convolved(x, prefix, padding):
        x = functional.conv2d(torch.relu(x), weights[f"{prefix}.1.weight"], padding=padding)
        kinds = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(x, *(weights[f"{prefix}.2.{kind}"] for kind in kinds))

    x = torch.randn(2, 4, 5, 5)
    h1 = convolved(x, "operations.0", 1)
    h2 = x + functional.avg_pool2d(h1, 3, stride=1, padding=1, count_include_pad=False)
    assert_close(cell(x), convolved(h1, "operations.4", 0) + h2)


def test_a_cell_of_zeros_gives_zeros():
    assert_close(Cell201((NONE,) * 6, 4)(torch.ones(1, 4, 2, 2)), torch.zeros(1, 4, 2, 2))


@pytest.mark.parametrize("operations", [(CONV3, CONV1, SKIP, POOL, CONV3, CONV1), (SKIP,) * 6])
def test_networks_run_and_gradients_reach_every_weight(operations):
    network = CellNetwork201(operations, SMALL)
    scores = network(torch.randn(4, 2, 8, 8))
    assert scores.shape == (4, 3)
    scores.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_what_is_no_cell_is_named():
    with pytest.raises(GraphError, match="expected 6 operations, found 5"):
        CellNetwork201((0,) * 5, SMALL)
    with pytest.raises(GraphError, match="edge 2<-1: expected an operation from 0 to 4, found 5"):
        CellNetwork201((0, 0, 5, 0, 0, 0), SMALL)
    with pytest.raises(GraphError, match=r"expected \(cells, 6\), found \(1, 5\)"):
        cell_complexities(np.zeros((1, 5), dtype=int), SMALL)
    with pytest.raises(GraphError, match=r"expected operations 0\.\.4"):
        cell_complexities(np.full((1, 6), -1), SMALL)


def test_wrong_sizes_are_named():
    with pytest.raises(UsageError, match="cells: expected an integer from 1, found 0"):
        NasBench201Config(cells=0)
    with pytest.raises(UsageError, match="image_size: expected a multiple of 4, found 30"):
        NasBench201Config(image_size=30)
