"""A plan for a hundred million graphs and a thousand workers, computed from a few constants.

Prints the tables of docs/scale.md. `scripts/measure_scale.py` times the constants.

Example:
  python scripts/scale_plan.py
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

WORKERS = (1, 10, 100, 1000)
_ROWS, _TEST = 10**8, 10**4
_LOCAL = 128  # graphs a worker takes in a step
_SMALL = 16
_MOMENTS = 8 * (1 + 56 + 56 * 56)  # bytes of sums over a batch's latent points and their products
_SIGNAL = 8
_EVALUATIONS = (1, 60, 3600)  # seconds of an oracle


@dataclass(frozen=True)
class Constants:
    """What one core does; times in seconds of its processor time.

    Attributes:
        step_small: A training step of 16 graphs, all defaults.
        step_large: One of 128.
        noise: Drawing a graph's noise, which each worker does for the whole batch.
        order: Shuffling a row, likewise for the whole table.
        load: Loading a row of a packed table.
        judge: Judging a test row.
        encode: Encoding a graph.
        decode: Decoding a point, most probable.
        climb: A step of the ascent of one point.
        query: A query's way through the driver: executor of threads, ledger.
        flush: Waiting for the disk, twice for each query; by the clock, median.
        packed: Bytes of a graph in a packed table.
        gradient: Bytes of all gradients.
        checkpoint: Bytes of a checkpoint with the optimiser's state.
    """

    step_small: float
    step_large: float
    noise: float
    order: float
    load: float
    judge: float
    encode: float
    decode: float
    climb: float
    query: float
    flush: float
    packed: float
    gradient: int
    checkpoint: int


@dataclass(frozen=True)
class Cluster:
    """What is assumed of machines, and was not measured.

    Attributes:
        bytes_per_s: From one machine to the next.
        latency: Seconds of a message.
    """

    bytes_per_s: float = 1.25e9
    latency: float = 5e-5


@dataclass(frozen=True)
class Epoch:
    """Seconds of one epoch by some workers, part by part.

    Attributes:
        learn: Forward, backward and step of each worker's own graphs.
        noise: Each worker's draws for the whole batch.
        sums: The three sums of a step: of latent points, of gradients, of signals.
        alone: Order of the rows and judging of the test rows, which more workers make no shorter.
    """

    learn: float
    noise: float
    sums: float
    alone: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.learn + self.noise + self.sums + self.alone

    @property
    def largest(self) -> str:
        """The part that takes longest beside `learn`."""
        parts = {"noise": self.noise, "all-reduce": self.sums, "first process": self.alone}
        return max(parts, key=lambda name: parts[name])


# Two-core AMD EPYC (Zen 4) VM, torch 2.13.0, one thread.
MEASURED = Constants(
    step_small=0.0289,
    step_large=0.0514,
    noise=1.93e-07,
    order=1.33e-08,
    load=8.31e-07,
    judge=0.000147,
    encode=6.71e-05,
    decode=2.22e-05,
    climb=2.97e-05,
    query=0.000853,
    flush=0.00799,
    packed=93.0,
    gradient=5997068,
    checkpoint=18039156,
)


def all_reduce(gradient: float, workers: int, cluster: Cluster) -> float:
    """Seconds of one sum over a ring: `2 G (W - 1) / (W B) + 2 (W - 1) latency`."""
    hops = 2 * (workers - 1)
    return hops * gradient / workers / cluster.bytes_per_s + hops * cluster.latency


def epoch(constants: Constants, workers: int, cluster: Cluster) -> Epoch:
    """Plan an epoch in which each worker takes 128 graphs a step."""
    rows = _ROWS - _TEST
    steps = rows / (_LOCAL * workers)
    sizes = (_MOMENTS, constants.gradient, _SIGNAL)
    return Epoch(
        learn=steps * constants.step_large,
        noise=rows * constants.noise if workers > 1 else 0.0,
        sums=steps * sum(all_reduce(size, workers, cluster) for size in sizes),
        alone=rows * constants.order + _TEST * constants.judge,
    )


def training_table(constants: Constants, cluster: Cluster) -> str:
    """Lay out epochs as Markdown."""
    lines = [
        "| workers | graphs a step | learn, s | noise, s | all-reduce, s | alone, s | epoch "
        "| of it learning | core hours | largest rest |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for workers in WORKERS:
        plan = epoch(constants, workers, cluster)
        seconds = (plan.learn, plan.noise, plan.sums, plan.alone)
        lines.append(
            f"| {workers:,} | {_LOCAL * workers:,} | "
            + " | ".join(f"{part:,.0f}" for part in seconds)
            + f" | {_span(plan.total)} | {plan.learn / plan.total:.0%}"
            + f" | {workers * plan.total / 3600:,.0f} | {plan.largest} |"
        )
    return "\n".join(lines)


def once_table(constants: Constants) -> str:
    """Lay out as Markdown what a run does once, or holds."""
    c = constants
    most = WORKERS[-1]
    rows = [
        ("the packed table, mapped once on each machine", f"{_ROWS * c.packed / 1e9:.1f} GB"),
        ("order of the rows, in each worker", f"{_ROWS * 8 / 1e9:.1f} GB"),
        ("loading, in each worker", _span(_ROWS * c.load)),
        ("encoding all rows at the end, by the first worker", _span(_ROWS * c.encode)),
        (f"the same by {most:,} workers, which is not built", _span(_ROWS * c.encode / most)),
        ("climbing 1e6 points for 50 steps, one core", _span(5e7 * c.climb)),
        ("decoding 1e6 points, one core", _span(1e6 * c.decode)),
    ]
    return "\n".join(
        ["| what | how much |", "| --- | ---: |", *(f"| {a} | {b} |" for a, b in rows)]
    )


def search_table(constants: Constants) -> str:
    """Lay out as Markdown what share of the workers the driver can keep busy."""
    heads = " | ".join(f"evaluation of {_span(seconds)}" for seconds in _EVALUATIONS)
    lines = [f"| workers | {heads} |", "| ---: |" + " ---: |" * len(_EVALUATIONS)]
    for workers in WORKERS:
        busy = constants.query + constants.flush
        shares = [min(1.0, seconds / busy / workers) for seconds in _EVALUATIONS]
        lines.append(f"| {workers:,} | " + " | ".join(f"{share:.0%}" for share in shares) + " |")
    return "\n".join(lines)


def constants_table(constants: Constants) -> str:
    """Lay out the constants as Markdown."""
    c = constants
    rows = [
        ("training, steps of 128 graphs", f"{_LOCAL / c.step_large:,.0f} graphs/s"),
        ("training, steps of 16 graphs", f"{_SMALL / c.step_small:,.0f} graphs/s"),
        ("noise of a step", f"{1 / c.noise:,.0f} graphs/s"),
        ("shuffling", f"{1 / c.order:,.0f} rows/s"),
        ("loading a packed table", f"{1 / c.load:,.0f} rows/s"),
        ("judging test rows", f"{1 / c.judge:,.0f} rows/s"),
        ("encoding", f"{1 / c.encode:,.0f} graphs/s"),
        ("decoding, most probable", f"{1 / c.decode:,.0f} points/s"),
        ("ascent, nine predictors", f"{1 / c.climb:,.0f} point steps/s"),
        ("queries through the driver", f"{1 / c.query:,.0f} queries/s"),
        ("the same with two flushes to the disk", f"{1 / (c.query + c.flush):,.0f} queries/s"),
        ("a graph in a packed table", f"{c.packed:.0f} bytes"),
        ("gradients of a step", f"{c.gradient / 1e6:.2f} MB"),
        ("checkpoint", f"{c.checkpoint / 1e6:.2f} MB"),
    ]
    return "\n".join(
        ["| what | one core |", "| --- | ---: |", *(f"| {a} | {b} |" for a, b in rows)]
    )


def tables(constants: Constants, cluster: Cluster) -> list[str]:
    """All tables of docs/scale.md, in their order."""
    return [
        constants_table(constants),
        training_table(constants, cluster),
        once_table(constants),
        search_table(constants),
    ]


def _span(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * size or (seconds == size and unit != "days"):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args(argv)
    print("\n\n".join(tables(MEASURED, Cluster())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
