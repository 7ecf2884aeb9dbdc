"""`Parallel`: many architectures at once, on any executor in the manner of `concurrent.futures`.

Threads, processes, Dask's `Client.get_executor()` and `submitit` executors all do. The ledger is
written by the calling process alone; workers evaluate and nothing else.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from typing import Any

from ngae.dag import Dag
from ngae.errors import NgaeError, TrainingError, UsageError
from ngae.oracles.base import Answer, EvaluationError, Oracle, identity_of
from ngae.oracles.executors import Pool, Submits, completed
from ngae.oracles.ledger import Ledger, described


def evaluate_many(
    oracle: Oracle,
    dags: Sequence[Dag],
    executor: Submits | Callable[[], Submits] | None = None,
    *,
    retries: int = 1,
    timeout_s: float | None = None,
) -> list[Answer]:
    """Answer for many architectures, in their order; see `Parallel`."""
    with Parallel(oracle, executor, Ledger(retries=retries), timeout_s=timeout_s) as parallel:
        return parallel.query_many(dags)


class Parallel:
    """An oracle that is asked about many architectures at once, each once.

    A call whose worker dies is tried again as often as the ledger says, then it has failed. Where
    a whole pool breaks, a fresh one is made, and the calls that were under way in it are tried
    again one at a time, so that the guilty one takes no other one along: who died in company has
    spent no attempt.

    Args:
        oracle: Who answers; for other processes it must be picklable. The ledger's budget counts.
        executor: An executor, or what makes one (needed to replace a broken pool), such as
            `processes(4)`; None evaluates in this thread, one after the other.
        ledger: Where answers and budget are kept; in memory by default.
        retries: Attempts after the first one, where no ledger is given.
        timeout_s: Seconds for one evaluation and the start of its worker; one that takes longer
            has failed. A thread cannot be ended and goes on; hanging processes of a pool that was
            made here are killed when it ends.
        workers: Evaluations under way at once; by default as many as the executor's workers.

    Raises:
        RefusedError: The ledger has answers of another oracle.
        UsageError: Retries beside a ledger, or a number out of range.
    """

    def __init__(
        self,
        oracle: Oracle,
        executor: Submits | Callable[[], Submits] | None = None,
        ledger: Ledger | None = None,
        retries: int | None = None,
        timeout_s: float | None = None,
        workers: int | None = None,
    ) -> None:
        if ledger is not None and retries not in (None, ledger.retries):
            raise UsageError(
                f"Parallel: retries: expected those of the ledger, {ledger.retries}, "
                f"found {retries}"
            )
        for name, value in (("timeout_s", timeout_s), ("workers", workers)):
            if value is not None and not value > 0:
                raise UsageError(f"Parallel: {name}: expected a number above 0, found {value}")
        if timeout_s is not None and executor is None:
            raise UsageError("Parallel: timeout_s: expected an executor to be timed, found none")
        self.oracle = oracle
        self.name = oracle.name
        self.space = oracle.space
        self.ledger = ledger or Ledger(retries=1 if retries is None else retries)
        self.ledger.bind(identity_of(oracle))
        self._pool = Pool(executor, workers)
        self._timeout_s = timeout_s

    def __enter__(self) -> Parallel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the executor, where it was made here."""
        self._pool.close()

    @property
    def queries(self) -> int:
        """Architectures asked so far; a repeated one counts once."""
        return self.ledger.used

    def query(self, dag: Dag) -> Answer:
        """Answer for one architecture; raises as `as_answered`."""
        return self.query_many([dag])[0]

    def query_many(self, dags: Sequence[Dag]) -> list[Answer]:
        """Answer for many architectures, in their order; raises as `as_answered`."""
        found = dict(self.as_answered(dags))
        return [found[place] for place in range(len(dags))]

    def as_answered(self, dags: Sequence[Dag]) -> Iterator[tuple[int, Answer]]:
        """Yield the place of each architecture in `dags` with its answer, as answers come.

        Where an error ends it, what is under way is answered and recorded first.

        Raises:
            BudgetExhaustedError: No query is left for one of them.
            EvaluationError: The executor broke, and there is no factory of another one; what was
                under way may be asked again.
            NgaeError: As the oracle's `query`, where it refuses; no query is spent for that.
        """
        run = _Run(self.oracle, self.ledger, self._pool, self._timeout_s, dags)
        try:
            while not run.done:
                yield from run.advance()
        except (NgaeError, GeneratorExit):
            run.finish()
            raise
        finally:
            run.abandon()


class _Run:
    """One call of `as_answered`: what waits, what is under way, and whom it is for."""

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
            future = self.pool.submit(_evaluate, self.oracle, dag)
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
                answer: Answer | None = self.ledger.settle(dag, future.result())
            except BrokenExecutor as error:
                broken = True
                answer = self._died(dag, f"the worker died: {described(error)}")
            except (TrainingError, EvaluationError) as error:
                answer = self.ledger.settle(dag, Answer.failed(str(error)))
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


def _evaluate(oracle: Oracle, dag: Dag) -> Answer:
    return oracle.query(dag)
