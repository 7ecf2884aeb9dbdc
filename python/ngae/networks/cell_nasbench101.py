"""`CellNetwork101`: a network of NAS-Bench-101 (Ying et al. 2019) as a `torch.nn.Module`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ngae.networks.nasbench101 import (
    KERNEL_WEIGHTS,
    OPERATIONS,
    NasBench101Config,
    check_cell,
    vertex_channels,
)

Edges = Sequence[tuple[int, int]]


class CellNetwork101(nn.Module):
    """A stem, stacks of equal cells, and a linear layer on the mean over pixels.

    h = ReLU(BN(conv3x3(image))); for each stack but the first h = maxpool2x2(h); h = cell(h) for
    each cell of the stack; scores = head(mean over pixels of h).
    The skeleton of the published code (`model_builder.py`, github.com/google-research/nasbench),
    with its momentum of batch norm. Deviation: weights start as torch's layers do.

    Args:
        operations: Numbers into OPERATIONS, one for each inner vertex.
        edges: Pairs (u, v) with u < v; 0 is the input, len(operations) + 1 the output.
        config: Sizes of the network.

    Raises:
        GraphError: Operations and edges that are no cell.
    """

    def __init__(self, operations: Sequence[int], edges: Edges, config: NasBench101Config) -> None:
        super().__init__()
        check_cell(operations, edges)
        self.config = config
        self.stem = _conv_bn_relu(config.image_channels, config.stem_channels, 3)
        stacks = []
        for number, (entering, channels, _) in enumerate(config.stacks):
            parts: list[nn.Module] = [nn.MaxPool2d(2, ceil_mode=True)] if number else []
            for cell in range(config.cells_per_stack):
                parts.append(Cell101(operations, edges, channels if cell else entering, channels))
            stacks.append(nn.Sequential(*parts))
        self.stacks = nn.Sequential(*stacks)
        self.head = nn.Linear(config.stacks[-1][1], config.num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Classify images (batch, image_channels, size, size): scores (batch, num_classes)."""
        features: Tensor = self.stacks(self.stem(images))
        scores: Tensor = self.head(features.mean(dim=(2, 3)))
        return scores


class Cell101(nn.Module):
    """One cell; every convolution is followed by batch norm and ReLU.

    h_v = operation_v(sum over u != 0 that feed v of h_u cut to the channels of v
                      + projection_v(input) where the input feeds v);
    output = concatenation of the h_v that feed it + projection(input) where the input feeds it.

    Args:
        operations: As for `CellNetwork101`.
        edges: As for `CellNetwork101`.
        entering: Channels of the input.
        channels: Channels of the output.
    """

    def __init__(
        self, operations: Sequence[int], edges: Edges, entering: int, channels: int
    ) -> None:
        super().__init__()
        last = len(operations) + 1
        adjacency = np.zeros((1, last + 1, last + 1), dtype=np.bool_)
        adjacency[0, [u for u, _ in edges], [v for _, v in edges]] = True
        width = [entering, *vertex_channels(adjacency, channels)[0].tolist(), channels]
        self.width = tuple(width)
        self.inputs = tuple(
            tuple(u for u in range(1, v) if adjacency[0, u, v]) for v in range(last + 1)
        )
        self.operations = nn.ModuleList(
            _operation(operation, width[v]) for v, operation in enumerate(operations, 1)
        )
        self.projections = nn.ModuleDict(
            {str(v): _conv_bn_relu(entering, width[v], 1) for u, v in sorted(edges) if u == 0}
        )

    def forward(self, entering: Tensor) -> Tensor:
        """Run on (batch, entering, size, size): (batch, channels, size, size)."""
        vertices = [entering]
        for vertex, operation in enumerate(self.operations, 1):
            parts = [vertices[u][:, : self.width[vertex]] for u in self.inputs[vertex]]
            vertices.append(operation(self._sum(parts, vertex, entering)))
        fed = [vertices[u] for u in self.inputs[-1]]
        joined = [torch.cat(fed, dim=1)] if fed else []
        return self._sum(joined, len(vertices), entering)

    def _sum(self, parts: list[Tensor], vertex: int, entering: Tensor) -> Tensor:
        if str(vertex) in self.projections:
            parts = [*parts, self.projections[str(vertex)](entering)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total


def _conv_bn_relu(entering: int, channels: int, size: int) -> nn.Sequential:
    """Convolution, batch norm, ReLU; momentum as published (0.997 of the old statistics kept)."""
    return nn.Sequential(
        nn.Conv2d(entering, channels, size, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels, eps=1e-5, momentum=0.003),
        nn.ReLU(),
    )


def _operation(number: int, channels: int) -> nn.Module:
    """One operation, (batch, channels, size, size) to the same shape."""
    size = int(OPERATIONS[number][-1])
    if not KERNEL_WEIGHTS[number]:
        return nn.MaxPool2d(size, stride=1, padding=size // 2)
    return _conv_bn_relu(channels, channels, size)
