import numpy as np
import pytest

from ngae.search.front import expected_hypervolume_improvement, lifted
from ngae.search.hypervolume import hypervolume

REFERENCE = np.array([0.0, -1.0])
FRONTS = {
    "nothing known": np.zeros((0, 2)),
    "one point": np.array([[1.0, 0.5]]),
    "some, dominated and below among them": np.array(
        [[0.2, 1.0], [2.0, -0.5], [1.0, 0.3], [0.9, 0.2], [1.0, 0.3], [-1.0, 5.0], [5.0, -1.0]]
    ),
}


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS.keys())
def test_it_is_the_mean_gain_in_hypervolume(front):
    rng = np.random.default_rng(0)
    means = np.array([[1.5, 0.4], [0.3, 0.9], [0.6, 0.4], [3.0, 2.0]])
    spreads = np.array([[0.5, 0.4], [0.2, 0.3], [0.5, 0.5], [1.0, 0.1]])
    found = expected_hypervolume_improvement(means, spreads, front, REFERENCE)
    before = hypervolume(front, REFERENCE)
    for mean, spread, expected in zip(means, spreads, found, strict=True):
        drawn = rng.normal(mean, spread, (4000, 2))
        gains = [hypervolume(np.vstack([front, y]), REFERENCE) - before for y in drawn]
        error = np.std(gains) / np.sqrt(len(gains))
        assert error < 0.1 * expected
        assert abs(np.mean(gains) - expected) < 4 * error


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS.keys())
def test_without_doubt_it_is_the_gain_itself(front):
    points = np.array([[1.5, 0.4], [0.1, 0.1], [4.0, 4.0], [-1.0, 9.0], [0.2, 1.0]])
    found = expected_hypervolume_improvement(points, np.full((5, 2), 1e-9), front, REFERENCE)
    before = hypervolume(front, REFERENCE)
    gains = [hypervolume(np.vstack([front, point]), REFERENCE) - before for point in points]
    assert found == pytest.approx(gains, abs=1e-7)


def test_what_is_far_below_is_lifted_and_what_is_unknown_is_bad():
    found = lifted(np.array([94.0, 80.0, 10.0, np.nan]), 80.0)
    assert found.tolist() == [94, 80, 73, 73]
    assert lifted(np.array([3.0, 1.0]), 5.0).tolist() == [5, 5]
