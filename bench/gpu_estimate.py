"""`python -m bench.gpu_estimate`: operations and bytes of propagation on a GPU, and a time by them.

Nothing is measured here: kernels are counted as `cuda/dag_gru*.cu` launches them, and each takes
the longest of its operations at the device's peak rate, its bytes at the memory's, the steps of
its loop one after the other, and the least time between two kernels.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.graphs import graph_batch
from ngae import console
from ngae.batch import GraphBatch

TILE_ROWS, TILE_COLUMNS, TILE_STEP = 64, 32, 32  # as in cuda/operands.cuh
FEW_ROWS, SPLIT = 128, 8  # as in cuda/dag_gru_backward.cu
LOADS = 4  # that a thread has under way when it adds up a list
NUMBER = 4  # bytes


@dataclass(frozen=True)
class Device:
    """What a device can do; rates from its data sheet, times assumed.

    Attributes:
        name: What it is called.
        rates: Operations a second of products, by precision.
        bandwidth: Bytes a second of its memory.
        processors: Streaming multiprocessors; each is taken to hold two blocks.
        launch: Seconds from one kernel to the next of a stream.
        step: Seconds of one step of a loop, however small: loads, then arithmetic.
    """

    name: str
    rates: dict[str, float]
    bandwidth: float
    processors: int
    launch: float
    step: float


# NVIDIA H100 SXM: data sheet; bf16 without sparsity. The two times are assumptions.
H100 = Device("H100 SXM", {"float32": 67e12, "bf16": 989e12}, 3.35e12, 132, 2.5e-6, 0.4e-6)


@dataclass(frozen=True)
class Kernel:
    """One launch.

    Attributes:
        name: The kernel.
        level: Of the batch; -1 for what comes after the levels.
        rows: Nodes.
        operations: Multiplications and additions of its product, of whole tiles.
        bytes: Read and written, each weight and each row once.
        steps: Steps of its longest loop, one after the other.
        blocks: Of the grid.
    """

    name: str
    level: int
    rows: int
    operations: float
    bytes: float
    steps: int
    blocks: int

    def seconds(self, device: Device, precision: str) -> float:
        """Estimate its time."""
        waves = math.ceil(self.blocks / (2 * device.processors))
        return max(
            self.operations / device.rates[precision],
            self.bytes / device.bandwidth,
            waves * self.steps * device.step,
            device.launch,
        )


def forward_kernels(batch: GraphBatch, hidden: int) -> Iterator[Kernel]:
    """List what `dag_gru_forward` launches for a batch that is already merged."""
    for level, rows, edges, most in _levels(batch, batch.pred_ptr.diff().tolist()):
        yield _sums("aggregate", level, rows, hidden, edges + rows, most)
        depth = 0 if level == 0 else hidden
        yield _product("update_states", level, rows, depth, 3, hidden, reads=2, writes=4)
        if level + 1 < batch.num_levels:
            yield _product("send_messages", level, rows, hidden, 2, hidden, reads=1, writes=3)


def backward_kernels(batch: GraphBatch, hidden: int) -> Iterator[Kernel]:
    """List what `dag_gru_backward` launches, and the products over all nodes behind it."""
    levels = list(_levels(batch, batch.succ_ptr.diff().tolist()))
    for level, rows, edges, most in reversed(levels):
        longest = math.ceil(most / SPLIT) if rows <= FEW_ROWS else most
        yield _sums("send_backward", level, rows, hidden, edges + 4 * rows, longest)
        depth = 2 * hidden if level + 1 < batch.num_levels else 0
        yield _product("update_backward", level, rows, depth, 1, hidden, reads=7, writes=5)
        if level > 0:
            yield _product(
                "aggregate_backward", level, rows, 3 * hidden, 1, hidden, reads=4, writes=1
            )
    nodes = batch.num_nodes
    for name, outputs in (("w_hh", 3 * hidden), ("w_message", 2 * hidden)):
        count = 2.0 * nodes * outputs * hidden
        size = NUMBER * (nodes * (outputs + hidden) + outputs * hidden)
        yield Kernel(name, -1, nodes, count, size, 0, 1)


def _levels(batch: GraphBatch, degree: list[int]) -> Iterator[tuple[int, int, int, int]]:
    """Number, nodes, edges and greatest degree of each level."""
    nodes, bounds = batch.level_node.tolist(), batch.level_ptr.tolist()
    for level in range(batch.num_levels):
        of_level = nodes[bounds[level] : bounds[level + 1]]
        degrees = [degree[node] for node in of_level]
        yield level, len(of_level), sum(degrees), max(degrees)


def _sums(name: str, level: int, rows: int, hidden: int, rows_moved: int, longest: int) -> Kernel:
    """Sums of lists of rows; blocks are small, and a processor holds many."""
    return Kernel(
        name, level, rows, 0.0, NUMBER * rows_moved * hidden, math.ceil(longest / LOADS), 1
    )


def _product(
    name: str,
    level: int,
    rows: int,
    depth: int,
    groups: int,
    hidden: int,
    reads: int,
    writes: int,
) -> Kernel:
    """A product of `depth` numbers a row with `groups` times `hidden` columns."""
    row_tiles, column_tiles = math.ceil(rows / TILE_ROWS), math.ceil(hidden / TILE_COLUMNS)
    if groups == 1:
        column_tiles = math.ceil(hidden / (2 * TILE_COLUMNS))
    operations = 2.0 * row_tiles * TILE_ROWS * depth * groups * hidden
    size = NUMBER * (depth * groups * hidden + rows * hidden * (reads + writes))
    steps = math.ceil(depth / TILE_STEP)
    return Kernel(name, level, rows, operations, size, steps, row_tiles * column_tiles)


def main(argv: Sequence[str] | None = None) -> None:
    """Print the counts and the estimates as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.gpu_estimate", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("--hidden", type=int, default=501, help="size of a node state")
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 512, 4096], metavar="GRAPHS")
    given = parser.parse_args(argv)
    for graphs in given.batch:
        console.give("\n".join(_page(graphs, given.hidden)))


def _page(graphs: int, hidden: int) -> list[str]:
    merged = graph_batch("enas", graphs).merge(1, True)[0]
    forward = list(forward_kernels(merged, hidden))
    backward = list(backward_kernels(merged, hidden))
    lines = [
        f"### {graphs} graphs, hidden {hidden}: {merged.num_nodes} nodes after merging",
        "",
        "| level | nodes | forward: 1e6 operations | MB | backward: 1e6 operations | MB |",
        "|---|---|---|---|---|---|",
    ]
    for level in [*range(merged.num_levels), -1]:
        cells = []
        for kernels in (forward, backward):
            chosen = [kernel for kernel in kernels if kernel.level == level]
            cells.append(f"{sum(k.operations for k in chosen) / 1e6:,.0f}")
            cells.append(f"{sum(k.bytes for k in chosen) / 1e6:,.1f}")
        rows = max((k.rows for k in forward + backward if k.level == level), default=0)
        name = "weights" if level < 0 else str(level)
        lines.append(f"| {name} | {rows} | {' | '.join(cells)} |")
    lines += ["", f"| {H100.name}, estimate | launches | float32 | bf16 |", "|---|---|---|---|"]
    for name, kernels in (("forward", forward), ("backward", backward)):
        times = [
            f"{1e3 * sum(k.seconds(H100, precision) for k in kernels):.2f} ms"
            for precision in H100.rates
        ]
        lines.append(f"| {name} | {len(kernels)} | {' | '.join(times)} |")
    return [*lines, ""]


if __name__ == "__main__":
    main()
