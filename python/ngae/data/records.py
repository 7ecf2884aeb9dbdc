"""Known answers: one `Record`, a `Table` of them in columns, a `Dataset` of two tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngae.dag import Dag
from ngae.dags import Dags
from ngae.data.config import DataConfig
from ngae.errors import DataError
from ngae.spaces.base import SearchSpace


@dataclass(frozen=True)
class Record:
    """One known answer.

    Attributes:
        dag: The architecture.
        performance: Higher is better.
        complexity: In the order of the table's `complexity_names`; lower is better.
    """

    dag: Dag
    performance: float
    complexity: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """Known answers in columns.

    Attributes:
        name: Name of the table.
        space: The search space of all its architectures.
        dags: The architectures.
        performance: float64 (num_rows,), higher is better; NaN where it is not known.
        complexity: float64 (num_rows, num_complexities), lower is better.
        performance_name: Name of the performance.
        complexity_names: Names of the complexities.
        lines: (num_rows,) line of each row in its file, from 1; 0 for embedded tables.
        source: Path of the file, or "embedded".
        reported: float64 (num_rows,) by name: told with answers, never learned from.
    """

    name: str
    space: SearchSpace
    dags: Dags
    performance: NDArray[np.float64]
    complexity: NDArray[np.float64]
    performance_name: str
    complexity_names: tuple[str, ...]
    lines: NDArray[np.signedinteger[Any]]
    source: str
    reported: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dags", Dags.of(self.dags, self.space))
        columns = (self.performance, self.complexity, self.lines, *self.reported.values())
        if {len(column) for column in columns} != {len(self.dags)}:
            raise DataError(
                f"Table: expected {len(self.dags)} rows in every column, found "
                f"{[len(column) for column in columns]}"
            )

    @classmethod
    def empty(cls, space: SearchSpace) -> Table:
        """Return a table of no rows, with the complexities that the space computes."""
        names = space.complexity_names
        nothing, lines = np.zeros((0, len(names))), np.zeros(0, dtype=np.int64)
        dags = Dags.of((), space)
        return cls(
            "none", space, dags, np.zeros(0), nothing, "performance",
            names, lines, "nowhere",
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.dags)

    def __getitem__(self, row: int) -> Record:
        return Record(self.dags[row], float(self.performance[row]), tuple(self.complexity[row]))

    def subset(self, rows: NDArray[np.int64]) -> Table:
        """Return the given rows, in the given order; what is hashed is not hashed again."""
        part = Table(
            self.name,
            self.space,
            self.dags.take(rows),
            self.performance[rows],
            self.complexity[rows],
            self.performance_name,
            self.complexity_names,
            self.lines[rows],
            self.source,
            {name: values[rows] for name, values in self.reported.items()},
        )
        if "digests" in self.__dict__:
            part.__dict__["digests"] = self.digests[rows]
        return part

    @cached_property
    def labelled(self) -> NDArray[np.int64]:
        """Rows whose performance is known."""
        return np.flatnonzero(~np.isnan(self.performance))

    @cached_property
    def digests(self) -> NDArray[np.uint8]:
        """Canonical hash of each row's architecture, uint8 (num_rows, 16)."""
        return self.dags.digests()

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """The same as 32 hexadecimal digits each."""
        return tuple(digest.tobytes().hex() for digest in self.digests)

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """For each row the first one with the same architecture, (num_rows,)."""
        keys = np.ascontiguousarray(self.digests).view("V16").ravel()
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
        rows: NDArray[np.int64] = first[group]
        return rows

    def duplicates(self) -> list[list[int]]:
        """Return groups of rows (at least two each) with the same architecture."""
        counts = np.bincount(self.first_rows, minlength=len(self))
        groups: dict[int, list[int]] = {}
        for row in np.flatnonzero(counts[self.first_rows] > 1).tolist():
            groups.setdefault(int(self.first_rows[row]), []).append(row)
        return list(groups.values())

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits of architectures and targets, in their order."""
        digest = hashlib.sha256(self.digests.tobytes().hex().encode())
        digest.update(np.ascontiguousarray(self.performance).tobytes())
        digest.update(np.ascontiguousarray(self.complexity).tobytes())
        return digest.hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table in two parts: rows to learn from, rows to judge by.

    Attributes:
        table: All rows.
        train_rows: int64, rows of the training part.
        test_rows: int64, rows of the test part.
        config: What was asked for, with absolute paths.
        notes: What is odd about the data, for people to read.
    """

    table: Table
    train_rows: NDArray[np.int64]
    test_rows: NDArray[np.int64]
    config: DataConfig
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name

    @property
    def space(self) -> SearchSpace:
        """The search space."""
        return self.table.space

    @cached_property
    def train(self) -> Table:
        """The rows to learn from."""
        return self.table.subset(self.train_rows)

    @cached_property
    def test(self) -> Table:
        """The rows to judge by."""
        return self.table.subset(self.test_rows)

    @cached_property
    def fingerprint(self) -> str:
        """Digits that tell these training rows from others."""
        return self.train.fingerprint

    def as_dict(self) -> dict[str, Any]:
        """Return the facts that `data.json` holds."""
        return {
            "name": self.name,
            "source": self.table.source,
            "space": self.space.name,
            "rows": len(self.table),
            "train_rows": len(self.train_rows),
            "test_rows": len(self.test_rows),
            "performance": self.table.performance_name,
            "labelled_rows": len(self.table.labelled),
            "complexity": list(self.table.complexity_names),
            "reported": list(self.table.reported),
            "split": self.config.split,
            "split_seed": self.config.split_seed,
            "fingerprint": self.fingerprint,
            "notes": list(self.notes),
        }
