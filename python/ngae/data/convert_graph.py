"""NAS-Bench-Graph: a pickled dictionary from architecture keys to results, one row an entry.

The pickle is read through the list of `ngae.data.allowlist`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ngae.data.allowlist import read_pickled_numbers
from ngae.data.convert import bad_record, rounded
from ngae.errors import DataError

MOST_BYTES = 1 << 28  # the published files have 2 MB; a pickle is read whole
# The order of the published code (nas-bench-graph/architecture.py): a key counts in these.
LINKS = (
    "0-0-0-0", "0-0-0-1", "0-0-1-1", "0-0-1-2", "0-0-1-3", "0-1-1-1", "0-1-1-2", "0-1-2-2",
    "0-1-2-3",
)  # fmt: skip
OPS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
_BASE = len(OPS) + 1
_COLUMNS = {"valid_perf": ("valid_perf", 6), "test_perf": ("perf", 6), "latency_s": ("latency", 7)}


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield one row an architecture, in the order of the keys.

    Columns: arch_hash, links, ops, valid_perf, test_perf (fractions), latency_s, params_m (10^6).

    Raises:
        DataError: No such pickle, a name in it that is not on the list, a key or a value that
            cannot be.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{path}: expected at most {MOST_BYTES} bytes, found {size}")
        value = read_pickled_numbers(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"{path}: expected a file that can be read: {error}") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected a dictionary, found {type(value).__name__}")
    for key in value:
        _architecture(path, key)
    for key, results in sorted(value.items()):
        links, ops = _architecture(path, key)
        row: dict[str, Any] = {"arch_hash": key, "links": links, "ops": ops}
        for name, (source, places) in {**_COLUMNS, "params_m": ("para", 6)}.items():
            row[name] = rounded(_number(path, key, source, results), places)
        yield row


def _architecture(path: Path, key: object) -> tuple[str, str]:
    """Links and operations of a key: the links' place, then four operations, in base ten."""
    if type(key) is not int or not 0 <= key < len(LINKS) * _BASE**4:
        raise bad_record(path, key, f"a key below {len(LINKS) * _BASE**4}", repr(key))
    digits = [key // _BASE**power % _BASE for power in (3, 2, 1, 0)]
    if max(digits) >= len(OPS):
        raise bad_record(path, key, f"four operations from 0 to {len(OPS) - 1}", str(digits))
    return LINKS[key // _BASE**4], "-".join(OPS[digit] for digit in digits)


def _number(path: Path, key: object, name: str, results: object) -> float:
    value = results.get(name) if isinstance(results, dict) else None
    number = math.nan
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = float(value)
    except OverflowError:  # of an integer
        pass
    if not math.isfinite(number):
        raise bad_record(path, key, f"{name}, a finite number", repr(value))
    return number
