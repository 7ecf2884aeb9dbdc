"""The three forms of a table: D-VAE text, CSV, JSON Lines. Each gives rows with columns."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ngae.data.raw import Cell, Problems, RawRow, lines_of


@dataclass(frozen=True)
class Columns:
    """Names of the columns that are wanted."""

    arch: str
    performance: str
    complexity: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every name, the architecture first."""
        return (self.arch, self.performance, *self.complexity)


Reader = Callable[[str, Columns, Problems], Iterator[RawRow]]


def read_dvae_text(text: str, columns: Columns, problems: Problems) -> Iterator[RawRow]:
    """Read lines `[[type], [type, flag], ...], accuracy`."""
    if columns.complexity:
        raise problems.fatal(
            None, None, "no --complexity-col: this form has no such column",
            ", ".join(columns.complexity),
        )  # fmt: skip
    for number, line in lines_of(text, problems):
        end = line.rfind("]")
        rest = line[end + 1 :]
        comma = end + 1 + len(rest) - len(rest.lstrip())
        if end < 0 or not line.lstrip().startswith("["):
            column = len(line) - len(line.lstrip()) + 1
            problems.add(number, column, "[[type], ...], accuracy", _shown(line))
        elif comma == len(line) or line[comma] != ",":
            found = "the end of the line" if comma == len(line) else _shown(line[comma:])
            problems.add(number, comma + 1, "a comma and the accuracy", found)
        else:
            yield RawRow(number, Cell(line[: end + 1], 1), _trimmed(line, comma + 1), ())


def read_csv(text: str, columns: Columns, problems: Problems) -> Iterator[RawRow]:
    """Read a head line and rows of comma-separated cells, quoted where they hold commas."""
    numbered = list(lines_of(text, problems))
    reader = csv.reader((line for _, line in numbered), strict=True)
    head: list[str] | None = None
    consumed = 0
    while True:
        first = consumed
        try:
            cells = next(reader, None)
        except csv.Error as error:
            line = numbered[min(first, len(numbered) - 1)][0]
            raise problems.fatal(line, 1, "a row of CSV", str(error)) from error
        if cells is None:
            return
        consumed = reader.line_num
        number, line_text = numbered[first]
        if head is None:
            head = [cell.strip() for cell in cells]
            places = _places(head, columns, number, line_text, problems)
        elif len(cells) != len(head):
            problems.add(number, 1, f"{len(head)} cells", f"{len(cells)}")
        else:
            starts = _starts(line_text, len(head))
            picked = [Cell(cells[place], starts[place]) for place in places]
            yield RawRow(number, picked[0], picked[1], tuple(picked[2:]))


def read_json_lines(text: str, columns: Columns, problems: Problems) -> Iterator[RawRow]:
    """Read one JSON object a line."""
    for number, line in lines_of(text, problems):
        try:
            value = json.loads(line, object_pairs_hook=_no_repeats)
        except _RepeatedKeyError as error:
            problems.add(number, 1, "each key once", f"{error} twice")
            continue
        except (ValueError, RecursionError) as error:
            column = error.colno if isinstance(error, json.JSONDecodeError) else 1
            problems.add(number, column, "a JSON object", str(error).split(":")[0])
            continue
        if not isinstance(value, dict):
            problems.add(number, 1, "a JSON object", _shown(line))
            continue
        missing = [name for name in columns.all if name not in value]
        if missing:
            problems.add(number, 1, f"the key {missing[0]}", f"keys {', '.join(value)}")
            continue
        cells = [Cell(value[name], _key_column(line, name)) for name in columns.all]
        yield RawRow(number, cells[0], cells[1], tuple(cells[2:]))


READERS: dict[str, Reader] = {
    ".txt": read_dvae_text,
    ".csv": read_csv,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
}


class _RepeatedKeyError(ValueError):
    pass


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedKeyError(next(name for name in names if names.count(name) > 1))
    return result


def _places(
    head: list[str], columns: Columns, number: int, line: str, problems: Problems
) -> list[int]:
    for name in columns.all:
        if name not in head:
            hint = " (are the cells separated by commas?)" if len(head) == 1 else ""
            found = _shown(", ".join(head)) + hint
            raise problems.fatal(number, 1, f"a column {name}", found)
        if head.count(name) > 1:
            column = line.find(name, line.find(name) + 1) + 1
            raise problems.fatal(number, column, f"one column {name}", f"{head.count(name)}")
    return [head.index(name) for name in columns.all]


def _starts(line: str, cells: int) -> Sequence[int]:
    """Where each cell begins in the line, in characters from 1; inside of its quotes."""
    starts, quoted = [1], False
    for place, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            starts.append(place + 2)
    inside = [s + 1 if line[s - 1 : s] == '"' else s for s in starts]
    return inside if len(inside) == cells else [1] * cells


def _trimmed(line: str, start: int) -> Cell:
    rest = line[start:]
    return Cell(rest.strip(), start + len(rest) - len(rest.lstrip()) + 1)


def _key_column(line: str, name: str) -> int:
    return max(line.find(json.dumps(name)), 0) + 1


def _shown(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 40 else text[:37] + "...")
