import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ngae.errors import GraphError, UsageError
from ngae.networks.macro import (
    OPERATIONS,
    MacroConfig,
    MacroNetwork,
    macro_complexities,
    macro_complexity,
)

CONFIGS = [MacroConfig(), MacroConfig(channels=5, image_size=6, image_channels=3, num_classes=7)]


def draw(rng, num_layers):
    operations = tuple(rng.integers(len(OPERATIONS), size=num_layers).tolist())
    inputs = tuple(
        (*np.flatnonzero(rng.integers(2, size=layer)).tolist(), layer)
        for layer in range(num_layers)
    )
    return operations, inputs


def test_costs_of_one_network_by_hand():
    # stem 9*8 + 2*8, conv3x3 9*64 + 16, sep5x5 25*8 + 64 + 16, pooling 0, head 80 + 10
    params = 88 + 592 + 280 + 0 + 90
    macs = 64 * (72 + 576 + 264) + 80
    assert macro_complexity((0, 3, 5), ((0,), (0, 1), (1, 2)), MacroConfig()) == (params, macs)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("num_layers", [1, 6, 12])
def test_costs_are_those_of_the_built_module(config, num_layers):
    rng = np.random.default_rng(num_layers)
    size = (1, config.image_channels, config.image_size, config.image_size)
    for _ in range(8):
        operations, inputs = draw(rng, num_layers)
        with torch.device("meta"):
            network = MacroNetwork(operations, inputs, config).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(size, device="meta"))
        params = sum(parameter.numel() for parameter in network.parameters())
        expected = macro_complexity(operations, inputs, config)
        # The counter counts convolutions and the linear layer, two operations a multiply-add.
        assert (params, counter.get_total_flops() // 2) == expected


@pytest.mark.parametrize("config", CONFIGS)
def test_costs_of_many_are_those_of_each(config):
    rng = np.random.default_rng(0)
    drawn = [draw(rng, 6) for _ in range(50)]
    operations = np.array([row[0] for row in drawn], dtype=np.uint8)
    expected = [macro_complexity(*row, config) for row in drawn]
    np.testing.assert_array_equal(macro_complexities(operations, config), expected)
    assert macro_complexities(operations[:0], config).shape == (0, 2)


@pytest.mark.parametrize(
    ("operations", "inputs", "message"),
    [
        ((0, 1), ((0,),), "expected 2 layers, found 1"),
        ((0, 6), ((0,), (1,)), "layer 1: expected an operation from 0 to 5, found 6"),
        ((0, 1), ((0,), ()), r"layer 1: expected inputs from 0 to 1, .* found \(\)"),
        ((0, 1), ((0,), (2,)), r"layer 1: expected inputs from 0 to 1, .* found \(2,\)"),
        ((0, 1), ((0,), (1, 1)), r"found \(1, 1\)"),
    ],
)
def test_what_is_no_network_is_named(operations, inputs, message):
    with pytest.raises(GraphError, match=message):
        macro_complexity(operations, inputs, MacroConfig())
    with pytest.raises(GraphError, match=message):
        MacroNetwork(operations, inputs, MacroConfig())


@pytest.mark.parametrize("value", [0, -1, 2.0, True])
def test_wrong_sizes_are_named(value):
    with pytest.raises(UsageError, match=f"channels: expected an integer from 1, found {value}"):
        MacroConfig(channels=value)


def test_the_module_names_only_what_it_has():
    from ngae.networks import macro

    with pytest.raises(AttributeError, match="no attribute 'MicroNetwork'"):
        _ = macro.MicroNetwork
