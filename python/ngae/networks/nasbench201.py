"""The networks of NAS-Bench-201: their sizes, operations, and exact costs by closed formula.

The formulas need no torch; `CellNetwork201` (from `ngae.networks.cell_nasbench201`) is the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.errors import GraphError, UsageError

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
KERNEL_WEIGHTS = (0, 0, 1, 9, 0)  # weights of an operation, in squares of its channels
CELL_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NUM_STAGES = 3


@dataclass(frozen=True)
class NasBench201Config:
    """Sizes of a NAS-Bench-201 network (Dong and Yang 2020, section 2.1); CIFAR-10's by default.

    Attributes:
        channels: Feature maps of the stem and of the first stage; each of the two others doubles
            them and halves the image.
        cells: Cells of a stage.
        num_classes: Classes that the network tells apart; 100 for CIFAR-100, 120 for
            ImageNet16-120.
        image_size: Height and width of an image, in pixels, a multiple of 4; 16 for
            ImageNet16-120.
        image_channels: Channels of an image.
    """

    channels: int = 16
    cells: int = 5
    num_classes: int = 10
    image_size: int = 32
    image_channels: int = 3

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if type(value) is not int or value < 1:
                raise UsageError(
                    f"NasBench201Config: {name}: expected an integer from 1, found {value}"
                )
        if self.image_size % 4:
            raise UsageError(
                f"NasBench201Config: image_size: expected a multiple of 4, found {self.image_size}"
            )

    @property
    def stages(self) -> tuple[tuple[int, int], ...]:
        """For each stage: channels and height of its images."""
        return tuple((self.channels << s, self.image_size >> s) for s in range(NUM_STAGES))


def cell_complexities(
    operations: NDArray[np.integer[Any]], config: NasBench201Config
) -> NDArray[np.int64]:
    """Count trainable parameters and multiply-adds of one image for many networks.

    params = base + sum over stages of cells (k c^2 + 2 c), summed over the convolutions of a cell,
    k = 9 or 1 for 3x3 or 1x1, c the stage's channels; macs likewise, k c^2 at each pixel.
    Convolutions on edges that carry zeros, or that lead nowhere, count like all others.
    As in the tables published for this space, macs hold the linear layer's bias: one for each
    class more than `ngae.networks.counts.count` finds.

    Args:
        operations: (num_cells, 6) numbers into OPERATIONS, edges as in CELL_EDGES.
        config: Sizes of the networks.

    Returns:
        int64 (num_cells, 2): params, macs.

    Raises:
        GraphError: No such operation, or an array of another shape.
    """
    if operations.ndim != 2 or operations.shape[1] != len(CELL_EDGES):
        raise GraphError(f"cell_complexities: expected (cells, 6), found {operations.shape}")
    if operations.size and not 0 <= operations.min() <= operations.max() < len(OPERATIONS):
        raise GraphError(f"cell_complexities: expected operations 0..{len(OPERATIONS) - 1}")
    base, *each = _costs(config)
    total = np.tile(np.array(base, dtype=np.int64), (len(operations), 1))
    for operation, cost in enumerate(each):
        total += (operations == operation).sum(axis=1)[:, None] * np.array(cost)
    return total


def _costs(config: NasBench201Config) -> list[tuple[int, int]]:
    """(params, macs) of everything but the cells, then of one edge by its operation."""
    (width, size), *later = config.stages
    stem = 9 * config.image_channels * width
    params, macs = stem + 2 * width, stem * size**2
    for channels, height in later:
        weights = (9 + 18 + 1) * channels**2 // 2
        params, macs = params + weights + 4 * channels, macs + weights * height**2
    last = config.stages[-1][0]
    head = (last + 1) * config.num_classes
    costs = [(params + 2 * last + head, macs + head)]
    for kernel in KERNEL_WEIGHTS:
        weights = config.cells * sum(kernel * c**2 for c, _ in config.stages)
        norms = config.cells * sum(2 * c for c, _ in config.stages if kernel)
        at_pixels = config.cells * sum(kernel * c**2 * height**2 for c, height in config.stages)
        costs.append((weights + norms, at_pixels))
    return costs


def check_operations(operations: Sequence[int]) -> None:
    """Require one known operation for each of the six edges.

    Raises:
        GraphError: Naming the edge, what was expected and what was found.
    """
    if len(operations) != len(CELL_EDGES):
        raise GraphError(f"cell network: expected 6 operations, found {len(operations)}")
    for (source, target), operation in zip(CELL_EDGES, operations, strict=True):
        if not 0 <= operation < len(OPERATIONS):
            raise GraphError(
                f"cell network: edge {target}<-{source}: expected an operation from 0 to "
                f"{len(OPERATIONS) - 1}, found {operation}"
            )
