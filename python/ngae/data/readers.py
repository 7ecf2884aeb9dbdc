"""The three forms of a table: D-VAE text, CSV, JSON Lines. Each gives rows with columns."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ngae.data.raw import Cell, Problems, RawRow, lines_of

_DECODER = json.JSONDecoder()
_GAP = re.compile(r"[ \t\r\n:,]*")  # before a key or a value of an object known to be JSON
_MARK = re.compile('[",]')


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


Reader = Callable[[str, Columns, int, Problems], Iterator[RawRow]]


def read_dvae_text(
    text: str, columns: Columns, burn_in: int, problems: Problems
) -> Iterator[RawRow]:
    """Read lines `[[type], [type, flag], ...], accuracy` after the first `burn_in`."""
    if columns.complexity:
        raise problems.fatal(
            None, None, "no --complexity-col: this form has no such column",
            ", ".join(columns.complexity),
        )  # fmt: skip
    for number, line in islice(lines_of(text, problems), burn_in, None):
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


def read_csv(text: str, columns: Columns, burn_in: int, problems: Problems) -> Iterator[RawRow]:
    """Read a head line and, after `burn_in` rows, rows of cells, quoted where they hold commas."""
    records = _records(list(lines_of(text, problems)))
    number, line, cells = next(records)
    if isinstance(cells, csv.Error):
        raise problems.fatal(number, *_fault(line, cells))
    head = [cell.strip() for cell in cells]
    places = _places(head, columns, number, line, problems)
    for number, line, cells in islice(records, burn_in, None):
        if isinstance(cells, csv.Error):
            problems.add(number, *_fault(line, cells))
        elif len(cells) != len(head):
            problems.add(number, 1, f"{len(head)} cells", f"{len(cells)}")
        else:
            starts = _starts(line, len(head))
            picked = [Cell(cells[place], starts[place]) for place in places]
            yield RawRow(number, picked[0], picked[1], tuple(picked[2:]))


def read_json_lines(
    text: str, columns: Columns, burn_in: int, problems: Problems
) -> Iterator[RawRow]:
    """Read one JSON object a line after the first `burn_in`."""
    for number, line in islice(lines_of(text, problems), burn_in, None):
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
            found = f"keys {_shown(', '.join(value))}"
            problems.add(number, 1, f"the key {missing[0]}", found)
            continue
        spans = _spans(line)
        arch = _arch_cell(value[columns.arch], line, *spans[columns.arch])
        cells = [Cell(line[a:b], a + 1) for a, b in (spans[name] for name in columns.all[1:])]
        yield RawRow(number, arch, cells[0], tuple(cells[1:]))


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


def _spans(line: str) -> dict[str, tuple[int, int]]:
    """Where the value of each key stands in a line that holds one JSON object."""
    spans = {}
    place = _after_gap(line, line.index("{") + 1)
    while line[place] != "}":
        key, place = _DECODER.raw_decode(line, place)
        start = _after_gap(line, place)
        _, end = _DECODER.raw_decode(line, start)
        spans[key] = (start, end)
        place = _after_gap(line, end)
    return spans


def _after_gap(line: str, place: int) -> int:
    match = _GAP.match(line, place)
    return match.end() if match else place


def _arch_cell(value: Any, line: str, start: int, end: int) -> Cell:
    """An object as it is, a string inside of its quotes, anything else as it is written."""
    if isinstance(value, dict):
        return Cell(value, start + 1)
    if isinstance(value, str):
        return Cell(value, start + 2)
    return Cell(line[start:end], start + 1)


def _records(
    numbered: Sequence[tuple[int, str]],
) -> Iterator[tuple[int, str, list[str] | csv.Error]]:
    """Yield number and text of the first line of each record, and its cells or what is wrong.

    After a broken record the next line begins a new one, so that one open quote hides no rows.
    """
    first = 0
    while first < len(numbered):
        reader = csv.reader((line + "\n" for _, line in numbered[first:]), strict=True)
        start = first
        try:
            for cells in reader:
                yield *numbered[first], cells
                first = start + reader.line_num
        except csv.Error as error:
            yield *numbered[first], error
            first += 1


def _fault(line: str, error: csv.Error) -> tuple[int, str, str]:
    """Column, expected and found of a line that the csv module refused."""
    opened, quoted = 0, False
    for place, character in enumerate(line):
        if character == '"':
            quoted = not quoted
            opened = place if quoted else opened
        elif not quoted and place and line[place - 1] == '"' and character != ",":
            return place + 1, "a comma after the closing quote", repr(character)
    if quoted:
        return opened + 1, "a quote that is closed in its line", "none"
    return 1, "a row of CSV", str(error)


def _places(
    head: list[str], columns: Columns, number: int, line: str, problems: Problems
) -> list[int]:
    for name in columns.all:
        if name not in head:
            hint = " (are the cells separated by commas?)" if len(head) == 1 else ""
            found = _shown(", ".join(head)) + hint
            raise problems.fatal(number, 1, f"a column {name}", found)
        if head.count(name) > 1:
            column = _starts(line, len(head))[head.index(name, head.index(name) + 1)]
            raise problems.fatal(number, column, f"one column {name}", f"{head.count(name)}")
    return [head.index(name) for name in columns.all]


def _starts(line: str, cells: int) -> Sequence[int]:
    """Where each cell begins in the line, in characters from 1; inside of its quotes."""
    starts, quoted = [1], False
    for match in _MARK.finditer(line):
        if match[0] == '"':
            quoted = not quoted
        elif not quoted:
            starts.append(match.start() + 2)
    inside = [s + 1 if line[s - 1 : s] == '"' else s for s in starts]
    return inside if len(inside) == cells else [1] * cells


def _trimmed(line: str, start: int) -> Cell:
    rest = line[start:]
    return Cell(rest.strip(), start + len(rest) - len(rest.lstrip()) + 1)


def _shown(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 40 else text[:37] + "...")
