"""Rows of a file before they mean anything: a line number, and cells with their columns.

Also how a file becomes lines of text: gzip, UTF-8 with or without a mark, any line ends.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngae.errors import DataError, Problem

LONGEST_LINE = 1_000_000  # characters; a longer one is no table of architectures


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row.

    Attributes:
        value: Text, or a JSON value.
        column: Where it begins in its line, in characters from 1; 1 where that is not known.
    """

    value: Any
    column: int


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row: its line from 1, the architecture, the targets in the order that was asked for."""

    line: int
    arch: Cell
    performance: Cell
    complexity: tuple[Cell, ...]


class Problems:
    """Collects what is wrong with a file; raises all of it at once.

    Args:
        file: The path, as the user gave it.
    """

    MOST = 1000

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def add(self, line: int | None, column: int | None, expected: str, found: str) -> None:
        """Note one problem; raises at once when there are too many to be worth listing."""
        self.found.append(Problem(self.file, line, column, expected, found))
        if len(self.found) >= self.MOST:
            self.raise_if_any()

    def raise_if_any(self) -> None:
        """Raise DataError with everything that was noted."""
        if self.found:
            raise DataError.of(self.found, remedy="mend the file; `ngae data formats` shows how")

    def fatal(self, line: int | None, column: int | None, expected: str, found: str) -> DataError:
        """Return the error of a file that cannot be read on from here."""
        self.found.append(Problem(self.file, line, column, expected, found))
        return DataError.of(self.found, remedy="mend the file; `ngae data formats` shows how")


def read_text(path: Path, problems: Problems) -> str:
    """Read the whole file as text.

    Raises:
        DataError: No file, a folder, broken gzip, binary contents, another encoding, nothing.
    """
    content = _content(path, problems)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise problems.fatal(1, 1, "text in UTF-8", "text in UTF-16")
    place = content.find(b"\0")
    if place >= 0:
        line = content.count(b"\n", 0, place) + 1
        column = place - content.rfind(b"\n", 0, place)
        raise problems.fatal(line, column, "text in UTF-8", "a zero byte: a binary file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        byte = content[error.start]
        raise problems.fatal(line, column, "text in UTF-8", f"the byte 0x{byte:02x}") from error
    if not text.strip():
        raise problems.fatal(None, None, "rows", "an empty file")
    return text


def lines_of(text: str, problems: Problems) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is not blank; LF and CRLF end a line."""
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        if len(line) > LONGEST_LINE:
            raise problems.fatal(
                number, LONGEST_LINE, f"at most {LONGEST_LINE} characters", f"{len(line)}"
            )
        if line.strip():
            yield number, line


def _content(path: Path, problems: Problems) -> bytes:
    try:
        content = path.read_bytes()
    except IsADirectoryError as error:
        raise problems.fatal(None, None, "a file", "a folder") from error
    except FileNotFoundError as error:
        raise problems.fatal(None, None, "a file", "nothing of that name") from error
    except OSError as error:
        raise problems.fatal(None, None, "a file that can be read", str(error)) from error
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise problems.fatal(None, None, "a whole gzip file", f"{error}") from error
