"""`CellNetwork201`: a network of NAS-Bench-201 (Dong and Yang 2020) as a `torch.nn.Module`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ngae.networks.nasbench201 import (
    CELL_EDGES,
    OPERATIONS,
    NasBench201Config,
    check_operations,
)


class CellNetwork201(nn.Module):
    """A stem, three stages of equal cells, and a linear layer on the mean over pixels.

    h = BN(conv3x3(image)); for each stage but the first h = residual(h), which halves the image
    and doubles the channels; h = cell(h) for each cell of the stage;
    scores = head(mean over pixels of ReLU(BN(h))).
    The skeleton of the paper's section 2.1 and of the published code
    (github.com/D-X-Y/NAS-Bench-201). Deviation: weights start as torch's layers do.

    Args:
        operations: Numbers into OPERATIONS for the edges 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2.
        config: Sizes of the network.

    Raises:
        GraphError: Operations that are no cell.
    """

    def __init__(self, operations: Sequence[int], config: NasBench201Config) -> None:
        super().__init__()
        check_operations(operations)
        self.config = config
        self.stem = nn.Sequential(
            nn.Conv2d(config.image_channels, config.channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(config.channels),
        )
        parts: list[nn.Module] = []
        for stage, (channels, _) in enumerate(config.stages):
            if stage:
                parts.append(ResidualBlock201(channels // 2, channels))
            parts += [Cell201(operations, channels) for _ in range(config.cells)]
        self.cells = nn.Sequential(*parts)
        last = config.stages[-1][0]
        self.norm = nn.Sequential(nn.BatchNorm2d(last), nn.ReLU())
        self.head = nn.Linear(last, config.num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Classify images (batch, image_channels, size, size): scores (batch, num_classes)."""
        features: Tensor = self.norm(self.cells(self.stem(images)))
        scores: Tensor = self.head(features.mean(dim=(2, 3)))
        return scores


class Cell201(nn.Module):
    """One cell: h_0 = input; h_v = sum over u < v of operation_{uv}(h_u); output = h_3.

    Every operation runs, on zeros and into nothing, too, as in the published code.

    Args:
        operations: As for `CellNetwork201`.
        channels: Channels of input and output.
    """

    def __init__(self, operations: Sequence[int], channels: int) -> None:
        super().__init__()
        self.operations = nn.ModuleList(_operation(o, channels) for o in operations)

    def forward(self, entering: Tensor) -> Tensor:
        """Run on (batch, channels, size, size): the same shape."""
        nodes = [entering, *[torch.zeros_like(entering)] * 3]
        for (source, target), operation in zip(CELL_EDGES, self.operations, strict=True):
            nodes[target] = nodes[target] + operation(nodes[source])
        return nodes[3]


class ResidualBlock201(nn.Module):
    """Two convolutions of which the first halves the image, beside a pooled 1x1 convolution.

    Args:
        entering: Channels of the input.
        channels: Channels of the output.
    """

    def __init__(self, entering: int, channels: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            _relu_conv_bn(entering, channels, 3, stride=2), _relu_conv_bn(channels, channels, 3)
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, stride=2), nn.Conv2d(entering, channels, 1, bias=False)
        )

    def forward(self, entering: Tensor) -> Tensor:
        """Run on (batch, entering, size, size): (batch, channels, size / 2, size / 2)."""
        leaving: Tensor = self.shortcut(entering) + self.convolutions(entering)
        return leaving


class Zero(nn.Module):
    """The operation `none`: zeros of the input's shape."""

    def forward(self, entering: Tensor) -> Tensor:
        """Return zeros."""
        return torch.zeros_like(entering)


def _relu_conv_bn(entering: int, channels: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(entering, channels, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels),
    )


def _operation(number: int, channels: int) -> nn.Module:
    """One operation, (batch, channels, size, size) to the same shape."""
    name = OPERATIONS[number]
    if name == "none":
        return Zero()
    if name == "skip_connect":
        return nn.Identity()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return _relu_conv_bn(channels, channels, int(name[-1]))
