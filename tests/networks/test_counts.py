import numpy as np
import pytest
import torch
from torch import nn

from ngae.errors import UsageError
from ngae.networks.counts import Counts, count, count_parameters
from ngae.networks.macro import OPERATIONS, MacroConfig, MacroNetwork, macro_complexity


def test_costs_of_one_network_by_hand():
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))
    assert count(network, (1, 3, 5, 5)) == Counts(216 + 16, 216 * 25)
    assert count(network, (2, 3, 5, 5)) == Counts(216 + 16, 216 * 50)
    assert count_parameters(lambda: network) == 216 + 16


@pytest.mark.parametrize("seed", range(8))
def test_counts_are_those_of_the_closed_form(seed):
    rng = np.random.default_rng(seed)
    config = MacroConfig(channels=5, image_size=6, image_channels=3, num_classes=7)
    operations = tuple(rng.integers(len(OPERATIONS), size=6).tolist())
    inputs = tuple((layer,) for layer in range(6))
    expected = macro_complexity(operations, inputs, config)
    assert count(lambda: MacroNetwork(operations, inputs, config), (1, 3, 6, 6)) == expected
    assert count(MacroNetwork(operations, inputs, config), (1, 3, 6, 6)) == expected


def test_the_module_stays_as_it_is():
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    count(network, (3, 4))
    assert network.training
    assert network[1].training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert {value.device.type for value in network.state_dict().values()} == {"cpu"}


def test_shared_parameters_count_once_and_frozen_ones_not():
    first, second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    second.weight = first.weight
    assert count(nn.Sequential(first, second), (1, 4)) == Counts(16, 32)
    first.weight.requires_grad_(False)
    assert count(nn.Sequential(first, second), (1, 4)) == Counts(0, 32)


def test_tokens_and_recurrence():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, 4)
            self.head = nn.Linear(4, 11)

        def forward(self, tokens):
            return self.head(torch.tanh(self.embedding(tokens)))

    assert count(Model, (2, 3), dtype=torch.int64) == Counts(44 + 55, 6 * 44)


def test_an_input_that_does_not_fit_is_named():
    with pytest.raises(UsageError, match=r"input_shape: expected one that Linear runs on, found"):
        count(nn.Linear(4, 4), (1, 5))
