"""Compares search strategies whose queries are answered by shared weights on the digits.

For spaces that no table holds: ENAS networks of six layers (with the weights of the embedded table)
or of any other number (weights are trained first). Each strategy searches once a seed, from
nothing or, with --known, from the rows of the embedded table. Finished searches are kept in --out;
the same command goes on. --scratch trains the best found, and the table's best, one by one.

Examples:
  python scripts/compare_search.py runs/digits6-ngae-s0 --known --strategies gradient,random
  python scripts/compare_search.py runs/enas12 --layers 12 --strategies gradient,evolution,gp \\
      --seeds 20 --budget 200 --batch 4 --workers 2 --out enas12.jsonl
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

import ngae
from ngae.data import Table
from ngae.data.digits6 import SPACE
from ngae.oracles import SharedWeights, Training, TrainingConfig
from ngae.oracles.shared_weights import train_shared_weights
from ngae.oracles.weights_file import load_weights, save_weights
from ngae.search import SearchConfig, run_search
from ngae.search.config import STRATEGY_CONFIGS
from ngae.search.hypervolume import hypervolume
from ngae.search.registry import NEED_A_MODEL, strategy_named
from ngae.search.run import problem_of
from ngae.search.variants import variants_of
from ngae.spaces import space_named
from ngae.spaces.base import SearchSpace


@dataclass(frozen=True)
class Setting:
    """What all searches share.

    Attributes:
        run: Folder of the model; "" where no strategy needs one.
        layers: Layers of the networks.
        weights: File of the shared weights; "" for those of the embedded table.
        known: Whether the embedded table's rows are known.
        budget: Queries of a search.
        batch: Queries of a round.
        weigh: The complexity that counts, or "".
    """

    run: str
    layers: int
    weights: str
    known: bool
    budget: int
    batch: int
    weigh: str


def searched(setting: Setting, label: str, seed: int) -> dict[str, Any]:
    """Search once; a line for the file."""
    torch.set_num_threads(1)
    variant = variants_of(label, {name: kind() for name, kind in STRATEGY_CONFIGS.items()})[0]
    config = SearchConfig(
        strategy=variant.strategy,  # type: ignore[arg-type]
        seed=seed,
        budget=setting.budget,
        batch=setting.batch,
        weigh=setting.weigh,
    )
    oracle = oracle_of(setting)
    known = ngae.load("digits6").table if setting.known else Table.empty(oracle.space)
    problem = problem_of(known, oracle, config)
    model = ngae.NGAE.load(setting.run).model if variant.strategy in NEED_A_MODEL else None
    began = time.perf_counter()
    strategy = strategy_named(config, problem, variant.own, model)
    result = run_search(strategy, oracle, problem, config)
    asked = sum(trial.answer.cost_s for trial in result.trials)
    return {
        "strategy": label,
        "seed": seed,
        "setting": dataclasses.asdict(setting),
        "performance": [trial.answer.performance for trial in result.trials],
        "params": [trial.answer.complexity["params"] for trial in result.trials],
        "arch": [oracle.space.format(trial.dag) for trial in result.trials],
        "model_s": time.perf_counter() - began - asked,
    }


def oracle_of(setting: Setting) -> SharedWeights:
    """The oracle, with the weights of the embedded table or of the file."""
    if not setting.weights:
        return SharedWeights.for_digits6()
    return SharedWeights(space_of(setting.layers), load_weights(Path(setting.weights)))


def space_of(layers: int) -> Any:
    """ENAS networks of the sizes of the embedded table."""
    return space_named(f"enas{layers}").resized(**dataclasses.asdict(SPACE.network))


def trained_weights(layers: int) -> str:
    """Train shared weights for networks of `layers` layers, once; the file."""
    path = Path(f"shared-weights-enas{layers}.safetensors")
    if not path.exists():
        with tqdm(desc="train shared weights", unit="step") as bar:
            save_weights(
                path, train_shared_weights(space_of(layers), None, lambda *_: bar.update())
            )
    return str(path)


def lines_of(arguments: argparse.Namespace, setting: Setting) -> list[dict[str, Any]]:
    """Search whatever is not in the file yet; all lines."""
    out = Path(arguments.out)
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    if any(line["setting"] != dataclasses.asdict(setting) for line in lines):
        raise SystemExit(f"error: {out}: expected searches of these settings, found others")
    done = {(line["strategy"], line["seed"]) for line in lines}
    labels = [label.strip() for label in arguments.strategies.split(",")]
    jobs = [
        (label, seed)
        for seed in range(arguments.seeds)
        for label in labels
        if (label, seed) not in done
    ]
    with (
        ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool,
        out.open("a") as file,
    ):
        waiting = [pool.submit(searched, setting, *job) for job in jobs]
        for future in tqdm(as_completed(waiting), total=len(waiting), unit="search"):
            lines.append(future.result())
            file.write(json.dumps(lines[-1]) + "\n")
            file.flush()
    return [line for line in lines if line["strategy"] in labels]


def rows_of(lines: list[dict[str, Any]], budget: int) -> Iterator[str]:
    """A table: for each strategy the best after a quarter, half and all of the budget."""
    at = [budget // 4, budget // 2, budget]
    heads = [f"best @{n}" for n in at]
    yield f"{'strategy':40s} " + "  ".join(f"{h:>17s}" for h in heads) + "   s/query  seeds"
    for label in dict.fromkeys(line["strategy"] for line in lines):
        own = [line for line in lines if line["strategy"] == label]
        cells = []
        for n in at:
            best = np.array([max(line["performance"][:n]) for line in own])
            error = best.std(ddof=1) / len(best) ** 0.5 if len(best) > 1 else float("nan")
            cells.append(f"{best.mean():.5f} ± {error:.5f}")
        seconds = statistics.mean(line["model_s"] / len(line["performance"]) for line in own)
        yield (
            f"{label:40s} "
            + "  ".join(f"{c:>17s}" for c in cells)
            + f"  {seconds:8.3f}  {len(own):5d}"
        )


def against_the_table(lines: list[dict[str, Any]]) -> Iterator[str]:
    """How often the embedded table's best is beaten, and its front, by hypervolume."""
    table = ngae.load("digits6").table
    params = table.complexity[:, table.complexity_names.index("params")]
    rows, worst = np.stack([table.performance, -params / params.max()], axis=1), (0.0, -1.0)

    def points(line: dict[str, Any]) -> Any:
        return np.stack([line["performance"], -np.array(line["params"]) / params.max()], axis=1)

    whole = hypervolume(rows, worst)
    yield f"best of the table {table.performance.max():.5f}, hypervolume {whole:.5f}"
    for label in dict.fromkeys(line["strategy"] for line in lines):
        own = [line for line in lines if line["strategy"] == label]
        above = np.mean([max(line["performance"]) > table.performance.max() for line in own])
        found = np.array([hypervolume(np.concatenate([rows, points(line)]), worst) for line in own])
        more = np.mean(found > whole)
        yield (
            f"{label:40s} above the table's best in {above:.0%} of seeds; hypervolume of table and "
            f"queries together {np.mean(found):.5f}, more than the table's in {more:.0%}"
        )


