"""The three forms of a table: D-VAE's text, which is read here, CSV and JSON Lines."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from itertools import islice

from ngae.data.csv_rows import Csv
from ngae.data.json_lines import JsonLines
from ngae.data.raw import Lines, Problems, RawBlock
from ngae.data.source import Record, blocks_of, check_names
from ngae.errors import shown

ARCHITECTURE, ACCURACY = "architecture", "accuracy"  # columns of D-VAE text


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
        check_names(names, self.names, None, self.problems)
        order = [self.names.index(name) for name in names]

        def locate(line: str) -> list[int]:
            after = line[line.index(",", line.rfind("]")) + 1 :]
            starts = (1, len(line) - len(after.lstrip()) + 1)
            return [starts[place] for place in order]

        rows = (
            (line, text, [cells[place] for place in order])
            for line, text, cells in self._records(burn_in)
        )
        return blocks_of(rows, locate)

    def _records(self, burn_in: int) -> Iterator[Record]:
        for number, line in islice(self.lines, burn_in, None):
            end = line.rfind("]")
            rest = line[end + 1 :]
            comma = end + 1 + len(rest) - len(rest.lstrip())
            if end < 0 or not line.lstrip().startswith("["):
                column = len(line) - len(line.lstrip()) + 1
                self.problems.add(number, column, "[[type], ...], accuracy", _line(line))
            elif comma == len(line) or line[comma] != ",":
                found = "the end of the line" if comma == len(line) else _line(line[comma:])
                self.problems.add(number, comma + 1, "a comma and the accuracy", found)
            else:
                yield number, line, (line[: end + 1], line[comma + 1 :].strip())


def _line(text: str) -> str:
    return shown(text.strip())


SOURCES: dict[str, type[DvaeText] | type[Csv] | type[JsonLines]] = {
    ".txt": DvaeText,
    ".csv": Csv,
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
}
