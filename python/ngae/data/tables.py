"""From rows of a file to a `Table`: architectures parsed, numbers checked, problems collected."""

from __future__ import annotations

import json
import math
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ngae.dag import Dag
from ngae.data.config import DataConfig
from ngae.data.raw import Cell, Problems, RawRow, read_text
from ngae.data.readers import READERS, Columns
from ngae.data.records import Table
from ngae.errors import GraphError, ParseError, UsageError
from ngae.spaces.base import SearchSpace
from ngae.spaces.registry import space_named


def read_table(path: str, config: DataConfig) -> Table:
    """Read a file.

    Args:
        path: The file; its suffix decides the form.
        config: Columns, space and burn-in.

    Returns:
        Every row after the burn-in; none is dropped.

    Raises:
        DataError: With every problem that was found: file, line, column, expected, found.
        UsageError: An unknown suffix.
    """
    problems = Problems(path)
    suffix = Path(path.removesuffix(".gz")).suffix
    if suffix not in READERS:
        raise UsageError(
            f"--data {path}: expected an embedded table (digits6) or a file that ends in "
            f"{', '.join(READERS)}, found {suffix or 'no suffix'!r}",
            remedy="`ngae data formats` describes the files",
        )
    columns = Columns(config.arch_col, config.performance_col, _names(config.complexity_col))
    text = read_text(Path(path), problems)
    rows = list(islice(READERS[suffix](text, columns, problems), config.burn_in, None))
    if not rows and not problems.found:
        raise problems.fatal(None, None, f"rows after a burn-in of {config.burn_in}", "none")
    share = suffix == ".txt"
    space = _space(config.space, rows, problems)
    return _table(path, space, columns, rows, problems, share)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _space(name: str, rows: list[RawRow], problems: Problems) -> SearchSpace:
    """The named space, or the one that most of the first rows fit by their layers."""
    if name != "auto":
        return space_named(name)
    counts = [_layers(row.arch.value) for row in rows[:100]]
    known = [count for count in counts if count]
    if not known:
        problems.raise_if_any()
        row = rows[0]
        expected = "an architecture such as [[0], [1, 0]] (or --space)"
        raise problems.fatal(row.line, row.arch.column, expected, _shown(row.arch.value))
    return space_named(f"enas{max(set(known), key=known.count)}")


def _layers(value: Any) -> int:
    if isinstance(value, str):
        return value.count("[") - 1
    if isinstance(value, dict):
        types = value.get("node_types")
        return len(types) - 2 if isinstance(types, list) else 0
    return len(value) if isinstance(value, list) else 0


def _table(
    path: str,
    space: SearchSpace,
    columns: Columns,
    rows: list[RawRow],
    problems: Problems,
    share: bool,
) -> Table:
    dags, performance, complexity, lines = [], [], [], []
    for row in rows:
        dag = _dag(row, space, problems)
        value = _number(row.line, row.performance, problems, 0 if share else None, share)
        costs = [_number(row.line, cell, problems, 0, False) for cell in row.complexity]
        if dag is not None and value is not None and None not in costs:
            dags.append(dag)
            performance.append(value)
            complexity.append(costs)
            lines.append(row.line)
    problems.raise_if_any()
    exact = not columns.complexity
    table = Table(
        name=Path(path).name,
        space=space,
        dags=tuple(dags),
        performance=np.array(performance, dtype=np.float64),
        complexity=space.complexity(dags) if exact else np.array(complexity, dtype=np.float64),
        performance_name="accuracy" if share else columns.performance,
        complexity_names=space.complexity_names if exact else columns.complexity,
        lines=np.array(lines, dtype=np.int64),
        source=path,
    )
    _refuse_contradictions(table, problems)
    return table


def _dag(row: RawRow, space: SearchSpace, problems: Problems) -> Dag | None:
    value = row.arch.value
    try:
        if isinstance(value, dict):
            return Dag.from_json(value, space)
        text = value if isinstance(value, str) else json.dumps(value)
        return space.parse(text)
    except ParseError as error:
        column = row.arch.column + (error.column - 1 if isinstance(value, str) else 0)
        problems.add(row.line, column, error.expected, error.found)
    except GraphError as error:
        problems.add(row.line, row.arch.column, f"an architecture of {space.name}", str(error))
    return None


def _number(
    line: int, cell: Cell, problems: Problems, least: float | None, share: bool
) -> float | None:
    value = _as_float(cell.value)
    low = -math.inf if least is None else least
    high = 1.0 if share else math.inf
    if value is not None and math.isfinite(value) and low <= value <= high:
        return value
    expected = "a finite number"
    if value is not None and math.isfinite(value):
        expected = "a fraction from 0 to 1" if share else f"a number from {least:g}"
    problems.add(line, cell.column, expected, _shown(cell.value))
    return None


def _as_float(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and "_" in value:
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _refuse_contradictions(table: Table, problems: Problems) -> None:
    """The same architecture with another answer is a mistake in the table, not a choice of ours."""
    for rows in table.duplicates():
        first = rows[0]
        for row in rows[1:]:
            if table.performance[row] != table.performance[first]:
                problems.add(
                    int(table.lines[row]),
                    1,
                    f"the performance of line {table.lines[first]}, the same architecture: "
                    f"{table.performance[first]:g}",
                    f"{table.performance[row]:g}",
                )
    problems.raise_if_any()


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
