"""JSON Lines: one JSON object a line, its keys are the columns."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Sequence
from itertools import islice
from typing import Any

from ngae.data.raw import Lines, Problems, RawBlock, Value
from ngae.data.source import MOST_NAMED, Record, blocks_of
from ngae.errors import cut, shown
from ngae.files import parse_json, repeated

_DECODER = json.JSONDecoder()
_GAP = re.compile(r"[ \t\r\n:,]*")  # before a key or a value of an object known to be JSON


class Quoted(str):
    """A JSON string: an architecture may be one, a number may not."""


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
                value = parse_json(line)
            except ValueError:
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

        return blocks_of(self._records(names, burn_in, optional), locate)

    def _records(
        self, names: Sequence[str], burn_in: int, optional: Container[str]
    ) -> Iterator[Record]:
        for number, line in islice(self.lines, burn_in, None):
            try:
                value = parse_json(line, object_pairs_hook=_no_repeats)
            except _RepeatedKeyError as error:
                self.problems.add(number, 1, "each key once", f"{error} twice")
                continue
            except ValueError as error:
                column = error.colno if isinstance(error, json.JSONDecodeError) else 1
                self.problems.add(number, column, "a JSON object", str(error).split(":")[0])
                continue
            if not isinstance(value, dict):
                self.problems.add(number, 1, "a JSON object", shown(line.strip()))
                continue
            missing = [name for name in names if name not in value and name not in optional]
            if missing:
                found = f"keys {cut(', '.join(value), MOST_NAMED)!r}"
                self.problems.add(number, 1, f"the key {missing[0]}", found)
                continue
            spans = _spans(line)
            yield (
                number,
                line,
                [_json_cell(value[n], line, *spans[n]) if n in value else "null" for n in names],
            )


class _RepeatedKeyError(ValueError):
    pass


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise _RepeatedKeyError(repeated([name for name, _ in pairs]))
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
