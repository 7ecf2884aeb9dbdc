"""The source of a `CellNetwork201`: a cell written out edge by edge."""

from __future__ import annotations

from collections.abc import Sequence

from ngae.networks.nasbench201 import (
    CELL_EDGES,
    OPERATIONS,
    NasBench201Config,
    check_operations,
)
from ngae.networks.source import NetworkSource, listed, total

_CODE = '''
def relu_conv_bn(entering: int, channels: int, size: int, stride: int = 1) -> nn.Module:
    """ReLU, convolution, batch norm."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(entering, channels, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels),
    )


class Cell(nn.Module):
    """Four nodes, h0 to h3; the number of an operation is that of its edge."""

    def __init__(self, channels: int) -> None:
        super().__init__()
{operations}

    def forward(self, h0: Tensor) -> Tensor:
{steps}
        return h3


class Residual(nn.Module):
    """Halves the image: two convolutions beside a pooled 1x1 convolution."""

    def __init__(self, entering: int, channels: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            relu_conv_bn(entering, channels, 3, stride=2), relu_conv_bn(channels, channels, 3)
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, stride=2), nn.Conv2d(entering, channels, 1, bias=False)
        )

    def forward(self, h: Tensor) -> Tensor:
        return self.shortcut(h) + self.convolutions(h)


class Network(nn.Module):
    """Classifies images (batch, {image_channels}, {image_size}, {image_size}): \
scores (batch, {num_classes})."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d({image_channels}, {channels}, 3, padding=1, bias=False), \
nn.BatchNorm2d({channels})
        )
        self.cells = nn.Sequential(
            *(Cell({channels}) for _ in range({cells})),
            Residual({channels}, {twice}),
            *(Cell({twice}) for _ in range({cells})),
            Residual({twice}, {last}),
            *(Cell({last}) for _ in range({cells})),
        )
        self.norm = nn.Sequential(nn.BatchNorm2d({last}), nn.ReLU())
        self.head = nn.Linear({last}, {num_classes})

    def forward(self, images: Tensor) -> Tensor:
        h = self.norm(self.cells(self.stem(images)))
        return self.head(h.mean(dim=(2, 3)))
'''


def cell201_source(operations: Sequence[int], config: NasBench201Config) -> NetworkSource:
    """Write `CellNetwork201(operations, config)`.

    Raises:
        GraphError: Operations that are no cell.
    """
    check_operations(operations)
    names = [OPERATIONS[operation] for operation in operations]
    items = [
        f'"{edge}": {module}  # {source} -> {target}: {name}'
        for edge, ((source, target), name) in enumerate(zip(CELL_EDGES, names, strict=True))
        if (module := _module(name))
    ]
    code = _CODE.format(
        operations=listed("self.operations = nn.ModuleDict({", items, "})", 8),
        steps="\n".join(_step(target, names) for target in (1, 2, 3)),
        twice=2 * config.channels,
        last=4 * config.channels,
        **vars(config),
    )
    size = config.image_size
    return NetworkSource(code, (f"torch.zeros(2, {config.image_channels}, {size}, {size})",))


def _step(target: int, names: Sequence[str]) -> str:
    """The line that computes a node; the operation `none` adds nothing."""
    terms = []
    for edge, (source, end) in enumerate(CELL_EDGES):
        if end == target and names[edge] == "skip_connect":
            terms.append(f"h{source}")
        elif end == target and names[edge] != "none":
            terms.append(f'self.operations["{edge}"](h{source})')
    return total(terms or ["torch.zeros_like(h0)"], 8, f"h{target} = ")


def _module(name: str) -> str:
    if name == "avg_pool_3x3":
        return "nn.AvgPool2d(3, 1, 1, count_include_pad=False)"
    return f"relu_conv_bn(channels, channels, {name[-1]})" if "conv" in name else ""
