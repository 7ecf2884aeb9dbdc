"""Runs a strategy against an oracle until the budget is spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ngae.data import Dataset, Table
from ngae.errors import RefusedError, UsageError
from ngae.oracles.asking import askable
from ngae.oracles.base import Answer, Oracle
from ngae.oracles.ledger import Ledger, Recorded
from ngae.oracles.parallel import Parallel
from ngae.search.base import Candidate, Strategy, Trial
from ngae.search.config import SearchConfig
from ngae.search.folder import SearchFolder
from ngae.search.problem import Limit, Objective, Problem
from ngae.search.result import SearchResult

OnTrial = Callable[[Trial, Trial], None]


def starting_rows(data: Dataset, oracle: Oracle) -> Table:
    """Rows that a search starts from: those of known performance.

    Where the table itself answers, these are the training rows alone, and the others may be asked.
    """
    table = data.train if oracle.name == "table" else data.table
    return table.subset(table.labelled)


def problem_of(data: Dataset, oracle: Oracle, config: SearchConfig) -> Problem:
    """Say what a search is about: a table, an oracle, the settings.

    Raises:
        UsageError: A constraint that cannot be read; one, or `weigh`, of what nobody tells.
    """
    known = starting_rows(data, oracle)
    names = tuple(dict.fromkeys((*known.complexity_names, *known.space.complexity_names)))
    limits = limits_of(config.constraint, names)
    if config.weigh and config.weigh not in names:
        raise UsageError(f"--weigh: expected one of {', '.join(names)}, found {config.weigh!r}")
    weighed = (config.weigh, *known.complexity_names)[0 if config.weigh else 1 :][:1]
    return Problem(known.space, known, askable(oracle, known), Objective(weighed, limits))


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
        on_trial: Called with each trial and the best one so far.

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
    while len(trials) < config.budget:
        candidates = strategy.ask(min(config.batch, config.budget - len(trials)))
        if not candidates:
            break
        first = len(trials)
        for candidate, answer in zip(candidates, _answers(oracle, candidates), strict=True):
            trial = Trial(len(trials), candidate, problem.completed(candidate.dag, answer))
            trials.append(trial)
            if folder is not None:
                folder.add(trial)
            if on_trial is not None:
                on_trial(trial, SearchResult(tuple(trials), problem.objective).best)
        strategy.tell([trial for trial in trials[first:] if trial.answer.ok])
    if not trials:
        raise RefusedError(
            "search: expected at least one new architecture, found none",
            remedy="ask an oracle that evaluates, or train on fewer rows (--train-rows)",
        )
    result = SearchResult(tuple(trials), problem.objective)
    if folder is not None:
        folder.finish(result)
    return result


def _answers(oracle: Recorded | Parallel, candidates: Sequence[Candidate]) -> Iterator[Answer]:
    """Answers in the order of asking, each as soon as it and those before it are there."""
    dags = [candidate.dag for candidate in candidates]
    if isinstance(oracle, Parallel):
        return _in_order(oracle.as_answered(dags))
    return map(oracle.query, dags)


def _in_order(answers: Iterable[tuple[int, Answer]]) -> Iterator[Answer]:
    waiting: dict[int, Answer] = {}
    turn = 0
    for place, answer in answers:
        waiting[place] = answer
        while turn in waiting:
            yield waiting.pop(turn)
            turn += 1
