"""NAS-Bench-101: records [hash, epochs, adjacency, operations, metrics] to one row a cell.

A cell was trained three times for each number of epochs; the row holds the means over the runs.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ngae.data.convert import bad_record, rounded
from ngae.data.tfrecord import message_fields, read_tfrecord

# Fields of `ModelMetrics` and `EvaluationData` in nasbench/lib/model_metrics.proto.
_EVALUATION, _PARAMETERS = 1, 2
_TIME, _VALIDATION, _TEST = 2, 4, 5
_LAST = 2  # evaluations: before training, halfway, at the end


class _Means:
    """Sums over the runs of each cell at one number of epochs."""

    def __init__(self) -> None:
        self.sums = {name: array("d") for name in ("runs", "validation", "test", "time")}

    def add(self, cell: int, values: tuple[float, float, float]) -> None:
        """Add a run."""
        for column in self.sums.values():
            column.extend([0.0] * (cell + 1 - len(column)))
        runs = (1.0, *values)
        for column, value in zip(self.sums.values(), runs, strict=True):
            column[cell] += value

    def of(self, cell: int) -> tuple[float, float, float] | None:
        """Return the means of a cell, or None where it has no run."""
        runs = self.sums["runs"]
        if cell >= len(runs) or not runs[cell]:
            return None
        validation, test, time = (
            self.sums[name][cell] / runs[cell] for name in ("validation", "test", "time")
        )
        return validation, test, time


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield one row a cell, in the order of the hashes.

    Columns: module_hash, num_vertices, num_edges, adjacency, operations, trainable_parameters, and
    for each number of epochs in the file val_acc_<n>ep, test_acc_<n>ep (fractions),
    train_time_<n>ep_s (seconds).

    Raises:
        DataError: A broken record, or records of a cell that contradict each other.
    """
    cells: dict[str, int] = {}
    facts: list[tuple[str, str, int]] = []
    means: dict[int, _Means] = {}
    for number, content in read_tfrecord(path):
        key, epochs, fact, values = _record(path, number, content)
        cell = cells.setdefault(key, len(cells))
        if cell == len(facts):
            facts.append(fact)
        elif facts[cell] != fact:
            raise bad_record(path, number, f"the cell {facts[cell]} of {key} again", fact)
        means.setdefault(epochs, _Means()).add(cell, values)
    for key in sorted(cells):
        yield _row(path, key, facts[cells[key]], cells[key], means)


def _row(
    path: Path, key: str, fact: tuple[str, str, int], cell: int, means: dict[int, _Means]
) -> dict[str, Any]:
    adjacency, operations, parameters = fact
    row: dict[str, Any] = {
        "module_hash": key,
        "num_vertices": operations.count(",") + 1,
        "num_edges": adjacency.count("1"),
        "adjacency": adjacency,
        "operations": operations,
        "trainable_parameters": parameters,
    }
    for epochs in sorted(means):
        values = means[epochs].of(cell)
        if values is None:
            raise bad_record(path, key, f"a run of {epochs} epochs", "none")
        row[f"val_acc_{epochs}ep"] = rounded(values[0], 9)
        row[f"test_acc_{epochs}ep"] = rounded(values[1], 9)
        row[f"train_time_{epochs}ep_s"] = rounded(values[2], 3)
    return row


def _record(
    path: Path, number: int, content: bytes
) -> tuple[str, int, tuple[str, str, int], tuple[float, float, float]]:
    """Hash, epochs, (adjacency, operations, parameters), (validation, test, time) of a record."""
    try:
        key, epochs, adjacency, operations, packed = json.loads(content)
        parameters, values = _metrics(base64.b64decode(packed, validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        expected = "a JSON list of hash, epochs, adjacency, operations, metrics"
        raise bad_record(path, number, expected, f"{error} in {content[:40]!r}") from error
    kinds = [type(value).__name__ for value in (key, epochs, adjacency, operations)]
    if kinds != ["str", "int", "str", "str"]:
        raise bad_record(path, number, "a text, an integer and two texts", ", ".join(kinds))
    vertices = operations.count(",") + 1
    if len(adjacency) != vertices**2 or set(adjacency) - {"0", "1"}:
        raise bad_record(path, number, f"{vertices**2} digits 0 or 1 of adjacency", adjacency)
    fact = (sys.intern(adjacency), sys.intern(operations), parameters)
    return key, epochs, fact, values


def _metrics(message: bytes) -> tuple[int, tuple[float, float, float]]:
    parameters, evaluations = None, []
    for field, value in message_fields(message):
        if field == _PARAMETERS and isinstance(value, int):
            parameters = value
        if field == _EVALUATION and isinstance(value, bytes):
            evaluations.append(value)
    if parameters is None or len(evaluations) != _LAST + 1:
        raise ValueError(f"{len(evaluations)} evaluations, {parameters} parameters")
    last = dict(message_fields(evaluations[_LAST]))
    validation, test, time = (last.get(field) for field in (_VALIDATION, _TEST, _TIME))
    values = [v for v in (validation, test, time) if isinstance(v, float) and math.isfinite(v)]
    if len(values) != 3:
        raise ValueError(f"an evaluation without accuracies or time: {last}")
    return parameters, (values[0], values[1], values[2])
