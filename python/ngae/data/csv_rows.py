"""CSV: a head line, and rows of cells, quoted where they hold commas."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice

from ngae.data.raw import Lines, Problems, RawBlock
from ngae.data.source import BLOCK, Record, blocks_of, check_names

_MARK = re.compile('[",]')


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
        check_names(names, self.names, self.line, self.problems, _starts(self.head, width))
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
                yield from blocks_of(islice(rows, BLOCK), locate)
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
