"""Files of folders that may be half written, broken or of somebody else, read without a raise.

Only regular files of a sane size are opened; nothing is written. Holds no torch and no numpy.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ngae.files import parse_json

_MOST_BYTES = 64_000_000  # of a file that holds one JSON object


def names_in(folder: Path) -> set[str] | None:
    """Return the names in a folder; None where it cannot be listed."""
    try:
        return set(os.listdir(folder))
    except OSError:
        return None


def subfolders(folder: Path) -> list[Path]:
    """List the folders in a folder by name, hidden ones left out; [] where there is none."""
    names = sorted(names_in(folder) or ())
    return [folder / name for name in names if name[0] != "." and os.path.isdir(folder / name)]


def written_at(folder: Path, *inner: str) -> float | None:
    """Return when a file directly in the folder, or in one of `inner`, was last changed."""
    times = []
    for place in (folder, *(folder / name for name in inner)):
        for name in names_in(place) or ():
            status = _status(place / name)
            if status is not None and stat.S_ISREG(status.st_mode):
                times.append(status.st_mtime)
    own = _status(folder)
    return max(times, default=None if own is None else own.st_mtime)


def json_object(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Read a JSON object; None and why not ("" where there is no such file)."""
    status = _status(path)
    if status is None:
        return None, ""
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
        return None, f"{path.name}: expected a JSON object, found something else"
    try:
        value = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return None, f"{path.name}: expected a JSON object: {error}"
    if not isinstance(value, dict):
        return None, f"{path.name}: expected a JSON object, found {type(value).__name__}"
    return value, ""


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Read the lines that are JSON objects; others, such as half a line, are left out."""
    status = _status(path)
    if status is None or not stat.S_ISREG(status.st_mode):
        return []
    found = []
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    value = parse_json(line)
                except ValueError:
                    continue
                if isinstance(value, dict):
                    found.append(value)
    except OSError:
        pass
    return found


def held(path: Path) -> bool:
    """Tell whether a process holds the lock on a file.

    The lock is taken together with whoever else looks, and let go at once: a process that claims
    the folder in this very moment would be refused.
    """
    import fcntl

    status = _status(path)
    if status is None or not stat.S_ISREG(status.st_mode):
        return False
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(handle)
    return False


def section(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object of that name; empty where there is none."""
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def number(value: object) -> float | None:
    """Return a finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def whole(value: object) -> int | None:
    """Return an integer from 0; None for anything else."""
    return value if type(value) is int and value >= 0 else None


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None
