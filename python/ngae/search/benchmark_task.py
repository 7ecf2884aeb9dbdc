"""One search of a benchmark: the table answers, nothing is known at the start.

`search_once` runs in any process; each process reads the table, and the model, once.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ngae.data import Table as Records
from ngae.data import load_config
from ngae.data.cache import table_of
from ngae.data.catalog import find
from ngae.data.config import DataConfig
from ngae.data.raw import Problems, read_text
from ngae.data.readers import SOURCES
from ngae.errors import DataError, UsageError
from ngae.models import NGAEModel
from ngae.oracles.asking import askable
from ngae.oracles.base import Answer
from ngae.oracles.table import Table
from ngae.search.base import Candidate, LatentModel, Strategy, Trial
from ngae.search.benchmarks import OWN, Benchmark
from ngae.search.config import SearchConfig, StrategyConfig
from ngae.search.problem import Objective, Problem
from ngae.search.registry import NEED_A_MODEL, strategy_named
from ngae.search.run import limits_of, run_search
from ngae.train.folder import RunFolder
from ngae.train.model import load_model

Line = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One search, in plain settings that go to any process.

    Attributes:
        benchmark: What is searched.
        data: How its table is read; `data_of` makes it.
        search: The name of the strategy, seed, budget.
        own: Settings of the strategy; None stands for its defaults.
        model: Run folder of the model, for a strategy that needs one; else "".
        device: Where the model is to be; "" stands for where it was trained.
        label: What the strategy is called in results; "" stands for its name.
    """

    benchmark: Benchmark
    data: DataConfig
    search: SearchConfig
    own: StrategyConfig | None = None
    model: str = ""
    device: str = ""
    label: str = ""

    @property
    def pair(self) -> tuple[str, int]:
        """What the strategy is called, and the seed."""
        return self.label or self.search.strategy, self.search.seed


@dataclass(frozen=True, eq=False)
class Ground:
    """What all searches of a benchmark share; it keeps nothing of any of them.

    Attributes:
        benchmark: The benchmark.
        table: All rows.
        oracle: Who answers from them.
        problem: What is looked for; no row is known.
    """

    benchmark: Benchmark
    table: Records
    oracle: Table
    problem: Problem

    def counts(self, answer: Answer) -> bool:
        """Whether an answer has a performance, keeps the limits and reaches the floor."""
        return self.problem.objective.counts(answer)


def data_of(benchmark: Benchmark, table: str, given: DataConfig) -> DataConfig:
    """Return how the table of `benchmark` is read.

    Args:
        benchmark: The benchmark.
        table: A file, or the name of a table; "" for the benchmark's own in the cache.
        given: Settings of the file that the benchmark does not decide, such as `join`.

    Raises:
        DataError: The table was not fetched, or lacks columns.
        UsageError: One's own benchmark without a table.
    """
    if not table and not benchmark.data:
        raise UsageError(
            f"--benchmark {benchmark.name}: expected a table, found none",
            remedy="pass --table FILE",
        )
    if benchmark.name == OWN:
        return dataclasses.replace(given, data=table)
    name = table or benchmark.data
    settings = benchmark.settings(given)
    entry = find(name)
    if entry is not None and not entry.embedded:
        cached = table_of(name)
        settings = dataclasses.replace(settings, arch_col=cached.settings["arch_col"])
        name = str(cached.path)
    settings = dataclasses.replace(settings, data=name)
    _check_columns(benchmark, settings)
    return settings


def _check_columns(benchmark: Benchmark, data: DataConfig) -> None:
    files = [data.data, *(path.strip() for path in data.join.split(",") if path.strip())]
    here: dict[str, None] = {}
    for path in files:
        source = SOURCES.get(Path(path.removesuffix(".gz")).suffix)
        if source is None or not Path(path).is_file():
            return  # reading the table says what is wrong
        problems = Problems(path)
        here |= dict.fromkeys(source(read_text(Path(path), problems), problems).names)
    missing = [name for name in benchmark.columns if name not in here]
    if missing:
        join = "pass the file that has them with --join" if benchmark.join else None
        raise DataError(
            f"{', '.join(files)}: expected the columns {', '.join(missing)} of the benchmark "
            f"{benchmark.name}, found {', '.join(here)}",
            remedy=join or "pass a file that has them with --table",
        )


@lru_cache(maxsize=1)
def ground_of(benchmark: Benchmark, data: DataConfig) -> Ground:
    """Read the table of a benchmark and say what is looked for.

    Raises:
        DataError: The table cannot be read.
        UsageError: A limit, or a complexity that counts, which the table does not tell.
    """
    table = load_config(data).table
    oracle = Table(table)
    names = table.complexity_names
    for name in benchmark.down:
        if name not in names:
            raise UsageError(f"--weigh: expected one of {', '.join(names)}, found {name!r}")
    floor = -np.inf if benchmark.floor is None else benchmark.floor
    objective = Objective(benchmark.down, limits_of(benchmark.constraint, names), floor)
    known = table.subset(np.zeros(0, dtype=np.int64))
    problem = Problem(table.space, known, askable(oracle, known), objective)
    return Ground(benchmark, table, oracle, problem)


@lru_cache(maxsize=1)
def _model(path: str, device: str, space: str) -> NGAEModel:
    run = RunFolder(Path(path))
    config = run.read_trusted_config(space)
    if device:
        config = dataclasses.replace(config, train=dataclasses.replace(config.train, device=device))
    return load_model(run, load_config(config.data), config)


class Timed:
    """A strategy with the seconds that each of its candidates took to be proposed."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.seconds: list[float] = []

    def ask(self, count: int) -> list[Candidate]:
        """Propose; the time is shared evenly by what is proposed."""
        started = time.perf_counter()
        candidates = self.strategy.ask(count)
        share = (time.perf_counter() - started) / max(1, len(candidates))
        self.seconds += [share] * len(candidates)
        return candidates

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn answers."""
        self.strategy.tell(trials)


def _model_for(task: Task, ground: Ground) -> LatentModel:
    model = _model(task.model, task.device, task.data.code)
    if model.space.name != ground.table.space.name:
        raise UsageError(
            f"{task.model}: expected a model of the space {ground.table.space.name}, found one of "
            f"{model.space.name}"
        )
    return model


def search_once(task: Task) -> list[Line]:
    """Search once.

    Returns:
        One line of `trials.jsonl` a query, in the order of asking.

    Raises:
        UsageError: The model is of another space.
        RefusedError: Nothing could be proposed.
    """
    ground = ground_of(task.benchmark, task.data)
    model = _model_for(task, ground) if task.search.strategy in NEED_A_MODEL else None
    strategy = Timed(strategy_named(task.search, ground.problem, task.own, model))
    result = run_search(strategy, ground.oracle, ground.problem, task.search)
    whole = {"queries": len(result.trials)}
    return [
        {**_line(task, ground, trial), "model_seconds": seconds, **whole}
        for trial, seconds in zip(result.trials, strategy.seconds, strict=True)
    ]


def _line(task: Task, ground: Ground, trial: Trial) -> Line:
    answer = trial.answer
    return {
        "benchmark": task.benchmark.name,
        "strategy": task.pair[0],
        "seed": task.search.seed,
        "number": trial.number,
        "hash": trial.dag.canonical_hash,
        "performance": answer.performance,
        "reported": _reported(ground.table.reported, answer),
        "complexity": dict(answer.complexity),
        "kept": ground.counts(answer),
    }


def _reported(columns: Mapping[str, Any], answer: Answer) -> dict[str, float]:
    return {name: answer.detail[name] for name in columns}
