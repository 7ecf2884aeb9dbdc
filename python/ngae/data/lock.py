"""One writer at a time: a lock on a file beside what is written, held by the operating system.

The lock goes with its process, however that ends; the lock file itself stays and means nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]


def silent(text: str) -> None:
    """Say nothing."""


@contextmanager
def locked(path: Path, say: Say = silent) -> Iterator[None]:
    """Hold the lock file `path` while the block runs; wait for whoever holds it.

    Args:
        path: The lock file; made where it is missing, with its folder.
        say: Gets one line where another process has to be waited for.
    """
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another"
            say(f"process {os.getpid()} waits for process {holder}, which holds {path}")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
