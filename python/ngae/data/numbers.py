"""Texts of a column as numbers: all at once where all are fine, one by one where one is not."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ngae.data.json_lines import Quoted
from ngae.data.raw import Value

_NUMBER = r"[-+]?(?>[0-9]+\.?[0-9]*|\.[0-9]+)(?>[eE][-+]?[0-9]+)?"
_ONE = re.compile(_NUMBER)
_MANY = re.compile(f"{_NUMBER}(?:\n{_NUMBER})*")
MISSING = ("", "null", "nan")


@dataclass(frozen=True)
class Bounds:
    """What a column may hold.

    Attributes:
        least: Lowest value.
        most: Highest value.
        expected: What an error says should stand there, where a finite number is out of bounds.
        may_miss: Whether an empty cell is no mistake; it becomes NaN.
    """

    least: float = -math.inf
    most: float = math.inf
    expected: str = "a finite number"
    may_miss: bool = False

    def holds(self, value: float) -> bool:
        """Tell whether `value` is finite and within the bounds."""
        return math.isfinite(value) and self.least <= value <= self.most


ANY = Bounds()
COST = Bounds(least=0, expected="a number from 0")
SHARE = Bounds(least=0, most=1, expected="a fraction from 0 to 1")


def numbers(texts: Sequence[Value], bounds: Bounds) -> NDArray[np.float64] | None:
    """Read a column.

    Returns:
        float64 (len(texts),); None where a cell is missing or holds no number within the bounds:
        `number` says which.
    """
    if not texts:
        return np.zeros(0)
    if any(type(text) is not str for text in texts):
        return None
    joined = "\n".join(texts)  # type: ignore[arg-type]
    if not _MANY.fullmatch(joined) or joined.count("\n") != len(texts) - 1:
        return None
    values = np.fromiter(map(float, texts), np.float64, len(texts))  # type: ignore[arg-type]
    fine = np.isfinite(values) & (values >= bounds.least) & (values <= bounds.most)
    return values if fine.all() else None


def number(cell: Value, bounds: Bounds) -> float | str:
    """Read one cell.

    Returns:
        The value, NaN where it is missing and may be, or what was expected.
    """
    if isinstance(cell, dict | Quoted):
        return "a finite number"
    text = cell.strip()
    if text.lower() in MISSING and bounds.may_miss:
        return math.nan
    value = float(text) if _ONE.fullmatch(text) else math.nan
    if bounds.holds(value):
        return value
    return bounds.expected if math.isfinite(value) else "a finite number"
