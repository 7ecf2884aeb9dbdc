import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from ngae.errors import GraphError, UsageError
from ngae.networks.cell_nasbench101 import Cell101, CellNetwork101
from ngae.networks.counts import count
from ngae.networks.nasbench101 import NasBench101Config, cell_complexities, vertex_channels
from ngae.spaces.nasbench101 import NasBench101Space

SMALL = NasBench101Config(
    stem_channels=8, num_stacks=2, cells_per_stack=2, num_classes=3, image_size=8
)
ODD = NasBench101Config(
    stem_channels=5, num_stacks=3, cells_per_stack=1, num_classes=4, image_size=7, image_channels=2
)
# Vertices 2, 3 and 4 share the output's channels; 1 feeds them all; the input feeds the output.
EDGES = ((0, 1), (0, 5), (1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5))
OPERATIONS = (1, 0, 2, 0)


def matrix(edges, size):
    adjacency = np.zeros((1, size, size), dtype=np.bool_)
    adjacency[0, [u for u, _ in edges], [v for _, v in edges]] = True
    return adjacency


def test_channels_are_split_as_published():
    # 8 = 3 + 3 + 2 over the vertices that feed the output; vertex 1 has the most of its successors
    assert vertex_channels(matrix(EDGES, 6), 8).tolist() == [[3, 3, 3, 2]]
    assert vertex_channels(matrix(EDGES, 6), 9).tolist() == [[3, 3, 3, 3]]
    assert vertex_channels(matrix(((0, 1),), 2), 8).shape == (1, 0)


def test_costs_of_the_smallest_cell_by_hand():
    # stem 27*8 + 16; cells 8*8 + 16 twice; then 8*16 + 32 and 16*16 + 32; head 16*3 + 3
    params = 232 + 2 * 80 + 160 + 288 + 51
    macs = 64 * (216 + 128) + 16 * (128 + 256) + 48
    found = cell_complexities(np.zeros((1, 0), dtype=int), matrix(((0, 1),), 2), SMALL)
    assert found.tolist() == [[params, macs]]


def test_forward_of_a_cell_follows_the_formula():
    torch.manual_seed(0)
    cell = Cell101(OPERATIONS, EDGES, 6, 8).eval()
    weights = cell.state_dict()

    def convolved(x, prefix, padding=0):
        x = functional.conv2d(x, weights[f"{prefix}.0.weight"], padding=padding)
        kinds = ("running_mean", "running_var", "weight", "bias")
        return torch.relu(
            functional.batch_norm(x, *(weights[f"{prefix}.1.{kind}"] for kind in kinds))
        )

    x = torch.randn(2, 6, 5, 5)
    h1 = convolved(convolved(x, "projections.1"), "operations.0")
    h2 = convolved(h1, "operations.1", padding=1)
    h3 = functional.max_pool2d(h1, 3, stride=1, padding=1)
    h4 = convolved(h1[:, :2], "operations.3", padding=1)
    expected = torch.cat([h2, h3, h4], dim=1) + convolved(x, "projections.5")
    assert_close(cell(x), expected)


@pytest.mark.parametrize("config", [SMALL, ODD])
def test_costs_are_those_of_the_built_module(config):
    space, rng = NasBench101Space(config), np.random.default_rng(0)
    dags = [space.sample(rng) for _ in range(20)]
    dags += [space.parse("0100;input,output"), space.parse("3;7;0")]
    shape = (1, config.image_channels, config.image_size, config.image_size)
    found = [count(lambda d=dag: space.build(d), shape) for dag in dags]
    np.testing.assert_array_equal(space.complexity(dags), found)


@pytest.mark.parametrize("config", [SMALL, ODD])
def test_networks_run_and_gradients_reach_every_weight(config):
    space, rng = NasBench101Space(config), np.random.default_rng(1)
    size = (4, config.image_channels, config.image_size, config.image_size)
    for dag in [space.sample(rng) for _ in range(5)]:
        network = dag.to_torch()
        scores = network(torch.randn(size))
        assert scores.shape == (4, config.num_classes)
        scores.square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize(
    ("operations", "edges", "message"),
    [
        ((3,), ((0, 1), (1, 2)), "vertex 1: expected an operation from 0 to 2, found 3"),
        ((0,), ((0, 1), (1, 3)), r"edge \(1, 3\): expected 0 <= u < v <= 2"),
        ((0,), ((0, 2),), "vertex 1: expected a path from input to output through it"),
        ((0, 0), ((0, 1), (1, 3)), "vertex 2: expected a path"),
    ],
)
def test_what_is_no_cell_is_named(operations, edges, message):
    with pytest.raises(GraphError, match=message):
        CellNetwork101(operations, edges, SMALL)


def test_arrays_that_are_no_cells_are_named():
    with pytest.raises(GraphError, match=r"expected operations \(cells, n - 2\)"):
        cell_complexities(np.zeros((1, 1), dtype=int), matrix(((0, 1),), 2), SMALL)
    with pytest.raises(GraphError, match=r"expected operations 0\.\.2"):
        cell_complexities(np.full((1, 1), 3), matrix(((0, 1), (1, 2)), 3), SMALL)


def test_sizes_that_give_a_vertex_no_channel_are_refused():
    with pytest.raises(UsageError, match="stem_channels: expected an integer from 5, found 4"):
        NasBench101Config(stem_channels=4)
    with pytest.raises(UsageError, match="num_stacks: expected an integer from 1, found 0"):
        NasBench101Config(num_stacks=0)
