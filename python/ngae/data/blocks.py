"""A block of rows as arrays: the quick way for whole blocks, the slow way that names problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data.columns import Columns
from ngae.data.config import DataConfig
from ngae.data.joined import Joined
from ngae.data.json_lines import Quoted
from ngae.data.numbers import ANY, COST, SHARE, number, numbers
from ngae.data.raw import Problems, RawBlock, RawRow, Value
from ngae.errors import GraphError, ParseError, UsageError, shown
from ngae.spaces.base import SearchSpace

JOINT = ";"  # between the cells of one architecture


@dataclass(frozen=True, eq=False)
class Block:
    """Rows in columns.

    Attributes:
        dags: The architectures.
        numbers: float64 (num_rows, num_numbers), in the order of `Columns.numbers`.
        lines: int32 (num_rows,).
    """

    dags: Dags
    numbers: NDArray[np.float64]
    lines: NDArray[np.int32]


class Reading:
    """How the rows of one file become blocks.

    Args:
        columns: The columns.
        config: What was asked for.
        share: Whether the performance is a fraction.
    """

    def __init__(self, columns: Columns, config: DataConfig, *, share: bool) -> None:
        self.columns = columns
        self.negate = config.lower_is_better
        self.joined: list[Joined] = []
        self.bounds = dict.fromkeys(columns.complexity or (), COST)
        missing = config.missing == "keep"
        self.bounds |= {name: replace(ANY, may_miss=True) for name in columns.reported}
        if columns.performance is not None:
            kind = SHARE if share else ANY
            self.bounds[columns.performance] = replace(kind, may_miss=missing)

    @property
    def performance_name(self) -> str:
        """Name of the performance as the table has it."""
        return ("-" if self.negate else "") + (self.columns.performance or "")

    def join(self, joined: Joined) -> None:
        """Take the columns of a further file.

        Raises:
            UsageError: Another further file has one of them, too.
        """
        for other in self.joined:
            for name in set(other.names) & set(joined.names):
                raise UsageError(
                    f"--join: expected the column {name} in one file, found it in {other.path} and "
                    f"{joined.path}"
                )
        self.joined.append(joined)

    @property
    def own(self) -> tuple[str, ...]:
        """Columns of numbers that the file itself has."""
        elsewhere = {name for joined in self.joined for name in joined.names}
        return tuple(name for name in self.columns.numbers if name not in elsewhere)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Columns that are read: the architecture's, numbers, keys of further files."""
        return (*self.columns.arch, *self.own, *(joined.key for joined in self.joined))

    @property
    def optional(self) -> frozenset[str]:
        """Columns whose cells may be missing."""
        return frozenset(name for name, bounds in self.bounds.items() if bounds.may_miss)

    def text(self, row: RawRow) -> str:
        """Return the text of the architecture of `row`."""
        return JOINT.join(str(value) for value in row.values[: len(self.columns.arch)])

    def place(self, row: RawRow, column: int) -> int:
        """Where in its line stands what is at `column` (from 1) of the text of `row`."""
        for position in range(len(self.columns.arch)):
            length = len(str(row.values[position]))
            if column <= length + 1 or position == len(self.columns.arch) - 1:
                return row.column(position) + column - 1
            column -= length + len(JOINT)
        raise AssertionError("an architecture has at least one column")

    def block(self, raw: RawBlock, space: SearchSpace, problems: Problems) -> Block:
        """Read a block; rows with problems are noted and left out."""
        block = self._quick(raw, space)
        return self._slow(raw.rows(), space, problems) if block is None else block

    def _quick(self, raw: RawBlock, space: SearchSpace) -> Block | None:
        """The block, or None where anything is not plainly right."""
        width = len(self.columns.arch)
        architectures = raw.columns[:width]
        shared = raw.columns[width + len(self.own) :]
        if any(isinstance(value, dict) for column in (*architectures, *shared) for value in column):
            return None
        columns: dict[str, NDArray[np.float64]] = {}
        for name, texts in zip(self.own, raw.columns[width:], strict=False):
            read = numbers(texts, self.bounds[name])
            if read is None:
                return None
            columns[name] = read
        for joined, keys in zip(self.joined, shared, strict=True):
            if not all(key in joined.rows for key in keys):
                return None
            values = np.array([joined.rows[str(key)] for key in keys]).reshape(len(keys), -1)
            columns |= {name: values[:, i] for i, name in enumerate(joined.names)}
        try:
            dags = space.parse_many(self._texts(architectures))
        except GraphError:
            return None
        return self._joined(dags, columns, raw.lines)

    def _texts(self, architectures: Sequence[Sequence[Value]]) -> Sequence[str]:
        """The texts of all rows, of the cells by column; none of them is an object."""
        if len(architectures) == 1:
            return [str(text) for text in architectures[0]]
        return list(map(JOINT.join, zip(*architectures, strict=True)))

    def _joined(
        self, dags: Dags, columns: dict[str, NDArray[np.float64]], lines: Sequence[int]
    ) -> Block:
        table = np.empty((len(lines), len(self.columns.numbers)))
        for place, name in enumerate(self.columns.numbers):
            table[:, place] = columns[name]
        return Block(dags, table, np.array(lines, dtype=np.int32))

    def _slow(self, rows: list[RawRow], space: SearchSpace, problems: Problems) -> Block:
        dags: list[Dag] = []
        columns: dict[str, list[float]] = {name: [] for name in self.columns.numbers}
        lines = []
        for row in rows:
            dag = self._dag(row, space, problems)
            values = self._numbers(row, problems)
            if dag is None or values is None:
                continue
            lines.append(row.line)
            dags.append(dag)
            for name, value in values.items():
                columns[name].append(value)
        arrays = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
        return self._joined(Dags.of(dags, space), arrays, lines)

    def _dag(self, row: RawRow, space: SearchSpace, problems: Problems) -> Dag | None:
        value = row.values[0]
        try:
            if isinstance(value, dict):
                return space.parse_value(value)
            return space.parse(self.text(row))
        except ParseError as error:
            problems.add(row.line, self.place(row, error.column), error.expected, error.found)
        except GraphError as error:
            expected = f"an architecture of {space.name}"
            problems.add(row.line, row.column(0), expected, str(error))
        return None

    def _numbers(self, row: RawRow, problems: Problems) -> dict[str, float] | None:
        found: dict[str, float] = {}
        width = len(self.columns.arch)
        for position, name in enumerate(self.own, width):
            value = number(row.values[position], self.bounds[name])
            if isinstance(value, str):
                place, text = row.column(position), row.values[position]
                if isinstance(text, Quoted):
                    place, text = place - 1, f'"{text}"'
                problems.add(row.line, place, value, shown(text))
            else:
                found[name] = value
        for position, joined in enumerate(self.joined, width + len(self.own)):
            key = str(row.values[position])
            if key not in joined.rows:
                expected = f"a {joined.key} of {joined.path}"
                problems.add(row.line, row.column(position), expected, shown(key))
            else:
                found |= dict(zip(joined.names, joined.rows[key].tolist(), strict=True))
        return found if len(found) == len(self.columns.numbers) else None
