"""What every form of a table gives: rows of wanted columns, a block at a time.

A source knows the names of its columns before any row is read; rows come one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice
from typing import Protocol

from ngae.data.raw import Problems, RawBlock, Value
from ngae.errors import cut

BLOCK = 4096  # rows
MOST_NAMED = 1000  # characters of the columns that an error lists
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


def blocks_of(
    records: Iterator[Record], locate: Callable[[str], Sequence[int]]
) -> Iterator[RawBlock]:
    """Yield the records by columns, `BLOCK` rows at a time."""
    while rows := list(islice(records, BLOCK)):
        lines, texts, values = zip(*rows, strict=True)
        yield RawBlock(lines, list(zip(*values, strict=True)), texts, locate)


def check_names(
    names: Sequence[str],
    head: Sequence[str],
    line: int | None,
    problems: Problems,
    starts: Sequence[int] = (),
) -> None:
    """Require each of `names` once in the head of a file.

    Args:
        names: Columns that are wanted.
        head: Columns that are there.
        line: Line of the head; None where the form has none.
        problems: Of the file.
        starts: Where each cell of the head begins, in characters from 1.

    Raises:
        DataError: A column is missing, with those that are there, or stands twice.
    """
    for name in names:
        if name not in head:
            hint = " (are the cells separated by commas?)" if len(head) == 1 else ""
            found = repr(cut(", ".join(head), MOST_NAMED)) + hint
            raise problems.fatal(line, line and 1, f"a column {name}", found)
        if list(head).count(name) > 1:
            column = starts[list(head).index(name, list(head).index(name) + 1)]
            count = f"{list(head).count(name)}"
            raise problems.fatal(line, column, f"one column {name}", count)
