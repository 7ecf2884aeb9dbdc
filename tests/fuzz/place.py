"""Where the targets put their files: one folder of this process, in memory where there is room."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

SEPARATOR = b"\n====\n"  # between the files of an input


@cache
def folder() -> Path:
    """Return the folder; it goes when the process ends."""
    memory = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(prefix="ngae-fuzz-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def written(name: str, content: bytes) -> Path:
    """Write a file and return its path."""
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def emptied(name: str) -> Path:
    """Return a folder of that name without anything in it."""
    path = folder() / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


def choice(data: bytes, count: int) -> tuple[int, bytes]:
    """Take the first byte as one of `count` choices, the digits in their order."""
    return ((data[0] - ord("0")) % count if data else 0), data[1:]


def parts(data: bytes, count: int) -> list[bytes]:
    """Cut an input into `count` files; missing ones are empty."""
    found = data.split(SEPARATOR, count - 1)
    return found + [b""] * (count - len(found))
