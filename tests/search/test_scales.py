"""Scales lead back to the values that they were made of, and order them alike."""

import numpy as np
import pytest

from ngae.search.scales import CostScale, LogCostScale, RankScale


def test_ranks_come_back_as_values():
    values = np.array([3.0, 1.0, 2.0, 3.0, 10.0])
    scale = RankScale.of(values)
    assert scale.target_at(values) == pytest.approx([0.6, 0.1, 0.3, 0.6, 0.9])
    assert scale.value_at(scale.target_at(values)) == pytest.approx(values)
    assert scale.value_at(np.array([-1.0, 0.2, 0.9, 1.1])) == pytest.approx(
        [1, 1.5, 10, 10 + 14 / 3]
    )
    alone = RankScale.of(np.array([5.0, 5.0]))
    assert alone.value_at(np.array([0.0, 0.5, 2.0])).tolist() == [5, 5, 5]


def test_costs_are_minus_what_is_maximised_as_they_are_or_by_logarithm():
    values = -np.array([10.0, 0.0, 40.0, 20.0, 30.0])
    scale = LogCostScale.of(values)
    assert scale.unit == pytest.approx(2.0)
    targets = scale.target_at(values)
    assert targets == pytest.approx(-np.log([6, 1, 21, 11, 16]))
    assert np.argsort(targets).tolist() == np.argsort(values).tolist()
    assert scale.value_at(targets) == pytest.approx(values)
    assert CostScale().value_at(CostScale().target_at(values)).tolist() == values.tolist()


def test_costs_of_nothing_have_a_unit_and_none_is_below_zero():
    scale = LogCostScale.of(np.zeros(3))
    assert scale.unit == 1.0
    assert scale.target_at(np.array([0.0, 2.0])).tolist() == [0, 0]
