"""Tables of strangers: every form, every space, read as `ngae.load` and `ngae data check` do."""

from __future__ import annotations

from ngae.data.config import DataConfig
from ngae.data.tables import read_table
from tests.fuzz.place import choice, parts, written

PLAIN = DataConfig(performance_col="p")
CONFIGS = (
    PLAIN,
    DataConfig(performance_col="p", missing="keep", repeats="keep", complexity_col="c"),
    DataConfig(performance_col="none", burn_in=1),
    DataConfig(performance_col="p", space="nas-bench-101", lower_is_better=True),
    DataConfig(performance_col="p", space="nas-bench-201", missing="keep"),
    DataConfig(performance_col="p", space="nas-bench-graph", report_col="c"),
    DataConfig(performance_col="p", space="recurrent", missing="keep", report_col="c"),
    DataConfig(performance_col="p", space="enas2-4", complexity_col="none"),
)


def csv(data: bytes) -> None:
    """A table of cells; the first byte chooses settings."""
    _read("t.csv", data)


def json_lines(data: bytes) -> None:
    """A table of objects; the first byte chooses settings."""
    _read("t.jsonl", data)


def dvae(data: bytes) -> None:
    """D-VAE's text; the first byte chooses settings."""
    _read("t.txt", data)


def joined(data: bytes) -> None:
    """A table of cells and a further one with its performances."""
    table, further = (written(f"{n}.csv", part) for n, part in enumerate(parts(data, 2)))
    config = DataConfig(performance_col="p", join=str(further), complexity_col="c")
    _check(str(table), config)


def _read(name: str, data: bytes) -> None:
    number, content = choice(data, len(CONFIGS))
    _check(str(written(name, content)), CONFIGS[number])


def _check(path: str, config: DataConfig) -> None:
    """Read; what was read has one value a row and column, and gives the same again."""
    table = read_table(path, config)
    assert len(table) == len(table.dags) == len(table.lines) > 0
    assert table.complexity.shape == (len(table), len(table.complexity_names))
    assert len(table.duplicates()) <= len(table)
    assert read_table(path, config, table.space).fingerprint == table.fingerprint
