"""Runs a strategy against an oracle until the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from ngae.data import Dataset, Table
from ngae.errors import RefusedError, UsageError
from ngae.oracles.asking import ANYTHING, askable
from ngae.oracles.base import Answer, Oracle
from ngae.oracles.ledger import Ledger, Recorded
from ngae.oracles.parallel import Parallel
from ngae.search.base import Candidate, Strategy, Trial
from ngae.search.config import SearchConfig
from ngae.search.folder import SearchFolder
from ngae.search.limits import Limit
from ngae.search.problem import Objective, Problem
from ngae.search.result import SearchResult, Seconds
from ngae.search.standing import Standing, Standings

OnTrial = Callable[[Standing], None]


def starting_rows(data: Dataset, oracle: Oracle | None) -> Table:
    """Rows that a search starts from: those of known performance.

    Where the table itself answers, these are the training rows alone, and the others may be asked.
    """
    table = data.train if oracle is not None and oracle.name == "table" else data.table
    return table.subset(table.labelled)


def problem_of(
    known: Table,
    oracle: Oracle | None,
    config: SearchConfig,
    failed: frozenset[str] = frozenset(),
) -> Problem:
    """Say what a search is about.

    Args:
        known: Rows that it starts from (see `starting_rows`); may be none.
        oracle: Who answers; None where the user evaluates, who may be asked anything.
        config: The settings.
        failed: Canonical hashes that are not asked (see `Problem`).

    Raises:
        UsageError: A constraint that cannot be read; one, or `weigh`, of what nobody tells.
    """
    names = tuple(dict.fromkeys((*known.complexity_names, *known.space.complexity_names)))
    limits = limits_of(config.constraint, names)
    if config.weigh and config.weigh not in names:
        raise UsageError(f"--weigh: expected one of {', '.join(names)}, found {config.weigh!r}")
    weighed = (config.weigh, *known.complexity_names)[0 if config.weigh else 1 :][:1]
    allowed = ANYTHING if oracle is None else askable(oracle, known)
    return Problem(known.space, known, allowed, Objective(weighed, limits), failed)


def limits_of(text: str, names: Sequence[str]) -> tuple[Limit, ...]:
    """Read limits on the complexities `names`.

    Raises:
        UsageError: A text that cannot be read, or a limit on what is not in `names`.
    """
    limits = Limit.parse_all(text)
    for limit in limits:
        if limit.name not in names:
            raise UsageError(
                f"--constraint: expected one of {', '.join(names)}, found {limit.name!r}"
            )
    return limits


def run_search(
    strategy: Strategy,
    oracle: Oracle,
    problem: Problem,
    config: SearchConfig,
    folder: SearchFolder | None = None,
    on_trial: OnTrial | None = None,
) -> SearchResult:
    """Ask, answer, tell, until `config.budget` queries are spent or nothing new is proposed.

    Args:
        strategy: Who proposes.
        oracle: Who answers; one that fails gives failed answers (see `Recorded`).
        problem: What is looked for.
        config: Settings.
        folder: Where answers, trials and results go; None writes nothing.
        on_trial: Called after each trial with how the search stands.

    Raises:
        RefusedError: Nothing could be proposed.
    """
    if isinstance(oracle, Recorded | Parallel):
        return _searched(strategy, oracle, problem, config, folder, on_trial)
    with Ledger(None if folder is None else folder.ledger) as ledger:
        recorded = Recorded(oracle, ledger)
        return _searched(strategy, recorded, problem, config, folder, on_trial)


def _searched(
    strategy: Strategy,
    oracle: Recorded | Parallel,
    problem: Problem,
    config: SearchConfig,
    folder: SearchFolder | None,
    on_trial: OnTrial | None,
) -> SearchResult:
    trials: list[Trial] = []
    watch = Stopwatch()
    standings = None if on_trial is None else Standings(problem, oracle)
    while len(trials) < config.budget:
        with watch.model():
            candidates = strategy.ask(min(max(1, config.batch), config.budget - len(trials)))
        if not candidates:
            break
        first = len(trials)
        answers = watch.answered(_answers(oracle, candidates))
        for candidate, answer in zip(candidates, answers, strict=True):
            trial = Trial(len(trials), candidate, problem.completed(candidate.dag, answer))
            trials.append(trial)
            if folder is not None:
                folder.add(trial)
            if on_trial is not None and standings is not None:
                on_trial(standings.after(trial, watch.seconds))
        with watch.model():
            strategy.tell([trial for trial in trials[first:] if trial.answer.ok])
    if not trials:
        raise RefusedError(
            "search: expected at least one new architecture, found none",
            remedy="ask an oracle that evaluates, or train on fewer rows (--train-rows)",
        )
    result = SearchResult(tuple(trials), problem.objective, watch.seconds)
    if folder is not None:
        folder.finish(result)
    return result


def _answers(oracle: Recorded | Parallel, candidates: Sequence[Candidate]) -> Iterator[Answer]:
    """Answers in the order of asking, each as soon as it and those before it are there."""
    dags = [candidate.dag for candidate in candidates]
    if isinstance(oracle, Parallel):
        return _in_order(oracle.as_answered(dags))
    return map(oracle.query, dags)


class Stopwatch:
    """Tells the time that proposals take from the time that answers take.

    Attributes:
        seconds: So far.
    """

    def __init__(self) -> None:
        self.seconds = Seconds()

    @contextmanager
    def model(self) -> Iterator[None]:
        """Count what is done inside as the strategy's."""
        started = time.perf_counter()
        yield
        spent = time.perf_counter() - started
        self.seconds = Seconds(self.seconds.model + spent, self.seconds.oracle)

    def answered(self, answers: Iterator[Answer]) -> Iterator[Answer]:
        """Count the waiting for each answer as the oracle's."""
        started = time.perf_counter()
        for answer in answers:
            spent = time.perf_counter() - started
            self.seconds = Seconds(self.seconds.model, self.seconds.oracle + spent)
            yield answer
            started = time.perf_counter()


def _in_order(answers: Iterable[tuple[int, Answer]]) -> Iterator[Answer]:
    waiting: dict[int, Answer] = {}
    turn = 0
    for place, answer in answers:
        waiting[place] = answer
        while turn in waiting:
            yield waiting.pop(turn)
            turn += 1
