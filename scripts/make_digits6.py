"""Make the embedded table digits6: train shared weights, draw architectures, count, pack.

The same kind of CPU gives the same bytes: every process computes with one thread.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from ngae.dag import Dag
from ngae.data.digits6 import SPACE, TABLE, WEIGHTS, Digits6, load_digits6, pack
from ngae.files import write_bytes
from ngae.oracles.digits import VALIDATION_IMAGES
from ngae.oracles.shared_weights import (
    SharedWeights,
    SharedWeightsConfig,
    train_shared_weights,
)
from ngae.oracles.weights_file import load_weights, save_weights

NUM_ROWS = 19_020
SAMPLE_SEED = 1
CHUNK = 500
EXAMPLES = """\
examples:
  python scripts/make_digits6.py --out build/digits6 --jobs 2
  python scripts/make_digits6.py --check 200
"""


def main() -> int:
    """Make the two files, or compare rows of the embedded ones; the exit code."""
    arguments = _parser().parse_args()
    torch.set_num_threads(1)
    if arguments.check:
        return _check(arguments.check, arguments.jobs)
    _make(arguments.out, arguments.jobs)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, default=TABLE.parent, help="folder to write to (default: the package)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument(
        "--check", type=int, default=0, metavar="N",
        help="evaluate N rows of the embedded table again and compare; writes nothing",
    )  # fmt: skip
    return parser


def _make(out: Path, jobs: int) -> None:
    config = SharedWeightsConfig()
    with tqdm(total=config.steps, unit="step", desc="train") as bar:
        bank = train_shared_weights(SPACE, config, lambda step, loss: bar.update())
    weights = out / WEIGHTS.name
    save_weights(weights, bank)
    dags = draw(NUM_ROWS, SAMPLE_SEED)
    correct = count_correct(weights, dags, jobs)
    content = Digits6(
        operations=np.array([SPACE.layers(dag)[0] for dag in dags], dtype=np.uint8),
        flags=np.array([_flags(dag) for dag in dags], dtype=np.uint8),
        correct=correct.astype(np.uint16),
        num_images=VALIDATION_IMAGES,
        weights_digest=hashlib.sha256(weights.read_bytes()).digest(),
    )
    write_bytes(out / TABLE.name, pack(content))
    accuracy = correct / VALIDATION_IMAGES
    print(
        f"{out / TABLE.name}: {len(dags)} rows, accuracy min {accuracy.min():.4f} "
        f"mean {accuracy.mean():.4f} max {accuracy.max():.4f} std {accuracy.std():.4f}, "
        f"{len(np.unique(correct))} distinct values"
    )


def _check(rows: int, jobs: int) -> int:
    table = load_digits6()
    rows = min(rows, len(table))
    chosen = np.sort(np.random.default_rng(0).permutation(len(table))[:rows])
    counted = count_correct(WEIGHTS, [table.dags[row] for row in chosen], jobs)
    stored = np.rint(table.performance[chosen] * VALIDATION_IMAGES).astype(np.int64)
    differing = np.abs(counted - stored)
    print(
        f"{rows} rows evaluated again: {int((differing > 0).sum())} differ, "
        f"by at most {int(differing.max())} of {VALIDATION_IMAGES} images"
    )
    return int(differing.max() > 2)


def draw(rows: int, seed: int) -> list[Dag]:
    """Draw `rows` distinct architectures uniformly, in the order of drawing."""
    rng = np.random.default_rng(seed)
    found: dict[Dag, None] = {}
    while len(found) < rows:
        found.setdefault(SPACE.sample(rng))
    return list(found)


def count_correct(weights: Path, dags: list[Dag], jobs: int) -> NDArray[np.int64]:
    """Count with `jobs` processes; (len(dags),) in the order of `dags`, whatever their number."""
    order = sorted(
        range(len(dags)), key=lambda row: list(zip(*SPACE.layers(dags[row]), strict=True))
    )
    correct = np.zeros(len(dags), dtype=np.int64)
    # Neighbours in the order share their first layers, so that a chunk computes them once.
    chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]
    context = get_context("spawn")
    with (
        ProcessPoolExecutor(jobs, context, _start_worker, (weights,)) as pool,
        tqdm(total=len(dags), unit="arch", desc="evaluate", file=sys.stderr) as bar,
    ):
        waiting = {pool.submit(_count, [dags[row] for row in chunk]): chunk for chunk in chunks}
        for done in as_completed(waiting):
            correct[waiting[done]] = done.result()
            bar.update(len(waiting[done]))
    return correct


_worker: list[SharedWeights] = []


def _start_worker(weights: Path) -> None:
    torch.set_num_threads(1)
    _worker.append(SharedWeights(SPACE, load_weights(weights)))


def _count(dags: list[Dag]) -> NDArray[np.int64]:
    return _worker[0].count_correct(dags)


def _flags(dag: Dag) -> list[int]:
    return [int(j in dag.predecessors[k + 1]) for k in range(SPACE.num_layers) for j in range(k)]


if __name__ == "__main__":
    sys.exit(main())
