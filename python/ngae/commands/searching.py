"""What `search` shows: a bar or a line a round, the best architectures, the Pareto front."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ngae import console
from ngae.commands.starting import Source
from ngae.files import finite
from ngae.oracles.base import Oracle
from ngae.oracles.config import OracleConfig
from ngae.oracles.executor_names import executor_named
from ngae.oracles.ledger import Ledger, Recorded
from ngae.oracles.parallel import Parallel
from ngae.search.base import Strategy, Trial
from ngae.search.config import SearchConfig, StrategyConfig
from ngae.search.folder import SearchFolder, alone_in
from ngae.search.history import Start
from ngae.search.problem import Problem
from ngae.search.registry import NEED_A_MODEL, strategy_named
from ngae.search.result import SearchResult
from ngae.search.run import problem_of, run_search
from ngae.search.standing import Standing
from ngae.settings import as_dict


class Progress:
    """Shows trials on stderr: a bar on a terminal, a line for each better one elsewhere."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.bar: tqdm[Any] | None = None
        if sys.stderr.isatty():
            self.bar = tqdm(total=budget, unit="query", dynamic_ncols=True)

    def __call__(self, standing: Standing) -> None:
        """Show how the search stands after a query."""
        trial = standing.trial
        if self.bar is not None:
            self.bar.set_postfix_str(standing.text, False)
            self.bar.update(1)
        if not trial.answer.ok:
            self.say(f"query {trial.number + 1} failed: {trial.answer.error}")
        elif self.bar is None and trial is standing.best:
            console.say(f"query {trial.number + 1}/{self.budget}: {standing.text}")

    def say(self, text: str) -> None:
        """Print a line beside the bar."""
        if self.bar is None:
            console.say(text)
        else:
            self.bar.write(text, file=sys.stderr)

    def close(self) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()


def search_and_show(
    source: Source,
    config: SearchConfig,
    own: StrategyConfig,
    oracle_config: OracleConfig,
    *,
    history: str,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
) -> int:
    """Search as the settings say and show it; the exit code.

    Args:
        source: What it starts from.
        config: Settings of the search.
        own: Settings of the strategy.
        oracle_config: Settings of the oracle.
        history: Files of what was evaluated already, or "".
        out: The folder; None for the source's own.
        overwrite: Whether a search in the folder is dropped.
        as_json: Whether results are printed as JSON.
    """
    config = dataclasses.replace(config, batch=config.batch or oracle_config.workers)
    oracle = source.oracle(config, oracle_config)
    start = Start(source.known(oracle)).with_history(history, source.columns)
    for note in start.notes:
        console.say(f"note: {note}")
    problem = problem_of(start.known, oracle, config, start.failed)
    path = out or source.folder(f"{config.strategy}-b{config.budget}-s{config.seed}")
    settings = {
        "search": as_dict(config),
        config.strategy: as_dict(own),
        "oracle": as_dict(oracle_config),
        "known": start.as_dict(),
    }
    # A run's model may refuse what is asked of it: before anything is dropped.
    ready = None if source.run is None else _strategy(source, path, config, own, problem, oracle)
    with alone_in(path):
        folder = SearchFolder(path, settings, overwrite=overwrite)
        strategy = ready or _strategy(source, path, config, own, problem, oracle)
        result = _result(strategy, oracle, problem, config, oracle_config, folder)
    _show(result, problem.known.performance, as_json=as_json)
    if not result.answered:
        console.say(f"error: every evaluation failed, the first one so: {result.best.answer.error}")
        return 1
    if not result.useful:
        console.say(f"error: nothing that was found keeps --constraint {config.constraint!r}")
        return 1
    console.say(f"next: {_following(source, folder.path)}")
    return 0


def _result(
    strategy: Strategy,
    oracle: Oracle,
    problem: Problem,
    config: SearchConfig,
    oracle_config: OracleConfig,
    folder: SearchFolder,
) -> SearchResult:
    """Search, and show how it goes on."""
    console.say(f"oracle: {oracle.name}; {len(problem.known)} known rows; folder: {folder.path}")
    if folder.continued:
        console.say("note: a search that was cut off goes on; what was answered is not asked again")
    progress = Progress(config.budget)
    with _recorded(oracle, oracle_config, folder) as recorded:
        result = run_search(strategy, recorded, problem, config, folder, progress)
    progress.close()
    seconds = result.seconds
    console.say(f"seconds: model {seconds.model:.1f}, oracle {seconds.oracle:.1f}")
    return result


def _following(source: Source, path: Path) -> str:
    """What to do after a search: a run that holds it has a report."""
    is_in_run = source.run is not None and path.parent.name == "search"
    space = "" if source.run is None else console.named(source.run.config.data.code)
    report = f"ngae report {path.parent.parent}{space}, or " if is_in_run else ""
    return f"{report}open {path}/best.svg"


def _strategy(
    source: Source,
    path: Path,
    config: SearchConfig,
    own: StrategyConfig,
    problem: Problem,
    oracle: Oracle,
) -> Strategy:
    """Make the strategy, with a model where it needs one."""
    named = dataclasses.replace(config, oracle=oracle.name)
    model = source.model(path) if config.strategy in NEED_A_MODEL else None
    return strategy_named(named, problem, own, model)


@contextmanager
def _recorded(
    oracle: Oracle, config: OracleConfig, folder: SearchFolder
) -> Iterator[Recorded | Parallel]:
    """Keep answers in the ledger that is named, else in the folder's; predictions in none."""
    path = None if oracle.name == "predicted" else config.ledger or folder.ledger
    # An evaluation that was killed with the search is always asked again.
    with Ledger(path, retries=max(1, config.oracle_retries)) as ledger:
        for note in ledger.notes:
            console.say(f"note: {note}")
        if (config.workers, config.executor) == (1, "processes"):
            yield Recorded(oracle, ledger)
            return
        executor = executor_named(config.executor, config.workers, folder.path / "jobs")
        with Parallel(oracle, executor, ledger) as parallel:
            yield parallel


def _show(result: SearchResult, known: NDArray[np.float64], *, as_json: bool) -> None:
    best_known = float(known.max()) if len(known) else None
    if as_json:
        console.give(json.dumps(finite({"best_known": best_known, **result.as_dict()})))
        return
    if not result.useful:
        console.give(f"{len(result.trials)} queries, {len(result.answered)} of them answered")
        return
    names = list(result.best.answer.complexity)
    head = ["query", "performance", "predicted", *names, "architecture"]
    console.give(f"Pareto front ({result.objectives})")
    console.give(console.table([head, *(_row(trial, names) for trial in result.pareto)]))
    text = f"best of {len(result.trials)} queries: {result.best.answer.performance:.4f}"
    beside = "" if best_known is None else f"; best of the known rows: {best_known:.4f}"
    console.give(text + beside)


def _row(trial: Trial, names: list[str]) -> list[str]:
    values = trial.as_dict()
    predicted = trial.candidate.performance
    return [
        str(trial.number + 1),
        f"{trial.answer.performance:.4f}",
        "" if predicted is None else f"{predicted:.4f}",
        *(f"{trial.answer.complexity.get(name, math.nan):.6g}" for name in names),
        str(values["architecture"]),
    ]
