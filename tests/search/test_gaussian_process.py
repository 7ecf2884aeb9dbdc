"""The process against textbook formulas, its slopes against differences."""

import dataclasses

import numpy as np
import pytest

from ngae.search.climb import _slope, climb
from ngae.search.gaussian_process import (
    GaussianProcess,
    _linear,
    _loss,
    _noisy,
    _squares,
    centre_and_spread,
)

TRENDS = pytest.mark.parametrize("trend", [None, 0])


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    groups = [rng.normal(size=(20, 3)), rng.normal(size=(20, 5))]
    return groups, np.sin(groups[0][:, 0]) + 0.05 * rng.normal(size=20)


@TRENDS
def test_the_slope_is_that_of_differences(points, trend):
    groups, y = points
    fixed = _linear(groups, groups, trend)
    squares = np.stack([_squares(group, group) for group in groups])
    middle = np.array([0.5, 0.8, 0.0, -1.6])
    logs = middle + np.array([0.2, -0.1, 0.1, 0.3])
    _, slope = _loss(squares, fixed, y, middle, logs)
    for k in range(4):
        step = np.zeros(4)
        step[k] = 1e-5
        ends = [_loss(squares, fixed, y, middle, logs + sign * step)[0] for sign in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(slope[k], rel=1e-5)


@TRENDS
def test_predictions_are_those_of_the_textbook(points, trend):
    groups, y = points
    process = GaussianProcess.fit(groups, y, trend=trend)
    rng = np.random.default_rng(1)
    others = [rng.normal(size=(7, 3)), rng.normal(size=(7, 5))]
    mean, deviation = process.predict(others)
    lengths, amplitude = np.exp(process.logs[:2]), np.exp(2 * process.logs[2])

    def k(a, b):
        parts = zip(a, b, lengths, strict=True)
        far = sum(((p[:, None] - q[None]) ** 2).sum(2) / (2 * g**2) for p, q, g in parts)
        return amplitude * np.exp(-far) + (0 if trend is None else a[trend] @ b[trend].T)

    noise = np.exp(2 * process.logs[3]) + 1e-6
    inverse = np.linalg.inv(k(groups, groups) + noise * np.eye(20))
    cross = k(others, groups)
    target = (y - y.mean()) / y.std()
    np.testing.assert_allclose(mean, y.mean() + y.std() * cross @ inverse @ target, rtol=1e-8)
    variance = np.diag(k(others, others)) - np.einsum("ij,jk,ik->i", cross, inverse, cross)
    np.testing.assert_allclose(deviation, y.std() * np.sqrt(variance), rtol=1e-6)


@TRENDS
def test_belief_after_an_expected_answer_is_that_of_a_process_which_knows_it(points, trend):
    groups, y = points
    process = GaussianProcess.fit(groups, y, trend=trend)
    rng = np.random.default_rng(1)
    others = [rng.normal(size=(7, 3)), rng.normal(size=(7, 5))]
    belief = process.believe(others)
    found = belief.after(2).after(5)
    rows = [np.concatenate([g, o[[2, 5]]]) for g, o in zip(groups, others, strict=True)]
    squares = np.stack([_squares(row, row) for row in rows])
    more = dataclasses.replace(
        process,
        groups=tuple(rows),
        factor=np.linalg.cholesky(_noisy(squares, _linear(rows, rows, trend), process.logs)),
        weights=np.zeros(22),
    )
    np.testing.assert_allclose(found.deviation, more.predict(others)[1], rtol=1e-6)
    assert np.array_equal(found.mean, belief.mean)
    assert (found.deviation <= belief.deviation).all()


def test_a_trend_goes_on_where_no_label_is():
    rng = np.random.default_rng(3)
    group = rng.uniform(-1, 1, size=(30, 1))
    far = [np.array([[20.0]])]
    alone, along = (GaussianProcess.fit([group], 2 * group[:, 0], trend=t) for t in (None, 0))
    assert along.predict(far)[0][0] == pytest.approx(40, abs=4)
    assert alone.predict(far)[0][0] == pytest.approx(0, abs=1)


def test_a_group_that_does_not_matter_gets_a_longer_length():
    rng = np.random.default_rng(2)
    groups = [rng.normal(size=(60, 2)), rng.normal(size=(60, 2))]
    process = GaussianProcess.fit(groups, np.sin(2 * groups[0][:, 0]))
    assert process.logs[1] > process.logs[0] + 0.5
    assert process.noise < 0.2


def test_one_label_and_equal_labels_are_no_special_case():
    group = np.zeros((1, 2))
    mean, deviation = GaussianProcess.fit([group], np.array([3.0])).predict([group + 1])
    assert mean[0] == pytest.approx(3.0)
    assert deviation[0] > 0
    flat = GaussianProcess.fit([np.arange(4.0)[:, None]], np.full(4, 2.0))
    assert flat.predict([np.array([[9.0]])])[0][0] == pytest.approx(2.0)


def test_climbing_follows_the_slope_and_goes_up(points):
    groups, y = points
    process = GaussianProcess.fit(groups[:1], y)
    starts = np.random.default_rng(3).normal(size=(6, 3))
    precision = np.linalg.inv(process.factor @ process.factor.T)

    def bound(z):
        mean, deviation = process.predict([z])
        return (mean - process.mean + 0.7 * deviation) / process.scale

    slope = _slope(process, precision, starts, 0.7)
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-5
        ends = bound(starts + step) - bound(starts - step)
        np.testing.assert_allclose(ends / 2e-5, slope[:, k], rtol=1e-4, atol=1e-6)
    path = climb(process, starts, 20, 0.05, 0.7, 5)
    assert path.shape == (5, 6, 3)
    assert np.array_equal(path[0], starts)
    assert bound(path[-1]).mean() > bound(starts).mean()
    assert np.linalg.norm(path[-1], axis=1).max() <= 1.5 * np.sqrt(3) + 1e-9


def test_groups_have_a_centre_and_one_spread():
    group = np.array([[0.0, 10.0], [4.0, 10.0]], dtype=np.float32)
    centre, spread = centre_and_spread(group)
    np.testing.assert_allclose((group - centre) / spread, [[-np.sqrt(2), 0], [np.sqrt(2), 0]])
    assert centre_and_spread(group * 0)[1] == 1


def test_what_is_not_learned_stays(points):
    groups, y = points
    start = np.array([0.5, 0.8, 0.0, -1.6])
    assert np.array_equal(GaussianProcess.fit(groups, y, start, learn=False).logs, start)
    assert not np.array_equal(GaussianProcess.fit(groups, y, start).logs, start)
