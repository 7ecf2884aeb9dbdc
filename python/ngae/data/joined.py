"""Further CSV files whose columns belong to the rows of a table, matched by a shared column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ngae.data.csv_rows import Csv
from ngae.data.numbers import ANY, Bounds, number
from ngae.data.raw import Problems, read_text
from ngae.errors import UsageError


@dataclass(frozen=True, eq=False)
class Joined:
    """Columns of one further file.

    Attributes:
        path: The file.
        key: The shared column.
        names: Its columns that are wanted.
        rows: Values of `names` by the text of the key.
    """

    path: str
    key: str
    names: tuple[str, ...]
    rows: dict[str, NDArray[np.float64]]


def read_joined(
    path: str, head: Sequence[str], wanted: Sequence[str], bounds: dict[str, Bounds]
) -> Joined:
    """Read the columns of `path` that are wanted and not in `head`.

    Args:
        path: A CSV file, perhaps compressed.
        head: Columns of the table itself; the first column that both have is the key.
        wanted: All columns of numbers that are wanted.
        bounds: What a column may hold, by name.

    Raises:
        UsageError: No .csv file, or no shared column.
        DataError: With every problem of the file.
    """
    if not path.removesuffix(".gz").endswith(".csv"):
        raise UsageError(f"--join {path}: expected a file that ends in .csv or .csv.gz")
    problems = Problems(path)
    source = Csv(read_text(Path(path), problems), problems)
    keys = [name for name in source.names if name in head]
    if not keys:
        raise UsageError(
            f"--join {path}: expected a column of the table ({', '.join(head)}), "
            f"found {', '.join(source.names)}"
        )
    names = tuple(name for name in wanted if name not in head and name in source.names)
    if not names:
        raise UsageError(
            f"--join {path}: expected a column that is wanted and not in the table "
            f"({', '.join(wanted)}), found {', '.join(source.names)}",
            remedy="name it in --performance-col, --complexity-col or --report-col",
        )
    rows: dict[str, NDArray[np.float64]] = {}
    blocks = source.blocks([keys[0], *names], 0)
    for row in chain.from_iterable(block.rows() for block in blocks):
        values = []
        for place, name in enumerate(names, 1):
            value = number(row.values[place], bounds.get(name, ANY))
            if isinstance(value, str):
                problems.add(row.line, row.column(place), value, repr(row.values[place]))
            else:
                values.append(value)
        key = str(row.values[0])
        if key in rows:
            problems.add(row.line, row.column(0), f"each {keys[0]} once", f"{key} twice")
        rows[key] = np.array(values)
    problems.raise_if_any()
    return Joined(path, keys[0], names, rows)
