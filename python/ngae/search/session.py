"""Ask and tell: a search whose user evaluates, and which goes on after a kill.

Its ledger holds what was asked of the strategy and what was told, in that order. A search that is
opened again makes its strategy anew and repeats both, so that it proposes the same as if it had
never ended.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ngae.dag import Dag
from ngae.errors import RefusedError, UsageError
from ngae.oracles.asking import Askable
from ngae.oracles.base import Answer
from ngae.oracles.ledger import Ledger, answer_of
from ngae.search.base import Candidate, Strategy, Trial
from ngae.search.folder import SearchFolder
from ngae.search.history import Start, Told
from ngae.search.problem import Problem
from ngae.search.result import SearchResult, Seconds
from ngae.search.run import Stopwatch
from ngae.spaces.base import SearchSpace

_AGAIN = "load the same model and history, or name another folder"


class Session:
    """A search that is asked for architectures and told of their evaluations.

    Args:
        problem: What is looked for.
        strategy: Makes the strategy of a problem; called once, at the first question, when what
            was told before is among the known rows.
        settings: What decides on the proposals; kept in a folder's `config.json`.
        folder: Where the search is kept, and goes on; None keeps it in memory.

    Raises:
        RefusedError: The folder is another search's, is in use, or what it holds was proposed by
            another model.
    """

    def __init__(
        self,
        problem: Problem,
        strategy: Callable[[Problem], Strategy],
        settings: Mapping[str, Any],
        folder: str | Path | None = None,
    ) -> None:
        askable = Askable(self._key, problem.askable.rows)
        self._problem = dataclasses.replace(problem, askable=askable)
        self._keys = problem.askable.key
        self._make, self._settings = strategy, dict(settings)
        self._rows = frozenset(problem.known.hashes) | problem.failed
        self._forget()
        self._watch = Stopwatch()
        self._folder = None if folder is None else self._claimed(folder)
        self._ledger = Ledger(None if self._folder is None else self._folder.ledger)
        try:
            self._ledger.bind(f"told, {problem.space.identity}")
            self._replay(self._folder)
        except BaseException:
            self._ledger.close()
            raise
        self._repeatable = set(self._known)  # told by a process before this one

    def _forget(self) -> None:
        self._strategy: Strategy | None = None
        self._known: dict[str, Told] = {}  # told without having been asked
        self._asked: dict[str, tuple[int, Candidate]] = {}
        self._trials: dict[str, Trial] = {}
        self._unlearned: list[Trial] = []
        self._interrupted = False

    @property
    def pending(self) -> tuple[Dag, ...]:
        """What was asked and not told yet, in the order of asking."""
        waiting = [pair for key, pair in self._asked.items() if key not in self._trials]
        return tuple(candidate.dag for _, candidate in waiting)

    @property
    def queries(self) -> int:
        """Architectures asked so far, those that wait for their answers as well."""
        return len(self._asked)

    @property
    def result(self) -> SearchResult:
        """What was told of what was asked.

        Raises:
            UsageError: Nothing was told yet.
        """
        if not self._trials:
            raise UsageError(
                "Search: expected an answer to what was asked, found none",
                remedy="call ask, evaluate, and tell",
            )
        trials = sorted(self._trials.values(), key=lambda trial: trial.number)
        oracle = sum(trial.answer.cost_s for trial in trials)
        seconds = Seconds(self._watch.seconds.model, oracle)
        return SearchResult(tuple(trials), self._problem.objective, seconds)

    def ask(self, count: int) -> list[Dag]:
        """Propose up to `count` architectures, none of which was asked or told before.

        Returns:
            Fewer where answers have to come first, or the space has few left; none where nothing
            is left.
        """
        if count < 1:
            raise UsageError(f"ask: expected at least 1 architecture, found {count}")
        if self._interrupted:
            self._forget()
            self._replay(None)
        self._interrupted = True
        found = self._proposed(count)
        self._ledger.propose(count)
        for dag in found:
            self._ledger.ask(dag)
        self._interrupted = False
        return found

    def tell(self, told: Sequence[Told]) -> None:
        """Learn evaluations; all of them or, where one is refused, none.

        Args:
            told: Architectures of the space with their answers (see `told_of`).

        Raises:
            UsageError: One that was told, or is known, or a number that is not finite.
        """
        fresh: dict[str, Told] = {}
        for dag, answer in told:
            key = self._checked(dag, answer)
            if key in fresh:
                raise _twice(self._problem.space, dag)
            if not self._is_repeated(key, answer):
                fresh[key] = dag, answer
        for key, (dag, answer) in fresh.items():
            if key in self._asked:
                self._ledger.settle(dag, answer)
                self._learn(key, answer, self._folder)
            else:
                self._ledger.know(dag, answer)
                self._know(key, dag, answer)

    def save(self, path: str | Path | None = None) -> Path:
        """Write the results, and everything else where the search was in memory.

        Args:
            path: A free folder, in which the search goes on from here; None: where it is.

        Raises:
            UsageError: No folder, or another one than the search is in.
            RefusedError: The folder is not free.
        """
        if path is not None and self._folder is None:
            self._move(Path(path))
        if self._folder is None or (path is not None and Path(path) != self._folder.path):
            found = "none" if self._folder is None else f"{path}, not {self._folder.path}"
            raise UsageError(f"save: expected a folder, found {found}")
        if self._trials:
            self._folder.finish(self.result)
        return self._folder.path

    def close(self) -> None:
        """Let go of the folder."""
        self._ledger.close()

    def _claimed(self, path: str | Path) -> SearchFolder:
        return SearchFolder(path, self._settings, endless=True)

    def _move(self, path: Path) -> None:
        folder = self._claimed(path)
        self._ledger.move(folder.ledger)
        for trial in self._trials.values():
            folder.add(trial)
        self._folder = folder

    def _key(self, dag: Dag) -> str | None:
        """Nothing that was told is worth asking."""
        key = self._keys(dag)
        return None if key in self._known or key in self._asked else key

    def _proposed(self, count: int) -> list[Dag]:
        with self._watch.model():
            if self._strategy is None:
                self._strategy = self._make(self._started())
            if self._unlearned:
                self._strategy.tell(self._unlearned)
                self._unlearned = []
            found = self._strategy.ask(count)
        for candidate in found:
            self._asked[candidate.dag.canonical_hash] = len(self._asked), candidate
        return [candidate.dag for candidate in found]

    def _started(self) -> Problem:
        """The problem, with what was told so far among the known rows."""
        start = Start(self._problem.known, self._problem.failed)
        start = start.with_answers(list(self._known.values()), "tell")
        return dataclasses.replace(self._problem, known=start.known, failed=start.failed)

    def _learn(self, key: str, answer: Answer, folder: SearchFolder | None) -> None:
        number, candidate = self._asked[key]
        trial = Trial(number, candidate, self._problem.completed(candidate.dag, answer))
        self._trials[key] = trial
        self._to_learn(trial)
        if folder is not None:
            folder.add(trial)

    def _know(self, key: str, dag: Dag, answer: Answer) -> None:
        answer = self._problem.completed(dag, answer)
        self._known[key] = dag, answer
        if self._strategy is not None:
            self._to_learn(Trial(-1, Candidate(dag, None, {}), answer))

    def _to_learn(self, trial: Trial) -> None:
        if trial.answer.ok:
            self._unlearned.append(trial)

    def _checked(self, dag: Dag, answer: Answer) -> str:
        """The hash of an architecture that may be told."""
        space = self._problem.space
        numbers = {"performance": answer.performance} if answer.ok else {}
        for name, value in {**numbers, **answer.complexity, **answer.detail}.items():
            if not math.isfinite(value):
                raise UsageError(
                    f"tell: {name} of {space.format(dag)}: expected a finite number, found {value}",
                    remedy='tell(architecture, error="why") is for an evaluation that failed',
                )
        key = dag.canonical_hash
        if key in self._trials or (key in self._known and key not in self._repeatable):
            raise _twice(space, dag)
        if key in self._rows:
            raise UsageError(
                f"tell: expected an architecture without an answer, found a known row: "
                f"{space.format(dag)}",
                remedy="a table of history=... counts in the place of known rows",
            )
        return key

    def _is_repeated(self, key: str, answer: Answer) -> bool:
        """Whether a process before this one was told the same: scripts begin anew."""
        if key not in self._known:
            return False
        dag, before = self._known[key]
        now = self._problem.completed(dag, answer)
        same = (now.performance, now.complexity) == (before.performance, before.complexity)
        if not same and (answer.ok or before.ok):
            raise _twice(self._problem.space, dag)
        self._repeatable.discard(key)
        return True

    def _replay(self, folder: SearchFolder | None) -> None:
        """Ask and learn again what the ledger holds; trials are written to `folder`."""
        written: set[str] = set()
        for event in list(self._ledger.events):
            kind, key = event["event"], event.get("hash", "")
            if kind == "proposed":
                self._proposed(event["count"])
            elif kind == "known":
                dag = Dag.from_json(dict(event["architecture"]), self._problem.space)
                self._know(key, dag, answer_of(event))
            elif kind in ("asked", "answered", "failed"):
                if key not in self._asked:
                    raise RefusedError(
                        f"{self._place}: expected to propose what was asked before, found other "
                        "proposals",
                        remedy=_AGAIN,
                    )
                written.add(key)
                if kind != "asked":
                    self._learn(key, answer_of(event), folder)
        for key, (_, candidate) in self._asked.items():
            if key not in written:  # a kill came between a proposal and its question
                self._ledger.ask(candidate.dag)

    @property
    def _place(self) -> str:
        return "Search" if self._folder is None else str(self._folder.path)


def _twice(space: SearchSpace, dag: Dag) -> UsageError:
    return UsageError(
        f"tell: expected one answer for each architecture, found a second one for "
        f"{space.format(dag)}"
    )
