"""Runs a strategy against an oracle until the budget is spent, and writes what was found."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ngae.data import Dataset, Table
from ngae.errors import RefusedError
from ngae.files import finite, write_json, write_text
from ngae.oracles.base import Answer, Oracle
from ngae.oracles.parallel import Parallel
from ngae.search.base import Candidate, Strategy, Trial
from ngae.search.config import SearchConfig
from ngae.search.pareto import pareto_front
from ngae.settings import as_dict

OnTrial = Callable[[Trial, Trial], None]


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        trials: In the order of asking.
        weighed: The complexity of the Pareto front, or None where there is none.
    """

    trials: tuple[Trial, ...]
    weighed: str | None

    @property
    def best(self) -> Trial:
        """The trial with the highest performance, of equal ones the first; failed where all are."""
        return max(self.trials, key=lambda trial: (trial.answer.ok, trial.answer.performance))

    @property
    def pareto(self) -> tuple[Trial, ...]:
        """The trials that no other one beats, by ascending complexity; no failed ones."""
        trials = [trial for trial in self.trials if trial.answer.ok]
        if self.weighed is None or not trials:
            return (self.best,)
        performance = np.array([trial.answer.performance for trial in trials])
        complexity = np.array([trial.answer.complexity[self.weighed] for trial in trials])
        return tuple(trials[i] for i in pareto_front(performance, complexity))


def starting_rows(data: Dataset, oracle: Oracle) -> Table:
    """Rows that a search starts from: those of known performance.

    Where the table itself answers, these are the training rows alone, and the others may be asked.
    """
    table = data.train if oracle.name == "table" else data.table
    return table.subset(table.labelled)


def run_search(
    strategy: Strategy,
    oracle: Oracle,
    known: Table,
    config: SearchConfig,
    folder: Path | None = None,
    on_trial: OnTrial | None = None,
    further_settings: Mapping[str, Any] | None = None,
) -> SearchResult:
    """Ask, answer, tell, until `config.budget` queries are spent or nothing new is proposed.

    Args:
        strategy: Who proposes.
        oracle: Who answers.
        known: The table the strategy started from.
        config: Settings.
        folder: Where `trials.jsonl` grows with each answer and the results are written; None
            writes nothing.
        on_trial: Called with each trial and the best one so far.
        further_settings: Sections of `config.json` beside the search's.

    Returns:
        The trials. At least one.

    Raises:
        RefusedError: The folder holds a search already, or nothing could be proposed.
    """
    names = known.complexity_names
    weighed = (config.weigh or names[0]) if names else None
    log = (
        None
        if folder is None
        else _claimed(folder, {"search": as_dict(config), **(further_settings or {})})
    )
    trials: list[Trial] = []
    while len(trials) < config.budget:
        candidates = strategy.ask(min(config.batch, config.budget - len(trials)))
        if not candidates:
            break
        asked = []
        for candidate, answer in zip(candidates, _answers(oracle, candidates), strict=True):
            trial = Trial(len(trials), candidate, answer)
            asked.append(trial)
            trials.append(trial)
            if log is not None:
                _append(log, trial)
            if on_trial is not None:
                on_trial(trial, SearchResult(tuple(trials), weighed).best)
        strategy.tell([trial for trial in asked if trial.answer.ok])
    if not trials:
        raise RefusedError(
            "search: expected at least one new architecture, found none",
            remedy="ask an oracle that evaluates, or train on fewer rows (--train-rows)",
        )
    result = SearchResult(tuple(trials), weighed)
    if folder is not None:
        write_result(result, folder)
    return result


def _answers(oracle: Oracle, candidates: Sequence[Candidate]) -> Iterator[Answer]:
    """Ask about all at once where the oracle can, else about one when its turn comes."""
    dags = [candidate.dag for candidate in candidates]
    if isinstance(oracle, Parallel):
        yield from oracle.query_many(dags)
    else:
        yield from map(oracle.query, dags)


def write_result(result: SearchResult, folder: Path) -> None:
    """Write `pareto.csv`, `best.json`, `best.svg` and `best.py`."""
    best = result.best
    write_text(folder / "pareto.csv", _table(result.pareto))
    write_json(folder / "best.json", {**best.as_dict(), "dag": best.dag.as_dict()})
    best.dag.save(folder / "best.svg")
    best.dag.save(folder / "best.py")


def _table(trials: Sequence[Trial]) -> str:
    text = io.StringIO()
    names = list(trials[0].answer.complexity)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["number", "performance", *names, "architecture", "hash"])
    for trial in trials:
        values = trial.as_dict()
        row = [values["number"], values["performance"], *(values["complexity"][n] for n in names)]
        writer.writerow([*row, values["architecture"], values["hash"]])
    return text.getvalue()


def _claimed(folder: Path, settings: Mapping[str, Any]) -> Path:
    log = folder / "trials.jsonl"
    if log.exists():
        raise RefusedError(
            f"{folder}: expected a free folder, found a search",
            remedy="pass --overwrite to replace it, or another --seed or --out",
        )
    write_json(folder / "config.json", dict(settings))
    write_text(log, "")
    return log


def _append(path: Path, trial: Trial) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(finite(trial.as_dict())) + "\n")
