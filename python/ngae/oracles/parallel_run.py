"""`ParallelRun`: one call of `Parallel.as_answered`, from its first question to its last answer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import suppress
from typing import Any

from ngae.dag import Dag
from ngae.errors import NgaeError, TrainingError
from ngae.oracles.base import Answer, EvaluationError, ExecutorError, Oracle
from ngae.oracles.evaluating import Outcome, evaluate
from ngae.oracles.executors import Pool, completed
from ngae.oracles.ledger import Ledger, described


class ParallelRun:
    """What waits, what is under way, and whom it is for.

    Args:
        oracle: Who answers.
        ledger: Where what is asked and answered is written.
        pool: Where it is evaluated.
        timeout_s: Seconds for one evaluation, or None.
        dags: What is asked, an architecture perhaps several times.
    """

    def __init__(
        self,
        oracle: Oracle,
        ledger: Ledger,
        pool: Pool,
        timeout_s: float | None,
        dags: Sequence[Dag],
    ) -> None:
        self.oracle, self.ledger, self.pool, self.timeout_s = oracle, ledger, pool, timeout_s
        self.places: dict[str, list[int]] = {}
        self.waiting: deque[Dag] = deque()
        self.suspects: deque[Dag] = deque()
        self.under_way: dict[Any, tuple[Dag, float]] = {}
        self.alone = False
        self.in_company = False
        self.refusals = 0
        for place, dag in enumerate(dags):
            places = self.places.setdefault(dag.canonical_hash, [])
            places.append(place)
            if len(places) == 1:
                self.waiting.append(dag)

    @property
    def done(self) -> bool:
        """Whether everything is answered."""
        return not (self.waiting or self.suspects or self.under_way)

    def advance(self) -> Iterator[tuple[int, Answer]]:
        """Start what there is room for, then wait for something and settle it."""
        while (dag := self._next()) is not None:
            answer = self.ledger.answer(dag)
            if answer is not None:
                yield from self._give(dag, answer)
            elif not self._started(dag):
                break
        yield from self._collect()

    def finish(self) -> None:
        """Settle what is under way; nothing further starts, and refusals are not told again."""
        self.waiting.clear()
        self.suspects.clear()
        while self.under_way:
            with suppress(NgaeError):
                for _ in self._collect():
                    pass
            self.suspects.clear()
            self.waiting.clear()

    def abandon(self) -> None:
        """Take back what is under way: it was interrupted, and none of it counts as an attempt."""
        for future, (dag, _) in self.under_way.items():
            self.pool.forget(future)
            self.ledger.withdraw(dag)
        self.under_way.clear()

    def _next(self) -> Dag | None:
        """The next one to start: suspects one at a time, when nothing else is under way."""
        if not self.under_way:
            self.alone = False
        if self.suspects:
            if self.under_way:
                return None
            self.alone = True
            return self.suspects.popleft()
        if self.alone or not self.waiting or len(self.under_way) >= self.pool.free_slots:
            return None
        return self.waiting.popleft()

    def _started(self, dag: Dag) -> bool:
        """Start one; False where the executor takes no more before it is replaced."""
        self.ledger.ask(dag)
        try:
            future = self.pool.submit(evaluate, self.oracle, dag)
        except (BrokenExecutor, RuntimeError) as error:
            self.ledger.withdraw(dag)
            self.waiting.appendleft(dag)
            self._refused(error)
            return False
        except BaseException:
            self.ledger.withdraw(dag)
            raise
        self.under_way[future] = (dag, time.monotonic())
        self.refusals = 0
        return True

    def _refused(self, error: Exception) -> None:
        if self.under_way:
            return
        self.refusals += 1
        if self.refusals > 1:
            raise EvaluationError(
                f"Parallel: expected an executor that takes calls, found {described(error)}"
            )
        self.pool.replace()

    def _collect(self) -> Iterator[tuple[int, Answer]]:
        """Settle what is done or took too long; waits for one of them."""
        if not self.under_way:
            return
        broken = False
        self.in_company |= len(self.under_way) > 1
        for future in completed(list(self.under_way), self._patience()):
            dag, _ = self.under_way.pop(future)
            try:
                answer = self._settled(dag, future.result())
            except BrokenExecutor as error:
                broken = True
                answer = self._died(dag, f"the worker died: {described(error)}")
            except CancelledError as error:
                self.ledger.withdraw(dag)
                raise ExecutorError(
                    "Parallel: expected an executor that works, found that it drops its calls",
                    remedy="start it again; what was answered is kept",
                ) from error
            except NgaeError:
                self.ledger.withdraw(dag)
                raise
            except Exception as error:
                answer = self._again(dag, described(error), self.waiting)
            if answer is not None:
                yield from self._give(dag, answer)
        if broken and not self.under_way:
            self.pool.replace()
        if not self.under_way:
            self.in_company = False
        yield from self._give_up_late_ones()

    def _settled(self, dag: Dag, outcome: Outcome) -> Answer | None:
        """Record how an evaluation ended; None: again. Raises where it was refused."""
        if outcome.answer is not None:
            return self.ledger.settle(dag, outcome.answer)
        if isinstance(outcome.error, TrainingError | EvaluationError):
            return self.ledger.settle(dag, Answer.failed(str(outcome.error)))
        if outcome.error is not None:
            raise outcome.error
        return self._again(dag, outcome.crash, self.waiting)

    def _died(self, dag: Dag, error: str) -> Answer | None:
        if not self.in_company:
            return self._again(dag, error, self.suspects)
        self.ledger.withdraw(dag)
        self.suspects.append(dag)
        return None

    def _again(self, dag: Dag, error: str, queue: deque[Dag]) -> Answer | None:
        answer = self.ledger.crashed(dag, error)
        if answer is None:
            queue.append(dag)
        return answer

    def _give_up_late_ones(self) -> Iterator[tuple[int, Answer]]:
        if self.timeout_s is None:
            return
        now = time.monotonic()
        for future, (dag, start) in list(self.under_way.items()):
            if now - start < self.timeout_s or future.done():
                continue
            del self.under_way[future]
            self.pool.forget(future)
            text = f"no answer within {self.timeout_s:g} s"
            yield from self._give(dag, self.ledger.settle(dag, Answer.failed(text)))
        if not self.under_way and self.pool.free_slots < 1:
            self.pool.replace()

    def _patience(self) -> float | None:
        """Seconds until the next evaluation takes too long."""
        if self.timeout_s is None:
            return None
        oldest = min(start for _, start in self.under_way.values())
        return max(0.0, oldest + self.timeout_s - time.monotonic())

    def _give(self, dag: Dag, answer: Answer) -> Iterator[tuple[int, Answer]]:
        for place in self.places[dag.canonical_hash]:
            yield place, answer
