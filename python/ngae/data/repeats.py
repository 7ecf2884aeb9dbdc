"""Rows of one architecture whose answers differ."""

from __future__ import annotations

import math

from ngae.data.raw import Problems
from ngae.data.records import Table


def note_contradictions(table: Table, problems: Problems) -> None:
    """Note rows that answer otherwise than an earlier one for the same architecture.

    A row without a performance contradicts none.
    """
    for first, *others in table.duplicates():
        wanted = _answers(table, first)
        for row in others:
            for name, value in _answers(table, row).items():
                if value != wanted[name] and not math.isnan(value + wanted[name]):
                    place = f"line {table.lines[first]}, the same architecture"
                    expected = f"the {name} of {place}: {wanted[name]}"
                    problems.add(int(table.lines[row]), 1, expected, f"{value}")


def _answers(table: Table, row: int) -> dict[str, float]:
    costs = zip(table.complexity_names, table.complexity[row].tolist(), strict=True)
    return {**dict(costs), "performance": float(table.performance[row])}
