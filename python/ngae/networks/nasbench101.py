"""The networks of NAS-Bench-101: their sizes, channels of a cell, and exact costs without torch.

`CellNetwork101` (from `ngae.networks.cell_nasbench101`) is the network itself. The formulas count
convolutions and the linear layer, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.errors import GraphError, UsageError

OPERATIONS = ("conv3x3", "conv1x1", "maxpool3x3")
KERNEL_WEIGHTS = (9, 1, 0)  # weights of an operation, in squares of its channels
MOST_INNER = 5

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class NasBench101Config:
    """Sizes of a NAS-Bench-101 network (Ying et al. 2019, section 2.1); the published by default.

    Attributes:
        stem_channels: Feature maps of the stem and of the first stack; each stack doubles them.
            At least 5, so that every vertex of a cell has one.
        num_stacks: Stacks of cells; the image is halved between them.
        cells_per_stack: Cells of a stack, all alike.
        num_classes: Classes that the network tells apart.
        image_size: Height and width of an image, in pixels.
        image_channels: Channels of an image.
    """

    stem_channels: int = 128
    num_stacks: int = 3
    cells_per_stack: int = 3
    num_classes: int = 10
    image_size: int = 32
    image_channels: int = 3

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = MOST_INNER if name == "stem_channels" else 1
            if type(value) is not int or value < least:
                raise UsageError(
                    f"NasBench101Config: {name}: expected an integer from {least}, found {value}"
                )

    @property
    def stacks(self) -> tuple[tuple[int, int, int], ...]:
        """For each stack: channels that enter it, channels of its cells, height of its images."""
        found, entering, size = [], self.stem_channels, self.image_size
        for stack in range(self.num_stacks):
            channels = self.stem_channels << stack
            found.append((entering, channels, size))
            entering, size = channels, (size + 1) // 2
        return tuple(found)


def vertex_channels(adjacency: NDArray[np.bool_], channels: int) -> Integers:
    """Channels of the inner vertices of cells of equal size that put out `channels`.

    The vertices that feed the output share its channels evenly, the first of them one more where
    they do not divide; any other vertex has the most of those that it feeds. The rule of
    `compute_vertex_channels` in the published code (github.com/google-research/nasbench).

    Args:
        adjacency: (num_cells, n, n), `[g, u, v]` true where u feeds v; vertex 0 is the input,
            n - 1 the output.
        channels: Channels of the output.

    Returns:
        int64 (num_cells, n - 2).
    """
    last = adjacency.shape[1] - 1
    feeds_output = adjacency[:, 1:last, last]
    share, rest = np.divmod(channels, np.maximum(feeds_output.sum(axis=1, keepdims=True), 1))
    found = np.where(feeds_output, share + (np.cumsum(feeds_output, axis=1) <= rest), 0)
    for v in range(last - 2, -1, -1):
        most = (adjacency[:, v + 1, 1:last] * found).max(axis=1, initial=0)
        found[:, v] = np.where(feeds_output[:, v], found[:, v], most)
    return found.astype(np.int64)


def cell_complexities(
    operations: NDArray[np.integer[Any]], adjacency: NDArray[np.bool_], config: NasBench101Config
) -> Integers:
    """Count trainable parameters and multiply-adds of one image for networks of equal-size cells.

    A cell that takes c channels and puts out d, with w_v channels at its inner vertex v, has
        sum over v of k_v w_v^2, k = 9, 1, 0 for conv3x3, conv1x1, maxpool3x3,
        + sum over v that the input feeds of c w_v, + c d where the input feeds the output
    weights, and two parameters of batch norm for every channel of a convolution's output. Each
    weight of a convolution is one multiply-add at each pixel; the linear layer has a bias, which
    is none.

    Args:
        operations: (num_cells, n - 2) numbers into OPERATIONS.
        adjacency: (num_cells, n, n) as for `vertex_channels`.
        config: Sizes of the networks.

    Returns:
        int64 (num_cells, 2): params, macs.

    Raises:
        GraphError: No such operation, or arrays of other shapes.
    """
    nodes = adjacency.shape[-1]
    if adjacency.shape[1:] != (nodes, nodes) or operations.shape != (len(adjacency), nodes - 2):
        raise GraphError(
            "cell_complexities: expected operations (cells, n - 2) and adjacency (cells, n, n), "
            f"found {operations.shape} and {adjacency.shape}"
        )
    if operations.size and not 0 <= operations.min() <= operations.max() < len(OPERATIONS):
        raise GraphError(f"cell_complexities: expected operations 0..{len(OPERATIONS) - 1}")
    kernel = np.array(KERNEL_WEIGHTS, dtype=np.int64)[operations]
    from_input = adjacency[:, 0, 1:]
    stem = 9 * config.image_channels * config.stem_channels
    head = (config.stem_channels << (config.num_stacks - 1)) * config.num_classes
    params = np.full(len(adjacency), stem + 2 * config.stem_channels + head + config.num_classes)
    macs = np.full(len(adjacency), stem * config.image_size**2 + head)
    for entering, channels, size in config.stacks:
        inner = vertex_channels(adjacency, channels)
        width = np.concatenate([inner, np.full((len(inner), 1), channels)], axis=1)
        projected = (from_input * width).sum(axis=1)
        operated = (kernel * inner**2).sum(axis=1)
        norm = 2 * (projected + ((kernel > 0) * inner).sum(axis=1))
        taken = entering + (config.cells_per_stack - 1) * channels
        weights = config.cells_per_stack * operated + taken * projected
        params += weights + config.cells_per_stack * norm
        macs += weights * size**2
    return np.stack([params, macs], axis=1)


def check_cell(operations: Sequence[int], edges: Sequence[tuple[int, int]]) -> None:
    """Require known operations, and every vertex on a path from input to output.

    Args:
        operations: Numbers into OPERATIONS, one for each inner vertex.
        edges: Pairs (u, v) with u < v; 0 is the input, len(operations) + 1 the output.

    Raises:
        GraphError: Naming the vertex, what was expected and what was found.
    """
    last = len(operations) + 1
    for vertex, operation in enumerate(operations, 1):
        if not 0 <= operation < len(OPERATIONS):
            raise GraphError(
                f"cell network: vertex {vertex}: expected an operation from 0 to "
                f"{len(OPERATIONS) - 1}, found {operation}"
            )
    for u, v in edges:
        if not 0 <= u < v <= last:
            raise GraphError(f"cell network: edge ({u}, {v}): expected 0 <= u < v <= {last}")
    dead = set(range(last)) - {u for u, _ in edges} | set(range(1, last + 1)) - {
        v for _, v in edges
    }
    if dead:
        raise GraphError(
            f"cell network: vertex {min(dead)}: expected a path from input to output through it, "
            "found none"
        )
