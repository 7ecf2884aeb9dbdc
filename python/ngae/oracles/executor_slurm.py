"""Jobs of Slurm as an executor, by submitit: each call is a job, and none is repeated unseen.

submitit writes calls and answers as pickles into a folder that all nodes see. It is made anew for
each process and is its user's alone, so that no pickle of others is ever read.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ngae.errors import MissingExtraError, UsageError
from ngae.files import naming
from ngae.oracles.base import ExecutorError

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

    def make(folder: Path) -> Any:
        return _slurm(folder, settings)

    return lambda: SubmitJobs(Path(folder), workers, make)


class JobDiedError(Exception):
    """A job ended without an answer."""


class SubmitJobs:
    """An executor on one of submitit's.

    Args:
        folder: Of its files; one of its own is made within.
        workers: Jobs at once.
        make: Makes submitit's executor for a folder.

    Raises:
        MissingExtraError: `submitit` is not installed.
        ExecutorError: No such cluster here.
        UsageError: Settings that it does not know.
        WriteError: The folder cannot be written to.
    """

    def __init__(self, folder: Path, workers: int, make: Callable[[Path], Any]) -> None:
        with naming(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix="jobs-", dir=folder)).absolute()
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

    def ended(self, job: SubmitJob, *, died: bool) -> None:
        """Hear that a job's end is known."""
        self._died |= died
        with suppress(ValueError):
            self._jobs.remove(job)

    def shutdown(self, wait: bool = True, cancel_futures: bool = False) -> None:
        """Cancel what has not ended; files go, but for logs of jobs that died."""
        for job in list(self._jobs):
            job.cancel()
        self._remove()

    def _remove(self) -> None:
        if self._died:
            for path in self.folder.glob("*.pkl"):
                path.unlink(missing_ok=True)
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # others have theirs beside it
            self.folder.parent.rmdir()


class SubmitJob:
    """A job under way."""

    def __init__(self, owner: SubmitJobs, job: Any) -> None:
        self._owner, self._job = owner, job

    def done(self) -> bool:
        """Whether it ended."""
        return bool(self._job.done())

    def result(self) -> Any:
        """Return what the function returned; waits.

        Raises:
            JobDiedError: It ended without.
        """
        from submitit.core.utils import FailedJobError, UncompletedJobError

        try:
            found = self._job.result()
        except FailedJobError as error:
            self._owner.ended(self, died=True)
            raise JobDiedError(f"job {self._job.job_id} failed: {_cause(str(error))}") from error
        except UncompletedJobError as error:
            self._owner.ended(self, died=True)
            log = self._job.paths.stderr
            raise JobDiedError(
                f"job {self._job.job_id} died ({self._job.state}); its log: {log}"
            ) from error
        self._owner.ended(self, died=False)
        return found

    def cancel(self) -> bool:
        """End the job; it has ended for whoever asked."""
        with suppress(OSError):
            self._job.cancel(check=False)
        self._owner.ended(self, died=False)
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


def _cause(trace: str) -> str:
    """The last line of a traceback that submitit puts between two rules."""
    lines = [line.strip() for line in trace.splitlines()]
    rules = [place for place, line in enumerate(lines) if line and not line.strip("-")]
    inside = lines[rules[0] + 1 : rules[-1]] if len(rules) > 1 else lines
    return next((line for line in reversed(inside) if line), "no reason told")
