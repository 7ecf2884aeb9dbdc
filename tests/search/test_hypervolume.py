from itertools import combinations

import numpy as np
import pytest

from ngae.errors import UsageError
from ngae.search.hypervolume import hypervolume, hypervolume_curve


def by_inclusion_and_exclusion(values, reference):
    """Volume of a union of boxes: every intersection of boxes is a box."""
    boxes = np.maximum(np.asarray(values) - reference, 0)
    total = 0.0
    for size in range(1, len(boxes) + 1):
        for chosen in combinations(range(len(boxes)), size):
            total -= (-1) ** size * float(np.prod(boxes[list(chosen)].min(axis=0)))
    return total


@pytest.mark.parametrize("objectives", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_volume_is_that_of_the_union_of_boxes(objectives, seed):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.random((7, objectives)), rng.integers(3, size=(3, objectives))])
    reference = np.linspace(0.2, -0.1, objectives)
    expected = by_inclusion_and_exclusion(values, reference)
    assert hypervolume(values, reference) == pytest.approx(expected, rel=1e-12)


def test_volumes_by_hand():
    assert hypervolume(np.array([[3.0, 1.0], [2.0, 2.0]]), (0.0, 0.0)) == 5.0
    assert hypervolume(np.array([[2.0, 2.0, 2.0], [1.0, 1.0, 3.0]]), (0, 0, 0)) == 9.0
    assert hypervolume(np.array([[2.0, 2.0], [2.0, 2.0]]), (1.0, 1.0)) == 1.0


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_what_is_not_above_the_reference_adds_nothing(objectives):
    reference = np.ones(objectives)
    none = np.zeros((0, objectives))
    below = np.full((2, objectives), 5.0)
    below[0, -1], below[1, 0] = 1.0, np.nan
    assert hypervolume(none, reference) == hypervolume(below, reference) == 0.0
    inside = np.concatenate([below, np.full((2, objectives), 3.0)])
    assert hypervolume(inside, reference) == 2.0**objectives


def test_the_curve_is_the_volume_of_each_beginning():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.random((60, 2)), rng.integers(3, size=(60, 2)) / 2])
    values = rng.permutation(np.concatenate([values, [[np.nan, 3.0], [0.1, 0.9]]]))
    curve = hypervolume_curve(values, (0.1, 0.2))
    expected = [hypervolume(values[: n + 1], (0.1, 0.2)) for n in range(len(values))]
    np.testing.assert_allclose(curve, expected, rtol=1e-12, atol=1e-15)
    assert hypervolume_curve(np.zeros((0, 2)), (0, 0)).tolist() == []


def test_other_shapes_are_refused():
    with pytest.raises(UsageError, match=r"found \(3, 2\) and \(3,\)"):
        hypervolume(np.zeros((3, 2)), (0, 0, 0))
    with pytest.raises(UsageError, match="expected values of 2 objectives, found 3"):
        hypervolume_curve(np.zeros((3, 3)), (0, 0, 0))
