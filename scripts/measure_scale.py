"""Times what one core does, for the plan of scripts/scale_plan.py; prints JSON.

Times are seconds of one core's processor time, so that other work beside does not count; `flush`
alone is by the clock. What the numbers are stands at `scale_plan.Constants`.

Example:
  OMP_NUM_THREADS=1 python scripts/measure_scale.py
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ngae.data import DataConfig, Dataset, Table, load
from ngae.data.packed import write_packed
from ngae.data.sampling import draw_distinct
from ngae.evaluate.protocol import score
from ngae.files import append_line
from ngae.models import NGAEModel
from ngae.oracles import Ledger, Parallel
from ngae.oracles import Table as Known
from ngae.spaces.enas import EnasSpace
from ngae.train.checkpoint import encoded
from ngae.train.config import RunConfig
from ngae.train.draws import noise, order
from ngae.train.folder import RunFolder
from ngae.train.loop import Trainer

_SMALL, _LARGE = 16, 128  # graphs a step
_QUERIES, _STEPS = 500, 20


def timed(work: Callable[[], Any], times: int) -> float:
    """Least processor time of a call, in seconds; the first call does not count."""
    work()
    return min(_once(work) for _ in range(times))


def _once(work: Callable[[], Any]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def flush(folder: Path, times: int = 200) -> float:
    """Median of two appended lines, in seconds of the clock."""
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        for _ in range(2):
            append_line(folder / "lines", "x" * 500)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def measure(rows: int) -> dict[str, float]:
    """Time the constants on this machine with a table of `rows`; about a minute of one core."""
    torch.set_num_threads(1)
    data = _drawn(rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = _trainer(data, _SMALL, folder)
        large = _trainer(data, _LARGE, folder)
        drawn = order(len(data.train), 0, 0)
        steps = [timed(lambda t=trainer: t._step(drawn), 20) for trainer in (small, large)]
        return dict(
            step_small=steps[0],
            step_large=steps[1],
            noise=timed(lambda: noise(4096, 56, 0, 0), 5) / 4096,
            order=timed(lambda: order(10**6, 0, 0), 3) / 10**6,
            **_of_model(large.model.eval(), data),
            **_of_files(data.table, folder),
            query=_query(data.table, folder),
            flush=flush(folder),
            gradient=4 * sum(p.numel() for p in large.model.parameters() if p.grad is not None),
            checkpoint=len(encoded(large._state())),
        )


def _drawn(rows: int) -> Dataset:
    """A table of random architectures, a tenth of them for the test."""
    space = EnasSpace(6)
    dags = draw_distinct(space, rows, seed=0)
    costs = space.complexity(dags)
    table = Table(
        "drawn", space, dags, costs[:, 0] / costs[:, 0].max(), costs, "made",
        space.complexity_names, np.arange(1, rows + 1), "drawn",
    )  # fmt: skip
    test = rows // 10
    return Dataset(table, np.arange(test, rows), np.arange(test), DataConfig(), ())


def _trainer(data: Dataset, batch_size: int, folder: Path) -> Trainer:
    train = dataclasses.replace(RunConfig().train, batch_size=batch_size)
    config = dataclasses.replace(RunConfig(), train=train)
    return Trainer(config, data, RunFolder(folder / str(batch_size)))


@torch.no_grad()
def _of_model(model: NGAEModel, data: Dataset) -> dict[str, float]:
    some = data.train.dags[:1024]
    z = model.encode(some).mean
    climbed = timed(lambda: _climbed(model, z[:512]), 3) / 512 / _STEPS
    decoded = timed(lambda: model.decoder.sample(z, seed=0, stochastic=False), 3)
    return {
        "climb": climbed,
        "encode": timed(lambda: model.encode(some), 3) / len(some),
        "decode": decoded / len(z),
        "judge": timed(lambda: score(model, data.test, 512, 0), 2) / len(data.test),
    }


def _of_files(table: Table, folder: Path) -> dict[str, float]:
    packed = folder / "table.packed"
    write_packed(table, packed, computed=True)
    return {
        "load": timed(lambda: load(str(packed)), 3) / len(table),
        "packed": packed.stat().st_size / len(table),
    }


def _query(table: Table, folder: Path) -> float:
    with (
        ThreadPoolExecutor(4) as pool,
        Ledger(folder / "ledger.jsonl") as ledger,
        Parallel(Known(table), pool, ledger) as driver,
    ):
        return _once(lambda: driver.query_many(table.dags[:_QUERIES])) / _QUERIES


def _climbed(model: NGAEModel, z: Tensor) -> Tensor:
    return model.ascend(
        z, performance_weight=1.0, complexity_weights=[-0.1, 0.0], step_size=0.1, keep=[_STEPS]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000, help="to measure with")
    print(json.dumps(measure(parser.parse_args(argv).rows), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
