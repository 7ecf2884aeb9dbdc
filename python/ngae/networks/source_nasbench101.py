"""The source of a `CellNetwork101`: a cell written out vertex by vertex."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ngae.networks.nasbench101 import (
    KERNEL_WEIGHTS,
    OPERATIONS,
    NasBench101Config,
    check_cell,
    vertex_channels,
)
from ngae.networks.source import NetworkSource, listed, total

Edges = Sequence[tuple[int, int]]

_CODE = '''
def conv_bn_relu(entering: int, channels: int, size: int) -> nn.Module:
    """Convolution, batch norm, ReLU; 0.997 of the old statistics are kept in each step."""
    return nn.Sequential(
        nn.Conv2d(entering, channels, size, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels, eps=1e-5, momentum=0.003),
        nn.ReLU(),
    )


class Cell(nn.Module):
    """A cell; w1, w2, ... are the channels of its vertices, the input is projected to them."""

{head}
        super().__init__()
{widths}{operations}
{projections}

    def forward(self, h0: Tensor) -> Tensor:
{steps}


class Network(nn.Module):
    """Classifies images (batch, {image_channels}, {image_size}, {image_size}): \
scores (batch, {num_classes})."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn_relu({image_channels}, {stem_channels}, 3)
{stacks}
        self.head = nn.Linear({last}, {num_classes})

    def forward(self, images: Tensor) -> Tensor:
        h = self.stacks(self.stem(images))
        return self.head(h.mean(dim=(2, 3)))
'''


def cell101_source(
    operations: Sequence[int], edges: Edges, config: NasBench101Config
) -> NetworkSource:
    """Write `CellNetwork101(operations, edges, config)`.

    Raises:
        GraphError: Operations and edges that are no cell.
    """
    check_cell(operations, edges)
    inner = range(1, len(operations) + 1)
    widths = [_widths(len(operations), edges, channels) for _, channels, _ in config.stacks]
    cell = _Cell(len(operations) + 1, edges, widths)
    made = [
        f"{_operation(o, f'w{v}')}  # {v}: {OPERATIONS[o]}" for v, o in enumerate(operations, 1)
    ]
    projected = [
        f'"{v}": conv_bn_relu(entering, {cell.width(v)}, 1)' for u, v in sorted(edges) if u == 0
    ]
    names = ["self", "entering: int", "channels: int", *(f"w{v}: int" for v in inner)]
    kept = [f"        self.w{v} = w{v}" for v in inner if cell.is_cut(v)]
    code = _CODE.format(
        head=listed("def __init__(", names, ") -> None:", 4),
        widths="".join(f"{line}\n" for line in kept),
        operations=listed("self.operations = nn.ModuleList([", made, "])", 8),
        projections=listed("self.projections = nn.ModuleDict({", projected, "})", 8),
        steps="\n".join(cell.steps()),
        stacks=_stacks(config, widths),
        last=config.stacks[-1][1],
        **vars(config),
    )
    size = config.image_size
    return NetworkSource(code, (f"torch.zeros(2, {config.image_channels}, {size}, {size})",))


def _widths(count: int, edges: Edges, channels: int) -> list[int]:
    """Channels of the inner vertices."""
    adjacency = np.zeros((1, count + 2, count + 2), dtype=np.bool_)
    adjacency[0, [u for u, _ in edges], [v for _, v in edges]] = True
    found: list[int] = vertex_channels(adjacency, channels)[0].tolist()
    return found


class _Cell:
    """Which vertices feed which, and where channels are cut off.

    Args:
        last: Number of the output.
        edges: Of the cell.
        widths: Channels of the inner vertices, for each stack.
    """

    def __init__(self, last: int, edges: Edges, widths: Sequence[Sequence[int]]) -> None:
        self.last, self.edges, self.widths = last, set(edges), widths

    def width(self, vertex: int) -> str:
        """The name of its channels."""
        return "channels" if vertex == self.last else f"w{vertex}"

    def inputs(self, vertex: int) -> list[int]:
        """The inner vertices that feed it."""
        return [u for u in range(1, vertex) if (u, vertex) in self.edges]

    def is_cut(self, vertex: int) -> bool:
        """Whether it takes fewer channels than one of its inputs has, in some stack."""
        return any(self._cuts(u, vertex) for u in self.inputs(vertex))

    def _cuts(self, u: int, v: int) -> bool:
        return v != self.last and any(w[u - 1] > w[v - 1] for w in self.widths)

    def steps(self) -> list[str]:
        """The lines that compute the vertices, the output last."""
        lines = []
        for vertex in range(1, self.last):
            terms = [
                f"h{u}[:, : self.w{vertex}]" if self._cuts(u, vertex) else f"h{u}"
                for u in self.inputs(vertex)
            ]
            terms += self._projected(vertex)
            call = f"h{vertex} = self.operations[{vertex - 1}]("
            if len(line := f"        {call}{' + '.join(terms)})") <= 100:
                lines.append(line)
            else:
                lines += [total(terms, 8, "inputs = "), f"        {call}inputs)"]
        fed = [f"h{u}" for u in self.inputs(self.last)]
        joined = [f"torch.cat([{', '.join(fed)}], dim=1)"] if fed else []
        return [*lines, total([*joined, *self._projected(self.last)], 8, "return ")]

    def _projected(self, vertex: int) -> list[str]:
        return [f'self.projections["{vertex}"](h0)'] if (0, vertex) in self.edges else []


def _stacks(config: NasBench101Config, widths: Sequence[Sequence[int]]) -> str:
    stacks = []
    for number, (entering, channels, _) in enumerate(config.stacks):
        inner = "".join(f", {width}" for width in widths[number])
        parts = ["nn.MaxPool2d(2, ceil_mode=True)"] if number else []
        parts.append(f"Cell({entering}, {channels}{inner})")
        if config.cells_per_stack > 1:
            others = config.cells_per_stack - 1
            parts.append(f"*(Cell({channels}, {channels}{inner}) for _ in range({others}))")
        stacks.append(listed("nn.Sequential(", parts, ")", width=84))
    return listed("self.stacks = nn.Sequential(", stacks, ")", 8)


def _operation(number: int, channels: str) -> str:
    size = OPERATIONS[number][-1]
    if not KERNEL_WEIGHTS[number]:
        return f"nn.MaxPool2d({size}, 1, {int(size) // 2})"
    return f"conv_bn_relu({channels}, {channels}, {size})"
