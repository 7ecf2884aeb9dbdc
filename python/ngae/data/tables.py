"""From rows of a file to a `Table`: architectures parsed, numbers checked, problems collected."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data.config import DataConfig
from ngae.data.raw import Cell, Problems, RawRow, read_text
from ngae.data.readers import READERS, Columns
from ngae.data.records import Table
from ngae.errors import GraphError, ParseError, UsageError
from ngae.spaces.base import SearchSpace
from ngae.spaces.nested_lists import scan_integer_lists
from ngae.spaces.registry import space_named

VOTES = 100  # rows that decide on the space, where none is named
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


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
    rows = list(READERS[suffix](text, columns, config.burn_in, problems))
    if not rows and not problems.found:
        burn_in = f" after a burn-in of {config.burn_in}" if config.burn_in else ""
        raise problems.fatal(None, None, f"rows{burn_in}", "none")
    share = suffix == ".txt"
    space = _space(config.space, rows, problems)
    return _table(path, space, columns, rows, problems, share)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _space(name: str, rows: list[RawRow], problems: Problems) -> SearchSpace:
    """The named space, or the one that most of the first rows fit by their layers.

    One row would not do: the first may be the broken one.
    """
    if name != "auto":
        return space_named(name)
    votes: Counter[int] = Counter()
    faults = []
    for row in rows:
        try:
            votes[_layers(row.arch)] += 1
        except ParseError as error:
            faults.append((row.line, error.column, error.expected, error.found))
        if votes.total() == VOTES:
            break
    if not votes:
        for fault in faults:
            problems.add(*fault)
        problems.raise_if_any()
    return space_named(f"enas{votes.most_common(1)[0][0]}")


def _layers(arch: Cell) -> int:
    """Layers of an ENAS architecture, from 1 to 99; ParseError with a column of its line."""
    try:
        if isinstance(arch.value, str):
            layers = len(scan_integer_lists(arch.value))
        else:
            layers = len(arch.value["node_types"]) - 2
    except ParseError as error:
        column = arch.column + error.column - 1
        raise ParseError(error.expected, error.found, column) from error
    except (KeyError, TypeError) as error:
        raise ParseError("node_types and edges", _shown(arch.value), arch.column) from error
    if not 1 <= layers <= 99:
        raise ParseError("an architecture of 1 to 99 layers", f"{layers}", arch.column)
    return layers


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
    exact = not columns.complexity
    table = Table(
        name=Path(path).name,
        space=space,
        dags=Dags.of(dags, space),
        performance=np.array(performance, dtype=np.float64),
        complexity=space.complexity(dags) if exact else np.array(complexity, dtype=np.float64),
        performance_name="accuracy" if share else columns.performance,
        complexity_names=space.complexity_names if exact else columns.complexity,
        lines=np.array(lines, dtype=np.int64),
        source=path,
    )
    _note_contradictions(table, problems)
    problems.raise_if_any()
    return table


def _dag(row: RawRow, space: SearchSpace, problems: Problems) -> Dag | None:
    value = row.arch.value
    try:
        if isinstance(value, dict):
            return Dag.from_json(value, space)
        return space.parse(value)
    except ParseError as error:
        problems.add(row.line, row.arch.column + error.column - 1, error.expected, error.found)
    except GraphError as error:
        problems.add(row.line, row.arch.column, f"an architecture of {space.name}", str(error))
    return None


def _number(
    line: int, cell: Cell, problems: Problems, least: float | None, share: bool
) -> float | None:
    text = str(cell.value).strip()
    value = float(text) if _NUMBER.fullmatch(text) else None
    low = -math.inf if least is None else least
    high = 1.0 if share else math.inf
    if value is not None and math.isfinite(value) and low <= value <= high:
        return value
    expected = "a finite number"
    if value is not None and math.isfinite(value):
        expected = "a fraction from 0 to 1" if share else f"a number from {least:g}"
    problems.add(line, cell.column, expected, _shown(cell.value))
    return None


def _note_contradictions(table: Table, problems: Problems) -> None:
    """The same architecture with another answer is a mistake in the table, not a choice of ours."""
    for first, *others in table.duplicates():
        wanted = _answers(table, first)
        for row in others:
            for name, value in _answers(table, row).items():
                if value != wanted[name]:
                    place = f"line {table.lines[first]}, the same architecture"
                    expected = f"the {name} of {place}: {wanted[name]}"
                    problems.add(int(table.lines[row]), 1, expected, f"{value}")


def _answers(table: Table, row: int) -> dict[str, float]:
    record = table[row]
    answers = {n: float(v) for n, v in zip(table.complexity_names, record.complexity, strict=True)}
    return {**answers, "performance": record.performance}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
