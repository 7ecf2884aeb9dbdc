"""`Parallel`: many architectures at once, on any executor in the manner of `concurrent.futures`.

Threads, processes, workers of a Dask cluster and jobs of Slurm all do. The ledger is written by the
calling process alone; workers evaluate and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ngae.dag import Dag
from ngae.errors import NgaeError, UsageError
from ngae.oracles.base import Answer, Oracle, identity_of
from ngae.oracles.executors import Pool, Submits
from ngae.oracles.ledger import Ledger
from ngae.oracles.parallel_run import ParallelRun


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
            `processes(4)`, `dask_workers(...)` or `slurm_jobs(...)`; None evaluates in this thread,
            one after the other.
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
            ExecutorError: Nobody is left who evaluates, such as where a scheduler ended; likewise.
            NgaeError: As the oracle's `query`, where it refuses; no query is spent for that.
        """
        run = ParallelRun(self.oracle, self.ledger, self._pool, self._timeout_s, dags)
        try:
            while not run.done:
                yield from run.advance()
        except (NgaeError, GeneratorExit):
            run.finish()
            raise
        finally:
            run.abandon()
