"""Tables by name or path."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from ngae.data.cache import table_of
from ngae.data.catalog import find
from ngae.data.columns import NONE
from ngae.data.config import DataConfig
from ngae.data.packed import check_target, write_packed
from ngae.data.records import Dataset, Table
from ngae.data.split import split_rows
from ngae.data.tables import read_table
from ngae.errors import UsageError
from ngae.settings import flag_of, make


def load(data: str = "digits6", **settings: Any) -> Dataset:
    """Load a table and split it.

    Args:
        data: `digits6`; the name of a table that `ngae data get` has fetched, whose columns are
            known; or the path of a .txt, .csv or .jsonl file (.gz as well), or of a .packed one.
        settings: Fields of `DataConfig`, such as `arch_col="arch"` or `burn_in=1000`.

    Returns:
        The data set.

    Raises:
        DataError: With every problem of the file: line, column, expected, found.
        UsageError: An unknown table or setting.
    """
    return load_config(make(DataConfig, {"data": data, **settings}, "load"))


def load_config(config: DataConfig) -> Dataset:
    """Load what `config` describes; as `load`."""
    table = _table(config)
    train, test = split_rows(table, config)
    return Dataset(table, train, test, config.located(), tuple(_notes(table, config)))


def pack(config: DataConfig, path: Path, *, overwrite: bool = False) -> Table:
    """Read the table that `config` describes, and write it packed.

    Args:
        config: The table; its split does not matter.
        path: The file to write; it ends in .packed.
        overwrite: Replace a file that is there.

    Raises:
        DataError: As `load`.
        RefusedError: The file is there.
        UsageError: Another suffix; as `load`.
    """
    check_target(path, overwrite=overwrite)
    table = _table(config)
    write_packed(table, path, computed=not _settled(config).complexity_col)
    return table


def _table(config: DataConfig) -> Table:
    """The embedded table, a fetched one by its name, or a file."""
    if config.data == "digits6":
        return _embedded(config)
    settled = _settled(config)
    table = read_table(settled.data, settled)
    return table if settled is config else dataclasses.replace(table, name=config.data)


def _settled(config: DataConfig) -> DataConfig:
    """The same with path and columns of a table that goes by a name."""
    if config.data == "digits6" or find(config.data) is None:
        return config
    cached = table_of(config.data)
    plain = DataConfig()
    theirs = {
        name: value
        for name, value in cached.settings.items()
        if getattr(config, name) == getattr(plain, name)
    }
    return dataclasses.replace(config, **theirs, data=str(cached.path))


def _embedded(config: DataConfig) -> Table:
    from ngae.data.digits6 import load_digits6

    fixed = (
        "space",
        "arch_col",
        "performance_col",
        "complexity_col",
        "report_col",
        "join",
        "lower_is_better",
        "burn_in",
    )
    bare = [name for name in ("performance_col", "complexity_col") if getattr(config, name) == NONE]
    given = [
        name
        for name in fixed
        if getattr(config, name) != getattr(DataConfig(), name) and name not in bare
    ]
    if given and (given, config.space) != (["space"], "enas6"):
        flags = ", ".join(flag_of(name) for name in given)
        raise UsageError(
            f"--data digits6: expected no settings of a file, it has its own columns; found {flags}"
        )
    table = load_digits6()
    if "performance_col" in bare:
        table = dataclasses.replace(table, performance=np.full(len(table), np.nan))
    if "complexity_col" in bare:
        nothing = np.zeros((len(table), 0))
        table = dataclasses.replace(table, complexity=nothing, complexity_names=())
    return table


def _notes(table: Table, config: DataConfig) -> list[str]:
    notes = []
    if config.burn_in:
        notes.append(f"burn-in: the first {config.burn_in} rows were skipped")
    groups = table.duplicates()
    if groups:
        extra = sum(len(rows) - 1 for rows in groups)
        lines = ", ".join(str(line) for line in table.lines[groups[0]])
        answer = "with no other performance" if config.repeats == "refuse" else "of another row"
        notes.append(
            f"{extra} rows repeat an architecture {answer} (such as lines {lines}); all are kept"
        )
    unlabelled = len(table) - len(table.labelled)
    if unlabelled:
        notes.append(
            f"{unlabelled} of {len(table)} rows have no performance; they are learned from "
            "as architectures"
        )
    return notes
