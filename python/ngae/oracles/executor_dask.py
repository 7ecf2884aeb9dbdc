"""Workers of a Dask cluster as an executor: one evaluation a worker, and none repeated unseen.

Dask itself repeats a call whose worker died, as often as its scheduler is set to, and a ledger
would not know. Here each call is meant for one worker; where that one dies, the call has crashed,
and who asked decides whether it is tried again.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any

import ngae
from ngae.errors import MissingExtraError, UsageError
from ngae.oracles.base import ExecutorError

_LOOK_S = 1.0  # how often the scheduler is asked who is there
_WAIT_S = 60.0  # for a first worker, and for another one where all of them died
_TALK_S = 10.0  # for a connection, for workers to start again


def dask_workers(cluster: Any, workers: int | None = None) -> Callable[[], DaskWorkers]:
    """Return a factory of executors for `Parallel` on a Dask cluster that runs.

    The cluster is given the oracle by pickle, and may give back anything by pickle, which is code
    that runs: name only a cluster of your own.

    Args:
        cluster: Address of the scheduler, such as `tcp://host:8786`; path of its scheduler file,
            which ends in `.json`; or a `distributed.Client`, which stays open.
        workers: Evaluations at once; by default, and at most, one a worker.

    Raises:
        UsageError: A number out of range.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"dask_workers: workers: expected a number from 1, found {workers}")
    return lambda: DaskWorkers(cluster, workers)


class WorkerLostError(Exception):
    """The worker that a call was meant for is no longer there."""


class DaskWorkers:
    """An executor of one call a worker, whose torch takes as many threads as the worker has.

    Args:
        cluster: As for `dask_workers`.
        most: Calls at once, or None.

    Raises:
        MissingExtraError: `distributed` is not installed.
        ExecutorError: No scheduler there.
    """

    def __init__(self, cluster: Any, most: int | None) -> None:
        self._is_own = isinstance(cluster, str)
        self._client = _connected(cluster) if self._is_own else cluster
        self._most = most
        self._live: dict[str, str] = {}  # ids of the workers, by address
        self._looked = -math.inf
        self._calls: list[DaskCall] = []
        self._sent: dict[str, tuple[Any, Any]] = {}  # what a worker, by id, was sent

    @property
    def _max_workers(self) -> int:
        """Calls that it takes at once."""
        live = len(self._awaited())
        return live if self._most is None else min(self._most, live)

    def submit(self, function: Callable[..., Any], first: Any, /, *others: Any) -> DaskCall:
        """Start a call on the worker that has the fewest; `first` is sent to each worker once.

        Raises:
            ExecutorError: Nobody is there.
        """
        self._looked = -math.inf  # a worker that has died since would cost an attempt
        live = self._awaited()
        self._calls = [call for call in self._calls if not call.done()]
        load = [call.worker for call in self._calls]
        address, worker = min(live.items(), key=lambda item: load.count(item[1]))
        future = self._client.submit(
            _called, worker, function, self._kept(first, address, worker), *others,
            workers=[address], allow_other_workers=False, pure=False,
        )  # fmt: skip
        call = DaskCall(self, future, address, worker)
        self._calls.append(call)
        return call

    def shutdown(self, wait: bool = True, cancel_futures: bool = False) -> None:
        """Take no more answers; workers that evaluate start again, where a nanny watches them."""
        busy = [call.address for call in self._calls if not call.done()]
        if busy and self._client.status == "running":
            with suppress(Exception):  # without a nanny it goes on to the end of its evaluation
                self._client.restart_workers(busy, timeout=_TALK_S, raise_for_error=False)
        self._calls, self._sent = [], {}
        if self._is_own:
            self._client.close(timeout=_TALK_S)

    def live(self) -> dict[str, str]:
        """Ids of the workers by address, as they were a second ago.

        Raises:
            ExecutorError: The scheduler is gone, or a worker has another ngae, or none.
        """
        if self._client.status != "running":
            raise self._gone()
        if time.monotonic() - self._looked < _LOOK_S:
            return self._live
        try:
            found = set(self._client.nthreads())
            fresh = self._greeted(sorted(found - self._live.keys()))
        except (OSError, CancelledError) as error:
            raise self._gone() from error
        self._live = {at: worker for at, worker in self._live.items() if at in found} | fresh
        self._looked = time.monotonic()
        return self._live

    def has(self, worker: str) -> bool:
        """Whether a worker is still there."""
        try:
            return worker in self.live().values()
        except ExecutorError:
            return False

    def look_again(self, address: str) -> None:
        """Forget who is at an address."""
        self._live = {at: worker for at, worker in self._live.items() if at != address}
        self._looked = -math.inf

    def _awaited(self) -> dict[str, str]:
        """Ids of the workers by address; waits for one where there is none.

        Raises:
            ExecutorError: None came, or the scheduler is gone.
        """
        end = time.monotonic() + _WAIT_S
        while not (live := self.live()):
            if time.monotonic() > end:
                raise ExecutorError(
                    f"Dask: expected workers at {self._place}, found none within {_WAIT_S:g} s",
                    remedy=f"`dask worker {self._place}` starts one",
                )
            time.sleep(_LOOK_S / 2)
        return live

    @property
    def _place(self) -> str:
        return str(self._client.scheduler.address)

    def _gone(self) -> ExecutorError:
        return ExecutorError(
            "Dask: expected a scheduler that answers, found that it is gone",
            remedy="start it again; what was answered is kept, and the same command goes on",
        )

    def _greeted(self, addresses: Sequence[str]) -> dict[str, str]:
        """Ask workers who they are; the ids of those that are still there."""
        if not addresses:
            return {}
        said = self._client.run(_introduced, workers=list(addresses), on_error="return")
        ids = {}
        for address, answer in said.items():
            if isinstance(answer, OSError):
                continue  # it has ended since
            worker, version = answer if isinstance(answer, tuple) else ("", repr(answer))
            if version != ngae.__version__:
                raise ExecutorError(
                    f"Dask: worker {address}: expected ngae {ngae.__version__}, found {version}",
                    remedy="install the same versions where the workers run",
                )
            ids[address] = worker
        return ids

    def _kept(self, value: Any, address: str, worker: str) -> Any:
        """Send a value to a worker that does not have it; where it is there."""
        sent, there = self._sent.get(worker, (None, None))
        if sent is not value:
            there = self._client.scatter(value, workers=[address], hash=False)
            self._sent[worker] = value, there
        return there


