"""Texts of a column as numbers, all at once: what is read there and what is left to `number`."""

from __future__ import annotations

import numpy as np
import pytest

from ngae.data.json_lines import Quoted
from ngae.data.numbers import ANY, COST, SHARE, number, numbers


def test_a_column_of_numbers_is_read_at_once() -> None:
    found = numbers(["1", "-2.5", ".5e1"], ANY)
    assert found is not None
    np.testing.assert_array_equal(found, [1.0, -2.5, 5.0])


def test_no_cells_are_no_numbers() -> None:
    found = numbers([], ANY)
    assert found is not None
    assert found.shape == (0,)


@pytest.mark.parametrize("cell", ["", "nan", "x", "1\n2", Quoted("1"), {"value": 1}, "1e999"])
def test_one_cell_that_is_none_leaves_the_column_to_be_read_one_by_one(cell: object) -> None:
    assert numbers(["1", cell, "2"], ANY) is None  # type: ignore[list-item]
    assert number("1", ANY) == 1.0


@pytest.mark.parametrize(("bounds", "good", "bad"), [(COST, "0", "-1"), (SHARE, "1", "1.5")])
def test_bounds_hold_for_a_column_as_for_a_cell(bounds, good: str, bad: str) -> None:
    found = numbers([good, good], bounds)
    assert found is not None
    np.testing.assert_array_equal(found, [float(good)] * 2)
    assert numbers([good, bad], bounds) is None
    assert number(good, bounds) == float(good)
    assert number(bad, bounds) == bounds.expected
