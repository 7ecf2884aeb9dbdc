"""Rows of a file before they mean anything: a line number, and cells with their columns.

Also how a file becomes lines of text: gzip, UTF-8 with or without a mark, LF or CRLF.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngae.errors import DataError, Problem

REMEDY = (
    "mend the file, or name its space with --space (enas4-6 for rows of 4 to 6 layers); "
    "`ngae data formats` shows both"
)
NO_FILE = (
    "name a file that is there, or a table that `ngae data list` shows; a run keeps the path of "
    "its table in its config.json"
)
LONGEST_LINE = 1_000_000  # characters; a longer one is no table of architectures


Value = str | dict[str, Any]


@dataclass(slots=True)
class RawRow:
    """One row of the wanted columns.

    Attributes:
        line: Its first line, from 1.
        values: Texts as they stand in the file, inside of their quotes; JSON objects, parsed.
        text: Text of that line.
        locate: Finds where each value begins in `text`, in characters from 1; 1 where that is
            not known. Asked only where something is wrong.
    """

    line: int
    values: Sequence[Value]
    text: str
    locate: Callable[[str], Sequence[int]]

    def column(self, position: int) -> int:
        """Where value number `position` begins in the line, in characters from 1."""
        return self.locate(self.text)[position]


@dataclass(slots=True)
class RawBlock:
    """Rows one after the other, by columns.

    Attributes:
        lines: Line of each row.
        columns: For each wanted column the values of all rows.
        texts: Texts of these lines.
        locate: As of `RawRow`.
    """

    lines: Sequence[int]
    columns: Sequence[Sequence[Value]]
    texts: Sequence[str]
    locate: Callable[[str], Sequence[int]]

    def rows(self) -> list[RawRow]:
        """The same, one by one."""
        return [
            RawRow(line, values, text, self.locate)
            for line, values, text in zip(
                self.lines, zip(*self.columns, strict=True), self.texts, strict=True
            )
        ]


class Problems:
    """Collects what is wrong with a file; raises all of it at once, in the order of the lines.

    Args:
        file: The path, as the user gave it.
        most: Problems that are kept; further ones are counted.

    Attributes:
        remedy: One line on what to do about them.
    """

    def __init__(self, file: str, most: int = 100_000) -> None:
        self.file = file
        self.most = most
        self.remedy = REMEDY
        self.count = 0
        self.found: list[Problem] = []

    def add(self, line: int | None, column: int | None, expected: str, found: str) -> None:
        """Note one problem."""
        self.count += 1
        if len(self.found) < self.most:
            self.found.append(Problem(self.file, line, column, expected, found))

    def raise_if_any(self) -> None:
        """Raise DataError with everything that was noted."""
        if self.count:
            raise self._error()

    def fatal(self, line: int | None, column: int | None, expected: str, found: str) -> DataError:
        """Return the error of a file that cannot be read on from here."""
        self.add(line, column, expected, found)
        return self._error()

    def _error(self) -> DataError:
        found = sorted(self.found, key=lambda problem: (problem.line or 0, problem.column or 0))
        if self.count == len(found):
            return DataError.of(found, remedy=self.remedy)
        expected = f"at most {self.most} problems to list"
        found.append(Problem(self.file, None, None, expected, f"{self.count}"))
        message = f"{found[0]} (and {self.count - 1} more)"
        return DataError(message, remedy=self.remedy, problems=found)


def read_text(path: Path, problems: Problems) -> str:
    """Read the whole file as text.

    Raises:
        DataError: No file, a folder, broken gzip, binary contents, another encoding, nothing.
    """
    content = _content(path, problems)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise problems.fatal(1, 1, "text in UTF-8", "text in UTF-16")
    if content.startswith(b"\x1f\x8b"):
        raise problems.fatal(1, 1, "text in UTF-8", "gzip: a name that ends in .gz is missing")
    content = content.removeprefix(b"\xef\xbb\xbf")
    place = content.find(b"\0")
    if place >= 0:
        line = content.count(b"\n", 0, place) + 1
        before = content[content.rfind(b"\n", 0, place) + 1 : place]
        column = len(before.decode("utf-8", "replace")) + 1
        raise problems.fatal(line, column, "text in UTF-8", "a zero byte: a binary file")
    text = _decoded(content, problems)
    if not text or text.isspace():
        raise problems.fatal(None, None, "rows", "an empty file")
    return text


class Lines:
    """Walks over the lines of a text that are not blank; LF and CRLF end a line.

    Attributes:
        number: Number of the next line, from 1.
        place: Where it begins in the text.
    """

    def __init__(self, text: str, problems: Problems) -> None:
        self.text = text
        self.problems = problems
        self.number, self.place = 1, 0

    @property
    def at_end(self) -> bool:
        """Whether nothing but blank lines is left."""
        before = self.mark()
        found = next(iter(self), None)
        self.back_to(before)
        return found is None

    def mark(self) -> tuple[int, int]:
        """Return where the walk is, for `back_to`."""
        return self.number, self.place

    def back_to(self, mark: tuple[int, int]) -> None:
        """Go on from a place that `mark` gave."""
        self.number, self.place = mark

    def take(self, count: int) -> list[str]:
        """Return up to `count` lines at once; none where any of them is blank or too long."""
        end = self.place
        for _ in range(count):
            found = self.text.find("\n", end)
            if found < 0:
                break
            end = found + 1
        lines = self.text[self.place : end].split("\n")[:-1]
        if any(not line or line.isspace() or len(line) > LONGEST_LINE for line in lines):
            return []
        self.place, self.number = end, self.number + len(lines)
        return [line.removesuffix("\r") for line in lines]

    def __iter__(self) -> Iterator[tuple[int, str]]:
        while self.place < len(self.text):
            end = self.text.find("\n", self.place)
            end = len(self.text) if end < 0 else end
            line = self.text[self.place : end].removesuffix("\r")
            number = self.number
            self.place, self.number = end + 1, number + 1
            if len(line) > LONGEST_LINE:
                raise self.problems.fatal(
                    number, LONGEST_LINE, f"at most {LONGEST_LINE} characters", f"{len(line)}"
                )
            if line and not line.isspace():
                yield number, line


def _decoded(content: bytes, problems: Problems) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        lines = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode("utf-8")) + 1
            problems.add(number, column, "text in UTF-8", f"the byte 0x{line[error.start]:02x}")
    problems.raise_if_any()
    raise AssertionError("a file is UTF-8 if each of its lines is")


def _content(path: Path, problems: Problems) -> bytes:
    try:
        content = path.read_bytes()
    except IsADirectoryError as error:
        raise problems.fatal(None, None, "a file", "a folder") from error
    except FileNotFoundError as error:
        problems.remedy = NO_FILE
        raise problems.fatal(None, None, "a file", "nothing of that name") from error
    except OSError as error:
        raise problems.fatal(None, None, "a file that can be read", str(error)) from error
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise problems.fatal(None, None, "a whole gzip file", f"{error}") from error
