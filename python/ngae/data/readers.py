"""The three forms of a table: D-VAE text, CSV, JSON Lines. Each gives rows of wanted columns.

A source knows the names of its columns before any row is read; rows come one after the other.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, Protocol

from ngae.data.raw import Lines, Problems, RawRow, Value

ARCHITECTURE, ACCURACY = "architecture", "accuracy"  # columns of D-VAE text
_DECODER = json.JSONDecoder()
_GAP = re.compile(r"[ \t\r\n:,]*")  # before a key or a value of an object known to be JSON
_MARK = re.compile('[",]')


class Source(Protocol):
    """A file that is open for reading."""

    names: tuple[str, ...]

    def rows(self, names: Sequence[str], burn_in: int) -> Iterator[RawRow]:
        """Yield rows after the first `burn_in`, of the columns `names` in their order.

        Raises:
            DataError: A column is missing or stands twice, or the file cannot be read on.
        """


class DvaeText:
    """Lines `[[type], [type, flag], ...], accuracy`."""

    names: tuple[str, ...] = (ARCHITECTURE, ACCURACY)

    def __init__(self, text: str, problems: Problems) -> None:
        self.lines = Lines(text, problems)
        self.problems = problems

    def rows(self, names: Sequence[str], burn_in: int) -> Iterator[RawRow]:
        """Yield rows, as `Source.rows`."""
        _check_names(names, self.names, None, self.problems)
        order = [self.names.index(name) for name in names]
        for number, line in islice(self.lines, burn_in, None):
            end = line.rfind("]")
            rest = line[end + 1 :]
            comma = end + 1 + len(rest) - len(rest.lstrip())
            if end < 0 or not line.lstrip().startswith("["):
                column = len(line) - len(line.lstrip()) + 1
                self.problems.add(number, column, "[[type], ...], accuracy", _shown(line))
            elif comma == len(line) or line[comma] != ",":
                found = "the end of the line" if comma == len(line) else _shown(line[comma:])
                self.problems.add(number, comma + 1, "a comma and the accuracy", found)
            else:
                after = line[comma + 1 :]
                starts = (1, comma + 2 + len(after) - len(after.lstrip()))
                values = (line[: end + 1], after.strip())
                columns = [starts[place] for place in order]
                yield RawRow(
                    number,
                    [values[place] for place in order],
                    line,
                    lambda _, c=columns: c,  # type: ignore[misc]
                )


class Csv:
    """A head line, and rows of cells, quoted where they hold commas."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.lines = Lines(text, problems)
        self.problems = problems
        self.line, self.head, cells = next(iter(self._records()))
        if isinstance(cells, csv.Error):
            raise problems.fatal(self.line, *_fault(self.head, cells))
        self.names = tuple(cell.strip() for cell in cells)

    def rows(self, names: Sequence[str], burn_in: int) -> Iterator[RawRow]:
        """Yield rows, as `Source.rows`."""
        width = len(self.names)
        _check_names(names, self.names, self.line, self.problems, _starts(self.head, width))
        places = [self.names.index(name) for name in names]
        pick = itemgetter(*places) if len(places) > 1 else lambda cells: (cells[places[0]],)

        def locate(line: str) -> Sequence[int]:
            starts = _starts(line, width)
            return [starts[place] for place in places]

        for number, line, cells in islice(self._records(), burn_in, None):
            if isinstance(cells, csv.Error):
                self.problems.add(number, *_fault(line, cells))
            elif len(cells) != width:
                self.problems.add(number, 1, f"{width} cells", f"{len(cells)}")
            else:
                yield RawRow(number, pick(cells), line, locate)

    def _records(self) -> Iterator[tuple[int, str, list[str] | csv.Error]]:
        """Yield number and text of the first line of each record, and its cells or what is wrong.

        After a broken record the next line begins a new one, so that one open quote hides no rows.
        """
        for number, line in self.lines:
            if '"' not in line:
                yield number, line, line.split(",")
                continue
            after = (self.lines.place, self.lines.number)
            try:
                cells = next(csv.reader(self._from(line), strict=True))
            except csv.Error as error:
                self.lines.place, self.lines.number = after
                yield number, line, error
            else:
                yield number, line, cells

    def _from(self, line: str) -> Iterator[str]:
        yield line + "\n"
        for _, following in self.lines:
            yield following + "\n"


class JsonLines:
    """One JSON object a line."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.text = text
        self.problems = problems
        self.names = self._first_names()

    def _first_names(self) -> tuple[str, ...]:
        """Keys of the first line that holds an object; none, where no line does."""
        for _, line in islice(Lines(self.text, self.problems), 100):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                return tuple(value)
        return ()

    def rows(self, names: Sequence[str], burn_in: int) -> Iterator[RawRow]:
        """Yield rows, as `Source.rows`."""
        for number, line in islice(Lines(self.text, self.problems), burn_in, None):
            try:
                value = json.loads(line, object_pairs_hook=_no_repeats)
            except _RepeatedKeyError as error:
                self.problems.add(number, 1, "each key once", f"{error} twice")
                continue
            except (ValueError, RecursionError) as error:
                column = error.colno if isinstance(error, json.JSONDecodeError) else 1
                self.problems.add(number, column, "a JSON object", str(error).split(":")[0])
                continue
            if not isinstance(value, dict):
                self.problems.add(number, 1, "a JSON object", _shown(line))
                continue
            missing = [name for name in names if name not in value]
            if missing:
                found = f"keys {_shown(', '.join(value))}"
                self.problems.add(number, 1, f"the key {missing[0]}", found)
                continue
            spans = _spans(line)
            cells = [_json_cell(value[name], line, *spans[name]) for name in names]
            columns = [column for _, column in cells]
            yield RawRow(
                number,
                [cell for cell, _ in cells],
                line,
                lambda _, c=columns: c,  # type: ignore[misc]
            )


SOURCES: dict[str, type[DvaeText] | type[Csv] | type[JsonLines]] = {
    ".txt": DvaeText,
    ".csv": Csv,
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
}


class Quoted(str):
    """A JSON string: an architecture may be one, a number may not."""


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


def _json_cell(value: Any, line: str, start: int, end: int) -> tuple[Value, int]:
    """An object as it is, a string inside of its quotes, anything else as it is written."""
    if isinstance(value, dict):
        return value, start + 1
    if isinstance(value, str):
        return Quoted(value), start + 2
    return line[start:end], start + 1


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


def _check_names(
    names: Sequence[str],
    head: Sequence[str],
    line: int | None,
    problems: Problems,
    starts: Sequence[int] = (),
) -> None:
    for name in names:
        if name not in head:
            hint = " (are the cells separated by commas?)" if len(head) == 1 else ""
            found = _shown(", ".join(head)) + hint
            raise problems.fatal(line, line and 1, f"a column {name}", found)
        if list(head).count(name) > 1:
            column = starts[list(head).index(name, list(head).index(name) + 1)]
            count = f"{list(head).count(name)}"
            raise problems.fatal(line, column, f"one column {name}", count)


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


def _shown(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 40 else text[:37] + "...")
