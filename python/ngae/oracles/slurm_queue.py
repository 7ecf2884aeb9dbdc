"""Which jobs of Slurm have ended: by their files and by `squeue`, which needs no accounting."""

from __future__ import annotations

import math
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_LIST_S = 0.3  # how often the folder is looked at


def squeue() -> frozenset[str] | None:
    """Return the numbers of this user's jobs that wait or run; None where Slurm does not say."""
    command = ["squeue", "--me", "--noheader", "--format=%i"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return frozenset(done.stdout.split())


class JobQueue:
    """Tells which jobs have ended, and asks rarely.

    Args:
        folder: Where jobs write their answers.
        ask: Gives the jobs that wait or run, as `squeue` does.
        ask_s: Seconds between two questions.
        late_s: Seconds that a shared file system may take to show what a job wrote.
    """

    def __init__(
        self,
        folder: Path,
        ask: Callable[[], frozenset[str] | None] = squeue,
        ask_s: float = 10.0,
        late_s: float = 15.0,
    ) -> None:
        self._folder, self._ask = folder, ask
        self._ask_s, self._late_s = ask_s, late_s
        self._names: frozenset[str] = frozenset()
        self._listed = -math.inf
        self._queue: frozenset[str] | None = None
        self._asked = -math.inf
        self._left: dict[str, float] = {}  # when a job was first missing

    def has_ended(self, job_id: str, answer: str, submitted: float) -> bool:
        """Whether a job has ended.

        Args:
            job_id: Its number.
            answer: Name of the file that it writes at its end.
            submitted: When it was handed in, by `time.monotonic`.
        """
        now = time.monotonic()
        if now - self._listed > _LIST_S:
            with suppress(OSError):
                self._names = frozenset(os.listdir(self._folder))
            self._listed = now
        if answer in self._names:
            self._left.pop(job_id, None)
            return True
        if now - self._asked > self._ask_s:
            self._asked, self._queue = now, self._ask()
        if self._queue is None or self._asked <= submitted or job_id in self._queue:
            return False
        return now - self._left.setdefault(job_id, now) > self._late_s
