"""A whole run folder in which files are replaced, read as `ngae report` and `ngae status` do."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np

from ngae.errors import DataError
from ngae.report.arrays import read_arrays, write_arrays
from ngae.report.page import write_report
from ngae.report.runs import standings
from tests.fuzz.place import folder, parts

KEPT = Path(__file__).parents[1] / "fixtures" / "run-1" / "run"
TEXTS = (
    "config.json", "data.json", "env.json", "metrics.json", "log.jsonl",
    "search/whole/config.json", "search/whole/result.json", "search/whole/trials.jsonl",
    "search/whole/ledger.jsonl",
)  # fmt: skip
ARRAYS = ("latents.npz", "report.npz", "search/whole/report.npz")


@cache
def _run() -> Path:
    """Copy the run that the tests keep."""
    path = folder() / "reported" / "run"
    shutil.copytree(KEPT, path)
    return path


def report(data: bytes) -> None:
    """Texts, then changes of arrays: JSON objects of lists by name; what is empty stays."""
    run, given = _run(), parts(data, len(TEXTS) + len(ARRAYS))
    for name, content in zip(TEXTS, given, strict=False):
        (run / name).write_bytes(content or (KEPT / name).read_bytes())
    for name, content in zip(ARRAYS, given[len(TEXTS) :], strict=True):
        _write_arrays(run / name, KEPT / name, content)
    (standing,) = standings(run)
    assert standing.note.isprintable()
    assert write_report(run).stat().st_size > 10_000


def _write_arrays(path: Path, kept: Path, changes: bytes) -> None:
    """Write the arrays that are kept, with others in their place; null is none."""
    if not changes:
        path.write_bytes(kept.read_bytes())
        return
    try:
        found = json.loads(changes)
        new = {str(name): np.array(value) for name, value in found.items() if value is not None}
        write_arrays(path, {**read_arrays(kept), **new})
    except (ValueError, AttributeError, TypeError, RecursionError, OverflowError) as error:
        raise DataError("no arrays") from error