def from_scratch(space: SearchSpace, texts: list[str], seeds: int) -> list[float]:
    """Mean accuracy of each architecture over trainings of its own."""
    oracles = [Training(space, TrainingConfig(seed=seed)) for seed in range(seeds)]
    dags = [space.parse(text) for text in texts]
    return [statistics.mean(o.query(dag).performance for o in oracles) for dag in dags]


def scratch_rows(lines: list[dict[str, Any]], count: int) -> Iterator[str]:
    """Train the best of each strategy, and of the table, from scratch."""
    table = ngae.load("digits6").table
    order = (-table.performance).argsort(kind="stable")[:count]
    best = {"the table": [SPACE.format(table.dags[int(row)]) for row in order]}
    for label in dict.fromkeys(line["strategy"] for line in lines):
        pairs = {
            arch: p
            for line in lines
            if line["strategy"] == label
            for arch, p in zip(line["arch"], line["performance"], strict=True)
        }
        best[label] = sorted(pairs, key=lambda arch: -pairs[arch])[:count]
    for label, texts in best.items():
        found = ", ".join(f"{value:.4f}" for value in from_scratch(SPACE, texts, 3))
        yield f"top {count} of {label} from scratch (3 seeds): {found}"


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", metavar="RUN", nargs="?", default="")
    parser.add_argument("--layers", type=int, default=6, metavar="N")
    parser.add_argument("--known", action="store_true", help="the embedded table's rows are known")
    parser.add_argument("--strategies", default="gradient,random", help="joined by commas")
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--budget", type=int, default=50, metavar="N")
    parser.add_argument("--batch", type=int, default=1, metavar="N")
    parser.add_argument("--weigh", default="", metavar="NAME", help="a complexity that counts, too")
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    parser.add_argument("--scratch", type=int, default=0, metavar="N", help="train the N best")
    parser.add_argument("--out", default="comparison.jsonl", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.known and arguments.layers != 6:
        parser.error("--known: the embedded table holds networks of 6 layers")
    weights = "" if arguments.layers == 6 else trained_weights(arguments.layers)
    setting = Setting(
        arguments.run,
        arguments.layers,
        weights,
        arguments.known,
        arguments.budget,
        arguments.batch,
        arguments.weigh,
    )
    lines = lines_of(arguments, setting)
    for row in rows_of(lines, arguments.budget):
        print(row)
    if arguments.layers == 6:
        for row in against_the_table(lines):
            print(row)
        for row in scratch_rows(lines, arguments.scratch) if arguments.scratch else ():
            print(row)


if __name__ == "__main__":
    main()
