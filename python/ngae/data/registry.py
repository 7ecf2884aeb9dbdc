"""Tables by name or path."""

from __future__ import annotations

from typing import Any

from ngae.data.config import DataConfig
from ngae.data.records import Dataset, Table
from ngae.data.split import split_rows
from ngae.data.tables import read_table
from ngae.errors import UsageError
from ngae.settings import make


def load(data: str = "digits6", **settings: Any) -> Dataset:
    """Load a table and split it.

    Args:
        data: `digits6`, or the path of a .txt, .csv or .jsonl file (.gz as well).
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
    table = _embedded(config) if config.data == "digits6" else read_table(config.data, config)
    train, test = split_rows(table, config)
    return Dataset(table, train, test, config, tuple(_notes(table, config)))


def _embedded(config: DataConfig) -> Table:
    from ngae.data.digits6 import load_digits6

    if config.space not in ("auto", "enas6") or config.burn_in or config.complexity_col:
        raise UsageError(
            "--data digits6: expected no --space, --burn-in or --complexity-col; it has its own"
        )
    return load_digits6()


def _notes(table: Table, config: DataConfig) -> list[str]:
    notes = []
    if config.burn_in:
        notes.append(f"burn-in: the first {config.burn_in} rows were skipped")
    groups = table.duplicates()
    if groups:
        extra = sum(len(rows) - 1 for rows in groups)
        lines = ", ".join(str(line) for line in table.lines[groups[0]])
        notes.append(
            f"{extra} rows repeat an architecture with the same performance (such as lines "
            f"{lines}); all are kept"
        )
    return notes
