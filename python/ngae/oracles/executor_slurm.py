"""Jobs of Slurm as an executor, by submitit: each call is a job, and none is repeated unseen.

submitit writes calls and answers as pickles into a folder that all nodes see. It is made anew for
each process and is its user's alone, so that no pickle of others is ever read.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ngae.errors import MissingExtraError, UsageError
from ngae.files import naming
from ngae.oracles.base import ExecutorError
from ngae.oracles.slurm_queue import JobQueue

# A job that Slurm queues again would evaluate without a line in the ledger.
_NEVER_AGAIN = {"no-requeue": True}


def slurm_jobs(folder: str | Path, workers: int, **settings: Any) -> Callable[[], SubmitJobs]:
    """Return a factory of executors for `Parallel` on the Slurm cluster of this machine.

    Args:
        folder: Where calls, answers and logs are kept; on a file system that all nodes see. What
            is kept there goes at the end, but for the logs of jobs that died.
        workers: Jobs at once.
        settings: Flags of `sbatch` by name, such as `partition="gpu", gres="gpu:1"`; `time` in
            minutes (5 by default); `setup`, lines of shell that run before each job.

    Raises:
        UsageError: A number out of range.
    """
    if workers < 1:
        raise UsageError(f"slurm_jobs: workers: expected a number from 1, found {workers}")

    return lambda: SubmitJobs(Path(folder), workers, lambda own: _slurm(own, settings))


class JobDiedError(Exception):
    """A job ended without an answer."""


class SubmitJobs:
    """An executor on one of submitit's.

    Args:
        folder: Of its files; one of its own is made within.
        workers: Jobs at once.
        make: Makes submitit's executor for a folder.
        queue: Makes what tells of the jobs there which have ended.

    Raises:
        MissingExtraError: `submitit` is not installed.
        ExecutorError: No such cluster here.
        UsageError: Settings that it does not know.
        WriteError: The folder cannot be written to.
    """

    def __init__(
        self,
        folder: Path,
        workers: int,
        make: Callable[[Path], Any],
        queue: Callable[[Path], JobQueue] = JobQueue,
    ) -> None:
        with naming(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix="jobs-", dir=folder)).absolute()
        self.queue = queue(self.folder)
        self._max_workers = workers
        self._jobs: list[SubmitJob] = []
        self._died = False
        try:
            self._executor = make(self.folder)
        except BaseException:
            self._remove()
            raise

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> SubmitJob:
        """Hand in a job; raises RuntimeError where it is not taken."""
        job = SubmitJob(self, self._executor.submit(function, *arguments))
        self._jobs.append(job)
        return job

    def forget(self, job: SubmitJob, *, died: bool = False) -> None:
        """Hear that a job has ended; its files go, but for the log of one that died."""
        self._died |= died
        with suppress(ValueError):
            self._jobs.remove(job)
        for path in self.folder.glob(f"{job.job_id}_*"):
            if not (died and path.suffix in (".out", ".err")):
                path.unlink(missing_ok=True)

    def shutdown(self, wait: bool = True, cancel_futures: bool = False) -> None:
        """Cancel what has not ended; files go, but for logs of jobs that died."""
        for job in list(self._jobs):
            job.cancel()
        self._remove()

    def _remove(self) -> None:
        if self._died:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # others have theirs beside it
            self.folder.parent.rmdir()


class SubmitJob:
    """A job under way.

    Attributes:
        job_id: Its number.
    """

    def __init__(self, owner: SubmitJobs, job: Any) -> None:
        self._owner, self._job = owner, job
        self.job_id = str(job.job_id)
        self._submitted = time.monotonic()

    def done(self) -> bool:
        """Whether it ended."""
        answer = self._job.paths.result_pickle.name
        return self._owner.queue.has_ended(self.job_id, answer, self._submitted)

    def result(self) -> Any:
        """Return what the function returned; of a job that is done.

        Raises:
            JobDiedError: It ended without.
        """
        from submitit.core.utils import FailedJobError

        log = self._job.paths.stderr
        if not self._job.paths.result_pickle.exists():
            said = _last_line(log)
            self._owner.forget(self, died=True)
            raise JobDiedError(f"job {self.job_id} died: {said or 'it said nothing'} ({log})")
        try:
            found = self._job.result()
        except FailedJobError as error:
            self._owner.forget(self, died=True)
            raise JobDiedError(f"job {self.job_id} failed: {_cause(str(error))} ({log})") from error
        self._owner.forget(self)
        return found

    def cancel(self) -> bool:
        """End the job; it has ended for whoever asked."""
        with suppress(OSError):
            self._job.cancel(check=False)
        self._owner.forget(self)
        return True


def _slurm(folder: Path, settings: Mapping[str, Any]) -> Any:
    """Make submitit's executor for Slurm; what it does not know is handed to `sbatch` as it is."""
    try:
        from submitit import SlurmExecutor
    except ImportError as error:
        raise MissingExtraError("submitit", "slurm", "Slurm") from error
    if shutil.which("sbatch") is None:
        raise ExecutorError(
            "Slurm: expected sbatch and srun on this machine, found none",
            remedy="start the search on a login node of the cluster",
        )
    known = SlurmExecutor._valid_parameters()
    given = {"job_name": "ngae", **settings}
    others = {name: value for name, value in given.items() if name not in known}
    executor = SlurmExecutor(folder)
    executor.update_parameters(
        **{name: value for name, value in given.items() if name in known},
        additional_parameters=_NEVER_AGAIN | others,
    )
    return executor


def _last_line(log: Path) -> str:
    """The last line of a log that is not empty."""
    with suppress(OSError):
        lines = log.read_text(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
    return ""


def _cause(trace: str) -> str:
    """The last line of a traceback that submitit puts between two rules."""
    lines = [line.strip() for line in trace.splitlines()]
    rules = [place for place, line in enumerate(lines) if line and not line.strip("-")]
    inside = lines[rules[0] + 1 : rules[-1]] if len(rules) > 1 else lines
    return next((line for line in reversed(inside) if line), "no reason told")
