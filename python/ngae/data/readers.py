"""The three forms of a table: D-VAE text, CSV, JSON Lines. Each gives rows of wanted columns.

A source knows the names of its columns before any row is read; rows come one after the other.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from ngae.data.raw import Lines, Problems, RawBlock, Value

ARCHITECTURE, ACCURACY = "architecture", "accuracy"  # columns of D-VAE text
_DECODER = json.JSONDecoder()
_GAP = re.compile(r"[ \t\r\n:,]*")  # before a key or a value of an object known to be JSON
_MARK = re.compile('[",]')


BLOCK = 4096  # rows
Record = tuple[int, str, Sequence[Value]]  # line, text of the line, values


class Source(Protocol):
    """A file that is open for reading."""

    names: tuple[str, ...]

    def blocks(
        self, names: Sequence[str], burn_in: int, optional: Container[str] = ()
    ) -> Iterator[RawBlock]:
        """Yield rows after the first `burn_in`, of the columns `names` in their order.

        In JSON a key of `optional` may be absent, which stands for null.

        Raises:
            DataError: A column is missing or stands twice, or the file cannot be read on.
        """


class DvaeText:
    """Lines `[[type], [type, flag], ...], accuracy`."""

    names: tuple[str, ...] = (ARCHITECTURE, ACCURACY)

    def __init__(self, text: str, problems: Problems) -> None:
        self.lines = Lines(text, problems)
        self.problems = problems

    def blocks(
        self, names: Sequence[str], burn_in: int, optional: Container[str] = ()
    ) -> Iterator[RawBlock]:
        """Yield rows, as `Source.blocks`."""
        _check_names(names, self.names, None, self.problems)
        order = [self.names.index(name) for name in names]

        def locate(line: str) -> list[int]:
            after = line[line.index(",", line.rfind("]")) + 1 :]
            starts = (1, len(line) - len(after.lstrip()) + 1)
            return [starts[place] for place in order]

        rows = (
            (line, text, [cells[place] for place in order])
            for line, text, cells in self._records(burn_in)
        )
        return _blocks(rows, locate)

    def _records(self, burn_in: int) -> Iterator[Record]:
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
                yield number, line, (line[: end + 1], line[comma + 1 :].strip())


class Csv:
    """A head line, and rows of cells, quoted where they hold commas."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.lines = Lines(text, problems)
        self.problems = problems
        self.line, self.head, cells = next(iter(self._records()))
        if isinstance(cells, csv.Error):
            raise problems.fatal(self.line, *_fault(self.head, cells))
        self.names = tuple(cell.strip() for cell in cells)

    def blocks(
        self, names: Sequence[str], burn_in: int, optional: Container[str] = ()
    ) -> Iterator[RawBlock]:
        """Yield rows, as `Source.blocks`."""
        width = len(self.names)
        _check_names(names, self.names, self.line, self.problems, _starts(self.head, width))
        places = [self.names.index(name) for name in names]

        def locate(line: str) -> list[int]:
            starts = _starts(line, width)
            return [starts[place] for place in places]

        for _ in islice(self._records(), burn_in):
            pass
        while not self.lines.at_end:
            block = self._whole_block(places, locate)
            if block is None:
                rows = (
                    (line, text, [cells[place] for place in places])
                    for line, text, cells in self._good_records()
                )
                yield from _blocks(islice(rows, BLOCK), locate)
            else:
                yield block

    def _whole_block(
        self, places: Sequence[int], locate: Callable[[str], Sequence[int]]
    ) -> RawBlock | None:
        """The next rows at once; None, and nothing is read, where a line is not plainly one row."""
        before = self.lines.mark()
        texts = self.lines.take(BLOCK)
        try:
            rows = list(csv.reader(texts, strict=True))
        except csv.Error:
            rows = []
        if not rows or len(rows) != len(texts) or set(map(len, rows)) != {len(self.names)}:
            self.lines.back_to(before)
            return None
        cells = list(zip(*rows, strict=True))
        first = self.lines.number - len(texts)
        numbers = range(first, self.lines.number)
        return RawBlock(numbers, [cells[place] for place in places], texts, locate)

    def _good_records(self) -> Iterator[Record]:
        for number, line, cells in self._records():
            if isinstance(cells, csv.Error):
                self.problems.add(number, *_fault(line, cells))
            elif len(cells) != len(self.names):
                self.problems.add(number, 1, f"{len(self.names)} cells", f"{len(cells)}")
            else:
                yield number, line, cells

    def _records(self) -> Iterator[tuple[int, str, list[str] | csv.Error]]:
        """Yield number and text of the first line of each record, and its cells or what is wrong.

        After a broken record the next line begins a new one, so that one open quote hides no rows.
        """
        for number, line in self.lines:
            after = self.lines.mark()
            try:
                cells = next(csv.reader(self._from(line), strict=True))
            except csv.Error as error:
                self.lines.back_to(after)
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
        self.lines = Lines(text, problems)
        self.problems = problems
        self.names = self._first_names()

    def _first_names(self) -> tuple[str, ...]:
        """Keys of the first line that holds an object; none, where no line does."""
        start, names = self.lines.mark(), ()
        for _, line in islice(self.lines, 100):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                names = tuple(value)
                break
        self.lines.back_to(start)
        return names

    def blocks(
        self, names: Sequence[str], burn_in: int, optional: Container[str] = ()
    ) -> Iterator[RawBlock]:
        """Yield rows, as `Source.blocks`."""

        def locate(line: str) -> list[int]:
            spans = _spans(line)
            starts = [spans.get(name, (0, 0))[0] for name in names]
            return [start + 2 if line[start] == '"' else start + 1 for start in starts]

        return _blocks(self._records(names, burn_in, optional), locate)

    def _records(
        self, names: Sequence[str], burn_in: int, optional: Container[str]
    ) -> Iterator[Record]:
        for number, line in islice(self.lines, burn_in, None):
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
            missing = [name for name in names if name not in value and name not in optional]
            if missing:
                found = f"keys {_shown(', '.join(value))}"
                self.problems.add(number, 1, f"the key {missing[0]}", found)
                continue
            spans = _spans(line)
            yield (
                number,
                line,
                [_json_cell(value[n], line, *spans[n]) if n in value else "null" for n in names],
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


def _json_cell(value: Any, line: str, start: int, end: int) -> Value:
    """An object as it is, a string inside of its quotes, anything else as it is written."""
    if isinstance(value, dict):
        return value
    return Quoted(value) if isinstance(value, str) else line[start:end]


def _blocks(
    records: Iterator[Record], locate: Callable[[str], Sequence[int]]
) -> Iterator[RawBlock]:
    while rows := list(islice(records, BLOCK)):
        lines, texts, values = zip(*rows, strict=True)
        yield RawBlock(lines, list(zip(*values, strict=True)), texts, locate)


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
