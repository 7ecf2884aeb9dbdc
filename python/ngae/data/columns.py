"""Which columns of a file mean what: those that were named, and those that a space is known by."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ngae.data.config import DataConfig
from ngae.data.readers import ACCURACY, ARCHITECTURE, DvaeText
from ngae.data.source import Source
from ngae.errors import UsageError
from ngae.spaces.base import SearchSpace
from ngae.spaces.registry import known_columns

NONE = "none"
# Words that names of performances are made of; a column that is like one may be meant.
_PERFORMANCES = ("performance", "perf", "accuracy", "acc", "score", "reward", "fitness", "loss")


@dataclass(frozen=True)
class Columns:
    """Names of the columns that are wanted.

    Attributes:
        arch: Columns of the architecture, at least one.
        performance: Of the performance, or None for a table without labels.
        complexity: Of complexities; None where they are computed.
        reported: Of what is reported with answers.
    """

    arch: tuple[str, ...]
    performance: str | None
    complexity: tuple[str, ...] | None
    reported: tuple[str, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns of numbers: performance, complexities, reported ones."""
        performance = () if self.performance is None else (self.performance,)
        return (*performance, *(self.complexity or ()), *self.reported)


def columns_of(config: DataConfig, source: Source, space: SearchSpace | None) -> Columns:
    """Settle the columns.

    Args:
        config: What was asked for.
        source: The open file.
        space: The named space; None where the columns or the rows are to tell.

    Raises:
        UsageError: D-VAE's text was asked for a column that it does not have.
    """
    if isinstance(source, DvaeText):
        for name in ("complexity_col", "report_col", "join"):
            if getattr(config, name) not in ("", NONE):
                flag = name.replace("_", "-")
                raise UsageError(
                    f"--{flag}: expected none, D-VAE's text has no such column, found "
                    f"{getattr(config, name)}"
                )
        performance = None if config.performance_col == NONE else ACCURACY
        complexity = () if config.complexity_col == NONE else None
        return Columns((ARCHITECTURE,), performance, complexity, ())
    columns = Columns(
        _arch(config, source.names, space),
        None if config.performance_col == NONE else config.performance_col,
        None if not config.complexity_col else _names(config.complexity_col),
        _names(config.report_col),
    )
    for name in columns.numbers:
        if columns.numbers.count(name) > 1:
            raise UsageError(
                "--performance-col, --complexity-col, --report-col: expected each column once, "
                f"found {name} twice"
            )
    return columns


def missing_remedy(columns: Columns, head: Sequence[str]) -> str | None:
    """Return what to do about the first wanted column that is not in `head`; None: all are.

    Args:
        columns: The columns that are wanted.
        head: The columns that are there, in the table and in further files.
    """
    performance = () if columns.performance is None else (columns.performance,)
    wanted = {
        "--performance-col": performance,
        "--arch-col": columns.arch,
        "--complexity-col": columns.complexity or (),
        "--report-col": columns.reported,
    }
    taken = (*columns.arch, *columns.numbers)
    free = [name for name in head if name not in taken and not set(name) & set(";\t")]
    for flag, names in wanted.items():
        for name in names:
            if name not in head:
                near = _like(name, free, _PERFORMANCES if flag == "--performance-col" else ())
                return (
                    f"pass {flag} {near}"
                    if near
                    else f"name a column with {flag}{_no_labels(flag)}"
                )
    return None


def _no_labels(flag: str) -> str:
    return f"; {flag} {NONE} reads a table without labels" if flag == "--performance-col" else ""


def _like(wanted: str, head: Sequence[str], words: Sequence[str]) -> str | None:
    """The column most like `wanted`, else the first one with a part that is like a word."""
    near = difflib.get_close_matches(wanted, head, 1)
    if near:
        return near[0]
    for name in head:
        parts = re.split(r"[^a-z]+", name.lower())
        if any(difflib.get_close_matches(part, words, 1, 0.75) for part in parts):
            return name
    return None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip() not in ("", NONE))


def _arch(config: DataConfig, head: Sequence[str], space: SearchSpace | None) -> tuple[str, ...]:
    if config.arch_col != "auto":
        names = _names(config.arch_col)
        if not names:
            raise UsageError(f"--arch-col: expected a column, found {config.arch_col!r}")
        return names
    layouts = known_columns() if space is None else space.arch_columns
    for layout in (("arch",), *layouts):
        if set(layout) <= set(head):
            return layout
    return ("arch",)
