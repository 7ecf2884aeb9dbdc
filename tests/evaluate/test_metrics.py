import math

import numpy as np
import pytest

from ngae.evaluate.metrics import generation, kendall_tau, pearson_r, regression, rmse


def _tau_by_definition(x, y):
    sign_x = np.sign(x[:, None] - x[None, :])
    sign_y = np.sign(y[:, None] - y[None, :])
    upper = np.triu_indices(len(x), 1)
    a, b = sign_x[upper], sign_y[upper]
    return (a * b).sum() / math.sqrt((a != 0).sum() * (b != 0).sum())


@pytest.mark.parametrize("levels", [3, 50, 10**9])
@pytest.mark.parametrize("rows", [2, 3, 511, 512, 513, 1300])
def test_tau_equals_its_definition_with_and_without_ties(levels, rows):
    rng = np.random.default_rng(rows)
    x = rng.integers(levels, size=rows).astype(float)
    y = np.round(x + rng.normal(0, levels / 3, rows))
    if len(set(x)) == 1 or len(set(y)) == 1:
        pytest.skip("constant draw")
    assert kendall_tau(x, y) == pytest.approx(_tau_by_definition(x, y), abs=1e-12)


def test_perfect_and_reversed_orders():
    x = np.arange(10.0)
    assert kendall_tau(x, x**3) == pytest.approx(1)
    assert kendall_tau(x, -x) == pytest.approx(-1)
    assert pearson_r(x, 2 * x + 1) == pytest.approx(1)
    assert math.isnan(kendall_tau(x, np.zeros(10)))
    assert math.isnan(pearson_r(x, np.zeros(10)))


def test_errors_are_in_units_of_the_training_spread():
    actual = np.array([1.0, 2.0, 3.0])
    assert rmse(actual + 2, actual) == 2
    assert regression(actual + 2, actual, 4.0)["rmse_normalised"] == 0.5


def test_generation_counts_distinct_and_new_among_the_valid():
    result = generation(["a", "a", "b", None], frozenset({"b"}))
    assert result == {"validity": 0.75, "uniqueness": 2 / 3, "novelty": 2 / 3}
    assert generation([], frozenset())["validity"] == 0
