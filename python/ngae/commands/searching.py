"""What `search` shows: a bar or a line a round, the best architectures, the Pareto front."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
from ngae.oracles.registry import is_embedded, oracle_named
from ngae.oracles.table import asking_key
from ngae.search.base import Trial
from ngae.search.config import SearchConfig
from ngae.search.predicted import Predicted
from ngae.search.registry import strategy_named
from ngae.search.run import SearchResult, run_search, starting_rows
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
    oracle_config: OracleConfig,
    *,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    device: str | None,
) -> int:
    """Search as `config` says and show it; the exit code."""
    run = NGAE.load(run_path, device)
    show_banner(run.model.device)
    name = f"{config.strategy}-b{config.budget}-s{config.seed}"
    folder = out or run_path / "search" / name
    if overwrite and (folder / "trials.jsonl").exists():
        shutil.rmtree(folder)
    with _oracle(config.oracle, run, oracle_config) as oracle:
        known = starting_rows(run.data, oracle)
        console.say(f"oracle: {oracle.name}; {len(known)} known rows; folder: {folder}")
        progress = Progress(config.budget)
        strategy = strategy_named(config, run.model, known, asking_key(oracle, known))
        sections = {"oracle": as_dict(oracle_config)}
        result = run_search(strategy, oracle, known, config, folder, progress, sections)
        progress.close()
    best_known = float(known.performance.max(initial=-math.inf))
    if as_json:
        console.give(json.dumps(finite(summary(result, best_known))))
    else:
        _show(result, best_known)
    if not result.best.answer.ok:
        console.say(f"error: every evaluation failed, the first one so: {result.best.answer.error}")
        return 1
    console.say(f"next: open {folder}/best.svg")
    return 0


@contextmanager
def _oracle(name: str, run: NGAE, config: OracleConfig) -> Iterator[Oracle]:
    """`auto` is shared weights for the embedded table, and the predictions for any other one."""
    table = run.data.table
    if name == "predicted" or (name == "auto" and not is_embedded(table)):
        console.say("note: performances are the model's predictions; evaluate the proposals")
        yield Predicted(run.model, table.space, table.complexity_names)
        return
    oracle = oracle_named(name, table, config)
    with Ledger(config.ledger or None, retries=config.oracle_retries) as ledger:
        for note in ledger.notes:
            console.say(f"note: {note}")
        if config.workers == 1:
            yield Recorded(oracle, ledger)
            return
        with Parallel(oracle, processes(config.workers), ledger) as parallel:
            yield parallel


def summary(result: SearchResult, best_known: float) -> dict[str, Any]:
    """Return the result as plain values."""
    return {
        "queries": len(result.trials),
        "failed": sum(not trial.answer.ok for trial in result.trials),
        "best_known": best_known,
        "best": result.best.as_dict(),
        "pareto": [trial.as_dict() for trial in result.pareto],
    }


def _show(result: SearchResult, best_known: float) -> None:
    names = list(result.best.answer.complexity)
    head = ["query", "performance", "predicted", *names, "architecture"]
    console.give("Pareto front (performance up, complexity down)")
    console.give(console.table([head, *(_row(trial, names) for trial in result.pareto)]))
    console.give(
        f"best of {len(result.trials)} queries: {result.best.answer.performance:.4f}; "
        f"best of the known rows: {best_known:.4f}"
    )


def _row(trial: Trial, names: list[str]) -> list[str]:
    values = trial.as_dict()
    predicted = trial.candidate.performance
    return [
        str(trial.number + 1),
        f"{trial.answer.performance:.4f}",
        "" if predicted is None else f"{predicted:.4f}",
        *(f"{trial.answer.complexity.get(name, math.nan):.0f}" for name in names),
        str(values["architecture"]),
    ]
