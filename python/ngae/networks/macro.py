"""The ENAS macro network: its operations, sizes, and exact costs by closed formula.

The formulas need no torch; `MacroNetwork` (from `ngae.networks.macro_network`) is imported when
first asked for. The formulas count convolutions and the linear layer, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ngae.errors import GraphError, UsageError

if TYPE_CHECKING:
    from ngae.networks.macro_network import MacroBank as MacroBank
    from ngae.networks.macro_network import MacroNetwork as MacroNetwork

#: Names of the operations, in the order of their types.
OPERATIONS = ("conv3x3", "sep3x3", "conv5x5", "sep5x5", "avg3x3", "max3x3")
KERNEL_SIZES = (3, 3, 5, 5, 3, 3)


@dataclass(frozen=True)
class MacroConfig:
    """Sizes of a macro network.

    Attributes:
        channels: Feature maps of every layer.
        image_size: Height and width of an image, in pixels; no layer reduces it.
        image_channels: Channels of an image.
        num_classes: Classes that the network tells apart.
    """

    channels: int = 8
    image_size: int = 8
    image_channels: int = 1
    num_classes: int = 10

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if type(value) is not int or value < 1:
                raise UsageError(f"MacroConfig: {name}: expected an integer from 1, found {value}")


def macro_complexity(
    operations: tuple[int, ...], inputs: tuple[tuple[int, ...], ...], config: MacroConfig
) -> tuple[int, int]:
    """Count trainable parameters and multiply-adds of one image, without building the network.

    params = stem + head + sum over layers of their operation, macs likewise; the mean of a layer's
    inputs has no weights, so that skip edges cost nothing.
    A multiply-add is one product of a weight with an input value, borders included, in a
    convolution or in the linear layer; batch norm, biases, pooling and ReLU count no macs.

    Args:
        operations: Numbers into OPERATIONS, one for each layer.
        inputs: For each layer the nodes that feed it: 0 is the stem, j is layer j - 1.
        config: Sizes of the network.

    Returns:
        (params, macs).

    Raises:
        GraphError: Lists of unequal length, no such operation, or an input that is no earlier node.
    """
    check_layers(operations, inputs)
    base, layers = _costs(config)
    params = base[0] + sum(layers[operation][0] for operation in operations)
    macs = base[1] + sum(layers[operation][1] for operation in operations)
    return params, macs


def macro_complexities(
    operations: NDArray[np.integer[Any]], config: MacroConfig
) -> NDArray[np.int64]:
    """Count as `macro_complexity` for many networks at once.

    Args:
        operations: (n, num_layers) numbers into OPERATIONS.
        config: Sizes of the networks.

    Returns:
        int64 (n, 2): params, macs.
    """
    base, layers = (np.array(part, dtype=np.int64) for part in _costs(config))
    counted: NDArray[np.int64] = base + layers[operations].sum(axis=1)
    return counted


def check_layers(operations: tuple[int, ...], inputs: tuple[tuple[int, ...], ...]) -> None:
    """Require one operation and at least one earlier node for every layer.

    Raises:
        GraphError: Naming the layer, what was expected and what was found.
    """
    if len(operations) != len(inputs):
        raise GraphError(
            f"macro network: inputs: expected {len(operations)} layers, found {len(inputs)}"
        )
    for layer, (operation, nodes) in enumerate(zip(operations, inputs, strict=True)):
        if not 0 <= operation < len(OPERATIONS):
            raise GraphError(
                f"macro network: layer {layer}: expected an operation from 0 to "
                f"{len(OPERATIONS) - 1}, found {operation}"
            )
        if not nodes or len(set(nodes)) < len(nodes) or not set(nodes) <= set(range(layer + 1)):
            raise GraphError(
                f"macro network: layer {layer}: expected inputs from 0 to {layer}, each once, "
                f"at least one, found {nodes}"
            )


@lru_cache
def _costs(config: MacroConfig) -> tuple[tuple[int, int], tuple[tuple[int, int], ...]]:
    """(params, macs) of stem and head together, and of a layer by its operation."""
    width, pixels, classes = config.channels, config.image_size**2, config.num_classes
    norm = 2 * width
    layers = []
    for name, size in zip(OPERATIONS, KERNEL_SIZES, strict=True):
        dense, separable = width * width * size**2, width * size**2 + width * width
        weights = {"conv": dense, "sep": separable}.get(name.rstrip("x0123456789"), 0)
        layers.append((weights + norm if weights else 0, weights * pixels))
    stem, head = config.image_channels * width * 9, width * classes
    return (stem + norm + head + classes, stem * pixels + head), tuple(layers)


def __getattr__(name: str) -> Any:
    if name in ("MacroBank", "MacroNetwork"):
        from ngae.networks import macro_network

        return getattr(macro_network, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
