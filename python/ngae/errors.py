"""The exceptions of ngae: one small tree, each with the exit code its command line ends with.

Every error says what was expected and what was found; `remedy` is one line on how to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class NgaeError(Exception):
    """Base of every error that ngae raises on purpose.

    What comes from files stands in its texts: characters that a terminal would obey are escaped.

    Args:
        message: One line with the cause: place, expected, found.
        remedy: One line on what to do about it, or None.
    """

    exit_code = 1
    several_lines = False  # whether the cause may take more than one

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(printable(message, "\n" if self.several_lines else ""))
        self.remedy = None if remedy is None else printable(remedy)

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors come back from other processes; those with other arguments than a message, too.
        return _remade, (type(self), self.args), self.__dict__


def _remade(kind: type[NgaeError], args: tuple[Any, ...]) -> NgaeError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


class UsageError(NgaeError):
    """A flag, an argument or a configuration that cannot be used."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one place of a file.

    Attributes:
        file: Path of the file as the user gave it.
        line: Line number, from 1; None where the whole file is meant.
        column: Column number in characters, from 1; None where the whole line is meant.
        expected: What should stand there.
        found: What stands there.
    """

    file: str
    line: int | None
    column: int | None
    expected: str
    found: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return printable(f"{place}: expected {self.expected}, found {self.found}")


class DataError(NgaeError):
    """A table, a graph or a file that is not what it should be."""

    exit_code = 3

    def __init__(
        self, message: str, *, remedy: str | None = None, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem], *, remedy: str | None = None) -> DataError:
        """Make one error of `problems` (at least one): the first is the message."""
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return cls(f"{problems[0]}{more}", remedy=remedy, problems=problems)


class GraphError(DataError):
    """Node types and edges that are not an architecture."""


class RefusedError(NgaeError):
    """Something that would destroy or mix up what is already there."""

    exit_code = 4


class TrainingError(NgaeError):
    """Training cannot go on, for example because a term of the objective is not finite."""


class WriteError(NgaeError, OSError):
    """A file could not be written; what was there before is still there."""

    @classmethod
    def of(cls, path: object, error: OSError) -> WriteError:
        """Make one that names `path` and what the system said."""
        return cls(
            f"{path}: expected to write it, found: {error.strerror or error}",
            remedy="make room, or see to the folder and its permissions; the same command goes on",
        )


class MissingExtraError(NgaeError):
    """An optional dependency is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            remedy=f"pip install 'ngae[{extra}]'",
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out: Python's, or torch's on the CPU or on a device."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return "can't allocate memory" in text or "std::bad_alloc" in text


def printable(text: str, but: str = "") -> str:
    """Escape line ends, control characters and what else a terminal cannot show, `but` these."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in but else repr(c)[1:-1] for c in text)


def cut(text: str, limit: int = 40) -> str:
    """Cut `text` for a message: at most `limit` characters, with dots where some are missing."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def shown(value: object) -> str:
    """Write a value for a message, nothing unprintable: a text is quoted, and cut inside of it."""
    if isinstance(value, str):
        return repr(cut(value))
    try:
        return cut(repr(value))
    except (ValueError, RecursionError):  # too many digits, too many levels
        return f"a very long {type(value).__name__}"


class ParseError(GraphError):
    """A text that is not an architecture of the space.

    Args:
        expected: What should stand at `column`.
        found: What stands there.
        column: Place in the parsed text in characters, from 1.
    """

    def __init__(self, expected: str, found: str, column: int) -> None:
        super().__init__(f"column {column}: expected {expected}, found {found}")
        self.expected = expected
        self.found = found
        self.column = column
