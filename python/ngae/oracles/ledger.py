"""`Ledger`: what was asked and answered, on disk before anything else happens.

A file of JSON Lines that only grows. It survives a kill at any moment: no answer is lost, and none
is paid twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngae.dag import Dag
from ngae.errors import NgaeError, RefusedError, TrainingError, UsageError, is_out_of_memory
from ngae.files import FORMAT_VERSION, finite, write_text
from ngae.oracles.base import Answer, Budget, EvaluationError, Oracle, identity_of
from ngae.oracles.ledger_file import LedgerError, LedgerFile
from ngae.spaces.base import SearchSpace


@dataclass
class _Entry:
    """One architecture: attempts so far, and its answer once there is one."""

    architecture: Mapping[str, Any]
    attempts: int = 0
    answer: Answer | None = None


class Ledger:
    """Answers by canonical hash, and the budget that they are paid from.

    An architecture is asked (written before its evaluation starts), then answered or failed. What
    was asked and not answered, because the process was killed, may be asked again until it had
    `retries` further attempts; then it has failed.

    Args:
        path: The file, made where there is none; None keeps the ledger in memory.
        budget: Architectures that may be asked, or None for any number. Those in the file count.
        retries: Attempts after the first one.

    Attributes:
        notes: What is odd about the file, for people to read.
        events: All that was written down, in its order.

    Raises:
        RefusedError: Another process, or another ledger of this one, writes to the file; or a
            later version of ngae wrote it.
        DataError: The file is no ledger; names the line.
    """

    def __init__(
        self, path: str | Path | None = None, budget: int | None = None, retries: int = 1
    ) -> None:
        if retries < 0:
            raise UsageError(f"Ledger: retries: expected a number from 0, found {retries}")
        self._budget = Budget(budget)
        self.retries = retries
        self._entries: dict[str, _Entry] = {}
        self._identity: str | None = None
        self._file = None if path is None else LedgerFile(Path(path))
        self.notes: tuple[str, ...] = () if self._file is None else self._file.notes
        self.events: list[dict[str, Any]] = [] if self._file is None else self._file.events
        for event in self.events:
            self._replay(event)
        self._budget.used = len(self._entries)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    @property
    def used(self) -> int:
        """Architectures asked so far; a repeated one counts once."""
        return self._budget.used

    def bind(self, identity: str) -> None:
        """Say whose answers these are; a ledger belongs to one oracle.

        Raises:
            RefusedError: It has answers of another one.
        """
        if self._identity is None:
            self._identity = identity
            self._write({"event": "opened", "version": FORMAT_VERSION, "oracle": identity})
        elif self._identity != identity:
            raise RefusedError(
                f"ledger: expected the oracle ({self._identity}), found ({identity})",
                remedy="choose another file for this oracle's answers",
            )

    def answer(self, dag: Dag) -> Answer | None:
        """Return what is known of `dag`; None: it must be asked.

        An architecture that was asked as often as allowed and never answered fails here.
        """
        entry = self._entries.get(dag.canonical_hash)
        if entry is None:
            return None
        if entry.answer is None and entry.attempts > self.retries:
            self.settle(dag, Answer.failed(f"no answer after {_times(entry.attempts)}"))
        return entry.answer

    def unanswered(self, space: SearchSpace) -> list[Dag]:
        """Return the architectures that were asked and neither answered nor failed."""
        open_entries = [e for e in self._entries.values() if e.answer is None]
        return [Dag.from_json(dict(e.architecture), space) for e in open_entries]

    def ask(self, dag: Dag) -> int:
        """Write down that the evaluation of `dag` starts; the number of the attempt, from 1.

        Raises:
            BudgetExhaustedError: It was never asked before, and no query is left.
            UsageError: It has an answer, or no attempt left.
            LedgerError: It could not be written down, and does not count.
        """
        key = dag.canonical_hash
        entry = self._entries.get(key)
        if entry is None:
            self._budget.spend()
            entry = self._entries[key] = _Entry(_plain(dag))
        elif entry.answer is not None or entry.attempts > self.retries:
            raise UsageError(f"ledger: expected an architecture without an answer, found {key}")
        entry.attempts += 1
        event = {"event": "asked", "hash": key, "attempt": entry.attempts}
        try:
            self._write({**event, "architecture": entry.architecture})
        except LedgerError:
            self._take_back(key)
            raise
        return entry.attempts

    def settle(self, dag: Dag, answer: Answer) -> Answer:
        """Write down the answer of an architecture that was asked; returns what is recorded.

        An answer without a finite performance is recorded as failed.
        """
        key = dag.canonical_hash
        entry = self._entries[key]
        if answer.ok and not math.isfinite(answer.performance):
            error = f"expected a finite performance, found {answer.performance}"
            answer = Answer.failed(error, answer.complexity, answer.cost_s, answer.detail)
        values = answer.as_dict()
        event = "answered" if values.pop("status") == "ok" else "failed"
        self._write({"event": event, "hash": key, **values})
        entry.answer = answer
        return answer

    def crashed(self, dag: Dag, error: str) -> Answer | None:
        """Say that an attempt ended without an answer; None: there is another attempt."""
        attempts = self._entries[dag.canonical_hash].attempts
        if attempts <= self.retries:
            return None
        return self.settle(dag, Answer.failed(f"{error} (after {_times(attempts)})"))

    def propose(self, count: int) -> None:
        """Write down that a strategy is asked for `count` proposals: it may be asked so again."""
        self._write({"event": "proposed", "count": count})

    def know(self, dag: Dag, answer: Answer) -> None:
        """Write down an answer to what was never asked; it is no query."""
        values = answer.as_dict()
        del values["status"]
        shown = {"hash": dag.canonical_hash, "architecture": _plain(dag)}
        self._write({"event": "known", **shown, **values})

    def move(self, path: Path) -> None:
        """Go on in a file, which gets all that was written down so far.

        Raises:
            RefusedError: There is a file already, or another ledger holds it.
        """
        if path.exists():
            raise RefusedError(f"{path}: expected no file, found one")
        write_text(path, "".join(json.dumps(finite(event)) + "\n" for event in self.events))
        self.close()
        self._file = LedgerFile(path)

    def withdraw(self, dag: Dag) -> None:
        """Take back the last attempt: the evaluation did not start, or it was not one's fault."""
        key = dag.canonical_hash
        self._write({"event": "withdrawn", "hash": key})
        self._take_back(key)

    def _take_back(self, key: str) -> None:
        entry = self._entries[key]
        entry.attempts -= 1
        if entry.attempts == 0:
            del self._entries[key]
            self._budget.used = len(self._entries)

    def _replay(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "opened":
            self._identity = event["oracle"]
        elif kind == "asked":
            entry = self._entries.setdefault(event["hash"], _Entry(event["architecture"]))
            entry.attempts = event["attempt"]
        elif kind == "withdrawn":
            self._take_back(event["hash"])
        elif kind in ("answered", "failed"):
            self._entries[event["hash"]].answer = answer_of(event)

    def _write(self, event: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.append(event)
        self.events.append(event)


class Recorded:
    """An oracle whose answers are kept in a ledger; it is asked about each architecture once.

    Failed evaluations become failed answers; an error that is no `NgaeError` is tried again as
    often as the ledger says.

    Args:
        oracle: Who answers what the ledger does not know.
        ledger: Where answers and budget are kept.

    Raises:
        RefusedError: The ledger has answers of another oracle.
    """

    def __init__(self, oracle: Oracle, ledger: Ledger) -> None:
        ledger.bind(identity_of(oracle))
        self.oracle = oracle
        self.ledger = ledger
        self.name = oracle.name
        self.space = oracle.space

    @property
    def queries(self) -> int:
        """Architectures asked so far; a repeated one counts once."""
        return self.ledger.used

    def query(self, dag: Dag) -> Answer:
        """Answer for `dag`, from the ledger where it is known.

        Raises:
            BudgetExhaustedError: No query is left.
            NgaeError: As the oracle's `query`, where it refuses; no query is spent.
        """
        while (answer := self.ledger.answer(dag)) is None:
            self.ledger.ask(dag)
            try:
                found = self.oracle.query(dag)
            except (TrainingError, EvaluationError) as error:
                found = Answer.failed(str(error))
            except (NgaeError, KeyboardInterrupt, SystemExit):
                self.ledger.withdraw(dag)
                raise
            except Exception as error:
                self.ledger.crashed(dag, described(error))
                continue
            self.ledger.settle(dag, found)
        return answer


def described(error: BaseException) -> str:
    """Say in one line what went wrong."""
    lines = str(error).strip().splitlines()
    kind = type(error).__name__
    if is_out_of_memory(error) and not (isinstance(error, MemoryError) and lines):
        kind = "too little memory"
    return f"{kind}: {lines[0]}" if lines else kind


def _times(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"


def _plain(dag: Dag) -> dict[str, Any]:
    return {"node_types": list(dag.node_types), "edges": [list(edge) for edge in dag.edges]}


def answer_of(event: Mapping[str, Any]) -> Answer:
    """Return the answer that an event holds; JSON knows no NaN: what is null was none."""
    numbers = {
        part: {k: math.nan if v is None else float(v) for k, v in event[part].items()}
        for part in ("complexity", "detail")
    }
    cost = math.nan if event["cost_s"] is None else event["cost_s"]
    if event["performance"] is None:
        return Answer.failed(event["error"], numbers["complexity"], cost, numbers["detail"])
    return Answer(event["performance"], numbers["complexity"], cost, numbers["detail"])