class DaskCall:
    """A call under way.

    Attributes:
        address: Where it runs.
        worker: Id of the worker that it is meant for.
    """

    def __init__(self, workers: DaskWorkers, future: Any, address: str, worker: str) -> None:
        self._workers, self._future = workers, future
        self.address, self.worker = address, worker

    def done(self) -> bool:
        """Whether it ended, or cannot end any more."""
        return self._future.done() or not self._workers.has(self.worker)

    def result(self) -> Any:
        """Return what the function returned; waits.

        Raises:
            WorkerLostError: The worker died.
            ExecutorError: The scheduler is gone.
        """
        try:
            while self._workers.has(self.worker) or self._future.done():
                with suppress(TimeoutError):
                    return self._future.result(timeout=_LOOK_S)
        except CancelledError:
            pass  # with its scheduler, or with what was sent to the worker
        except WorkerLostError:
            self._workers.look_again(self.address)
            raise
        self._workers.look_again(self.address)
        self._workers.live()
        raise WorkerLostError(f"worker {self.address} died")


def _connected(address: str) -> Any:
    """Open a client of a scheduler."""
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError("distributed", "dask", "Dask") from error
    where = {"scheduler_file" if address.endswith(".json") else "address": address}
    try:
        return distributed.Client(**where, timeout=_TALK_S, set_as_default=False, name="ngae")
    except (OSError, ValueError) as error:
        raise ExecutorError(
            f"Dask: expected a scheduler at {address}, found: {error}",
            remedy="`dask scheduler` starts one and tells its address",
        ) from error


def _introduced(dask_worker: Any) -> tuple[str, str]:
    """Say who a worker is: an id that another start of it does not have, its version of ngae."""
    return str(dask_worker.id), ngae.__version__


def _called(worker: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function, if this is the worker that it is meant for."""
    from distributed import get_worker

    here = get_worker()
    if here.id != worker:
        raise WorkerLostError("the worker died and was started again")
    torch = sys.modules.get("torch")  # who needs it came with it
    if torch is not None:
        torch.set_num_threads(here.state.nthreads)
    return function(*arguments)
