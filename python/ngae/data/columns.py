"""Which columns of a file mean what: those that were named, and those that a space is known by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ngae.data.config import DataConfig
from ngae.data.readers import ACCURACY, ARCHITECTURE, DvaeText, Source
from ngae.errors import UsageError
from ngae.spaces.base import SearchSpace
from ngae.spaces.registry import known_columns

NONE = "none"


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
