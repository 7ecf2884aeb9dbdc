"""From a file to a `Table`: architectures parsed, numbers checked, problems collected.

Rows are read a block at a time, all at once where everything in a block is as it should be.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from ngae.dags import Dags
from ngae.data.blocks import Block, Reading
from ngae.data.catalog import names
from ngae.data.columns import columns_of, missing_remedy
from ngae.data.config import DataConfig
from ngae.data.joined import read_joined
from ngae.data.json_lines import JsonLines
from ngae.data.packed import SUFFIX, read_packed
from ngae.data.raw import Problems, RawRow, read_text
from ngae.data.readers import SOURCES
from ngae.data.records import Table
from ngae.data.repeats import note_contradictions
from ngae.data.source import Source
from ngae.errors import ParseError, UsageError
from ngae.spaces.base import SearchSpace
from ngae.spaces.registry import guess_space, space_named

VOTES = 100  # rows that decide on the space, where none is named


def read_table(path: str, config: DataConfig, space: SearchSpace | None = None) -> Table:
    """Read a file.

    Args:
        path: The file; its suffix decides the form.
        config: Columns, space and burn-in.
        space: The space, where it is at hand; else `config` names it.

    Returns:
        Every row after the burn-in; none is dropped.

    Raises:
        DataError: With every problem that was found: file, line, column, expected, found.
        RefusedError: A packed table of a later form, or of another definition of its space.
        UsageError: An unknown suffix, space or column.
    """
    if path.endswith(SUFFIX):
        return read_packed(path, config, space)
    problems = Problems(path)
    suffix = Path(path.removesuffix(".gz")).suffix
    if suffix not in SOURCES:
        raise _no_table(path, suffix)
    named = space
    if space is None and config.space != "auto":
        named = space_named(config.space)
    source = SOURCES[suffix](read_text(Path(path), problems), problems)
    columns = columns_of(config, source, named)
    reading = Reading(columns, config, share=suffix == ".txt")
    joins = [p.strip() for p in config.join.split(",") if p.strip()]
    for further in joins:
        reading.join(read_joined(further, source.names, columns.numbers, reading.bounds))
    problems.remedy = missing_remedy(columns, _here(source, reading)) or problems.remedy
    raw = source.blocks(reading.wanted, config.burn_in, reading.optional)
    first = next(raw, None)
    if first is None:
        problems.raise_if_any()
        burn_in = f" after a burn-in of {config.burn_in}" if config.burn_in else ""
        raise problems.fatal(None, None, f"rows{burn_in}", "none")
    settled = named or _vote(first.rows()[:VOTES], reading, problems)
    blocks = [reading.block(block, settled, problems) for block in chain([first], raw)]
    table = _table(path, settled, reading, blocks)
    if config.repeats == "refuse":
        note_contradictions(table, problems)
    problems.raise_if_any()
    return table


def _here(source: Source, reading: Reading) -> list[str]:
    """Columns of the file and of further files; of JSON those as well that may be absent."""
    further = [name for joined in reading.joined for name in joined.names]
    absent = reading.optional if isinstance(source, JsonLines) else ()
    return [*source.names, *further, *absent]


def _no_table(path: str, suffix: str) -> UsageError:
    """The error of a text that names no table, and no file of a known form."""
    known = f"one of {', '.join(names())}, or a file that ends in {', '.join([*SOURCES, SUFFIX])}"
    if Path(path).exists():
        found = "a folder" if Path(path).is_dir() else f"a file that ends in {suffix or 'nothing'}"
        remedy = "`ngae data formats` describes the files"
    else:
        found = "neither a known name nor a file"
        near = difflib.get_close_matches(path, names(), 1)
        remedy = f"did you mean {near[0]}?" if near else "`ngae data list` shows the tables"
    return UsageError(f"--data {path}: expected {known}; found {found}", remedy=remedy)


def _vote(rows: Sequence[RawRow], reading: Reading, problems: Problems) -> SearchSpace:
    """The space that most of the first rows fit; one row would not do, it may be the broken one."""
    votes: dict[str, int] = {}
    faults = []
    for row in rows:
        try:
            name = guess_space(row.values[0], reading.columns.arch, reading.text(row))
            votes[name] = votes.get(name, 0) + 1
        except ParseError as error:
            faults.append((row.line, reading.place(row, error.column), error.expected, error.found))
    if not votes:
        for fault in faults:
            problems.add(*fault)
        problems.raise_if_any()
    return space_named(max(votes, key=lambda name: votes[name]))


def _table(path: str, space: SearchSpace, reading: Reading, blocks: Sequence[Block]) -> Table:
    columns = reading.columns
    dags = Dags.joined([block.dags for block in blocks])
    # (num_rows, num_numbers), in the order of columns.numbers
    numbers = np.concatenate([block.numbers for block in blocks])
    lines = np.concatenate([block.lines for block in blocks])
    labels = 0 if columns.performance is None else 1
    costs = labels + len(columns.complexity or ())
    performance = numbers[:, 0] if labels else np.full(len(dags), np.nan)
    exact = columns.complexity is None
    return Table(
        name=Path(path).name,
        space=space,
        dags=dags,
        performance=-performance if reading.negate else performance.copy(),
        complexity=space.complexity(dags) if exact else numbers[:, labels:costs].copy(),
        performance_name=reading.performance_name,
        complexity_names=space.complexity_names if exact else columns.complexity or (),
        lines=lines,
        source=path,
        reported={
            name: numbers[:, costs + place].copy() for place, name in enumerate(columns.reported)
        },
    )
