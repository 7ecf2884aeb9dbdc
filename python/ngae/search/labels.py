"""What a surrogate is fitted to: known rows and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.oracles.base import Answer
from ngae.search.base import Trial
from ngae.search.pareto import non_dominated
from ngae.search.problem import Problem

_MOST = 400  # most labels that a process is fitted to: the best, and the latest


@dataclass(frozen=True)
class Label:
    """An architecture with its answer.

    Attributes:
        dag: The architecture.
        key: Its canonical hash.
        answer: What is known of it.
    """

    dag: Dag
    key: str
    answer: Answer


class Labels:
    """Known rows and answers, in the order of coming.

    Args:
        problem: What is looked for; its known rows are the first labels. Of more than 800 without
            limits the best 400 and the last 400 are kept.

    Attributes:
        count: Number of known rows and answers, with the rows that are not kept.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._held = _known(problem)
        self._known = len(self._held)
        self._keys = {label.key for label in self._held}
        self.count = len(problem.known.labelled)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, trials: Sequence[Trial]) -> None:
        """Add answers."""
        self._held += [Label(t.dag, t.dag.canonical_hash, t.answer) for t in trials]
        self._keys |= {trial.dag.canonical_hash for trial in trials}
        self.count += len(trials)

    @property
    def few(self) -> bool:
        """Whether `fitted_to` gives all labels."""
        return self.count <= _MOST

    def usual(self, count: int) -> list[Label]:
        """Labels that say what is usual: the known ones or the first `count`; of many, the fitted.

        Not all: what a search asks is better than that.
        """
        return self._held[: max(count, self._known)] if self.few else self.fitted_to()

    def fitted_to(self) -> list[Label]:
        """All labels, or the best half and the latest half of as many as are of use."""
        if self.few:
            return self._held
        latest = self._held[-_MOST // 2 :]
        rest = sorted(self._held[: -_MOST // 2], key=lambda k: -k.answer.performance)
        return rest[: _MOST - len(latest)] + latest

    def best(self, count: int) -> list[Label]:
        """Up to `count` labels of the best performance that count; of all where none counts."""
        useful = [k for k in self._held if self.problem.objective.counts(k.answer)]
        return sorted(useful or self._held, key=lambda k: -k.answer.performance)[:count]

    def front(self, count: int) -> list[Label]:
        """Up to `count` labels of the Pareto front, evenly along it."""
        objective = self.problem.objective
        useful = [k for k in self._held if objective.counts(k.answer)]
        order = non_dominated(objective.values([k.answer for k in useful]))
        places = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).astype(int))
        return [useful[row] for row in order[places].tolist()]


def _known(problem: Problem) -> list[Label]:
    known, found = problem.known, []
    for row in _rows_of_use(problem).tolist():
        record, names = known[row], known.complexity_names
        answer = Answer(record.performance, dict(zip(names, record.complexity, strict=True)), 0.0)
        answer = problem.completed(record.dag, answer)
        found.append(Label(record.dag, known.hashes[row], answer))
    return found


def _rows_of_use(problem: Problem) -> NDArray[np.int64]:
    """Known rows that a process may ever be fitted to: all, or the best and the last of many."""
    rows = problem.known.labelled
    if len(rows) <= 2 * _MOST or problem.objective.limits:  # the best ones may break limits
        return rows
    best = np.argsort(-problem.known.performance[rows], kind="stable")[:_MOST]
    return np.union1d(rows[best], rows[-_MOST:])
