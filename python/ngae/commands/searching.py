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
from ngae.api import NGAE
from ngae.commands.banner import show_banner
from ngae.files import finite
from ngae.oracles.base import Oracle
from ngae.oracles.config import OracleConfig
from ngae.oracles.executors import processes
from ngae.oracles.ledger import Ledger, Recorded
from ngae.oracles.parallel import Parallel
from ngae.oracles.registry import check_is_read, is_embedded, oracle_named
from ngae.search.base import Trial
from ngae.search.config import SearchConfig, StrategyConfig
from ngae.search.folder import SearchFolder
from ngae.search.predicted import Predicted
from ngae.search.registry import strategy_named
from ngae.search.result import SearchResult
from ngae.search.run import problem_of, run_search
from ngae.settings import as_dict


class Progress:
    """Shows trials on stderr: a bar on a terminal, a line for each better one elsewhere."""

    def __init__(self, budget: int) -> None:
        self.bar: tqdm[Any] | None = None
        if sys.stderr.isatty():
            self.bar = tqdm(total=budget, unit="query", dynamic_ncols=True)

    def __call__(self, trial: Trial, best: Trial) -> None:
        """Show one trial."""
        if self.bar is not None:
            self.bar.update(1)
            self.bar.set_postfix_str(f"best {best.answer.performance:.4f}")
        if not trial.answer.ok:
            self.say(f"query {trial.number + 1} failed: {trial.answer.error}")
        elif self.bar is None and trial is best:
            console.say(f"query {trial.number + 1}: best {best.answer.performance:.4f}")

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
    run_path: Path,
    config: SearchConfig,
    own: StrategyConfig,
    oracle_config: OracleConfig,
    *,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    device: str | None,
) -> int:
    """Search as the settings say and show it; the exit code."""
    run = NGAE.load(run_path, device)
    show_banner(run.model.device)
    oracle = _oracle(run, config, oracle_config)
    problem = problem_of(run.data, oracle, config)
    strategy = strategy_named(
        dataclasses.replace(config, oracle=oracle.name), problem, own, run.model
    )
    name = f"{config.strategy}-b{config.budget}-s{config.seed}"
    settings = {
        "search": as_dict(config),
        config.strategy: as_dict(own),
        "oracle": as_dict(oracle_config),
    }
    folder = SearchFolder(out or run_path / "search" / name, settings, overwrite=overwrite)
    console.say(f"oracle: {oracle.name}; {len(problem.known)} known rows; folder: {folder.path}")
    if folder.continued:
        console.say("note: a search that was cut off goes on; what was answered is not asked again")
    progress = Progress(config.budget)
    with _recorded(oracle, oracle_config, folder) as recorded:
        result = run_search(strategy, recorded, problem, config, folder, progress)
    progress.close()
    _show(result, problem.known.performance, as_json=as_json)
    if not result.answered:
        console.say(f"error: every evaluation failed, the first one so: {result.best.answer.error}")
        return 1
    if not result.useful:
        console.say(f"error: nothing that was found keeps --constraint {config.constraint!r}")
        return 1
    console.say(f"next: open {folder.path}/best.svg")
    return 0


def _oracle(run: NGAE, config: SearchConfig, oracle_config: OracleConfig) -> Oracle:
    """`auto` is shared weights for the embedded table, and the predictions for any other one."""
    table, name = run.data.table, config.oracle
    if name == "auto":
        name = "shared-weights" if is_embedded(table) else "predicted"
    check_is_read(name, oracle_config)
    if name == "predicted":
        console.say("note: performances are the model's predictions; evaluate the proposals")
        return Predicted(run.model, table.space, table.complexity_names)
    return oracle_named(name, table, oracle_config, config.seed)


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
        if config.workers == 1:
            yield Recorded(oracle, ledger)
            return
        with Parallel(oracle, processes(config.workers), ledger) as parallel:
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
