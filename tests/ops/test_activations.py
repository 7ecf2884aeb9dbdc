"""Sigmoid and tanh of the native inner loops: their error in units in the last place."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ngae import _native

LEVELS = _native.load().cpu_levels()


def exact(x: NDArray[np.float64]) -> tuple[NDArray[np.longdouble], NDArray[np.longdouble]]:
    wide = x.astype(np.longdouble)
    return 1 / (1 + np.exp(-wide)), np.tanh(wide)


def points(dtype: type, limit: float) -> NDArray[np.float64]:
    small = np.geomspace(1e-30, 1, 4096)
    grid = np.concatenate([np.linspace(-limit, limit, 65536), small, -small])
    return grid.astype(dtype)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("dtype", "limit"), [(np.float32, 87.0), (np.float64, 700.0)])
def test_error_is_at_most_three_units(level: str, dtype: type, limit: float) -> None:
    x = points(dtype, limit)
    for found, expected in zip(_native.load().activations(x, level), exact(x), strict=True):
        unit = np.spacing(np.abs(expected).astype(dtype))
        assert np.max(np.abs(found - expected) / unit) <= 3


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out_and_not_a_number(level: str, dtype: type) -> None:
    x = np.zeros(32, dtype=dtype)
    x[:5] = [np.inf, -np.inf, np.nan, 1e6, -1e6]
    sigmoid, tanh = _native.load().activations(x, level)
    np.testing.assert_allclose(sigmoid[:5], [1, 0, np.nan, 1, 0], rtol=0, atol=2e-38)
    np.testing.assert_array_equal(tanh[:5], [1, -1, np.nan, 1, -1])
    np.testing.assert_array_equal(sigmoid[5:], 0.5)
    np.testing.assert_array_equal(tanh[5:], 0)


def test_refuses_part_of_a_panel() -> None:
    with pytest.raises(ValueError, match=r"expected a multiple of .* numbers, found 3"):
        _native.load().activations(np.zeros(3, dtype=np.float32), "")
