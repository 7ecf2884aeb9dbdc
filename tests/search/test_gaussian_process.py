"""The process against textbook formulas, its slopes against differences."""

import dataclasses

import numpy as np
import pytest

from ngae.search.climb import _slope, climb
from ngae.search.gaussian_process import (
    GaussianProcess,
    Kernel,
    _Evidence,
    _noisy,
    centre_and_spread,
)

KERNELS = pytest.mark.parametrize(
    "kernel",
    [Kernel(("a", "b")), Kernel(("a", "b"), ("a",)), Kernel(("b",), ("a", "c"))],
    ids=["radial", "radial and linear", "a group for each"],
)


def described(seed, count):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(count, width)) for name, width in (("a", 3), ("b", 5), ("c", 2))}


@pytest.fixture
def points():
    groups = described(0, 20)
    return groups, np.sin(groups["a"][:, 0]) + 0.05 * np.random.default_rng(1).normal(size=20)


def textbook(kernel, logs, a, b):
    """The covariance, pair by pair."""
    lengths, amplitude = np.exp(logs[: len(kernel.radial)]), np.exp(2 * logs[len(kernel.radial)])
    slopes = np.exp(2 * logs[len(kernel.radial) + 1 : -1])
    found = np.empty((len(a["a"]), len(b["a"])))
    for i, j in np.ndindex(found.shape):
        far = sum(
            ((a[g][i] - b[g][j]) ** 2).sum() / (2 * length**2)
            for g, length in zip(kernel.radial, lengths, strict=True)
        )
        shares = sum(
            slope * np.mean(a[g][i] * b[g][j])
            for g, slope in zip(kernel.linear, slopes, strict=True)
        )
        found[i, j] = amplitude * np.exp(-far) + shares
    return found


@KERNELS
def test_the_slope_is_that_of_differences(points, kernel):
    groups, y = points
    middle = kernel.middle(groups)
    evidence = _Evidence(
        kernel, kernel.squares(groups, groups), kernel.products(groups, groups), y, middle
    )
    logs = middle + np.linspace(-0.2, 0.3, len(middle))
    _, slope = evidence.loss(logs)
    assert len(slope) == len(logs) == len(kernel.radial) + len(kernel.linear) + 2
    for k in range(len(logs)):
        step = np.zeros(len(logs))
        step[k] = 1e-5
        ends = [evidence.loss(logs + sign * step)[0] for sign in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(slope[k], rel=1e-5)


@KERNELS
def test_predictions_are_those_of_the_textbook(points, kernel):
    groups, y = points
    process = GaussianProcess.fit(kernel, groups, y)
    others = described(2, 7)
    mean, deviation = process.predict(others)
    own = textbook(kernel, process.logs, groups, groups)
    inverse = np.linalg.inv(own + (np.exp(2 * process.logs[-1]) + 1e-6) * np.eye(20))
    cross = textbook(kernel, process.logs, others, groups)
    target = (y - y.mean()) / y.std()
    np.testing.assert_allclose(mean, y.mean() + y.std() * cross @ inverse @ target, rtol=1e-8)
    before = np.diag(textbook(kernel, process.logs, others, others))
    variance = before - np.einsum("ij,jk,ik->i", cross, inverse, cross)
    np.testing.assert_allclose(deviation, y.std() * np.sqrt(variance), rtol=1e-6)


@KERNELS
def test_belief_after_an_expected_answer_is_that_of_a_process_which_knows_it(points, kernel):
    groups, y = points
    process = GaussianProcess.fit(kernel, groups, y)
    others = described(2, 7)
    belief = process.believe(others)
    found = belief.after(2).after(5)
    rows = {g: np.concatenate([groups[g], others[g][[2, 5]]]) for g in process.groups}
    more = dataclasses.replace(
        process,
        groups=rows,
        factor=np.linalg.cholesky(
            _noisy(kernel.covariance(rows, rows, process.logs), process.logs)
        ),
        weights=np.zeros(22),
    )
    np.testing.assert_allclose(found.deviation, more.predict(others)[1], rtol=1e-6)
    assert np.array_equal(found.mean, belief.mean)
    assert (found.deviation <= belief.deviation).all()


@KERNELS
def test_what_is_left_out_is_predicted_by_all_others(points, kernel):
    groups, y = points
    process = GaussianProcess.fit(kernel, groups, y)
    found = process.left_out()
    for left in (0, 7, 19):
        others = np.delete(np.arange(20), left)
        kept = {g: groups[g][others] for g in process.groups}
        inverse = np.linalg.inv(_noisy(kernel.covariance(kept, kept, process.logs), process.logs))
        alone = {g: groups[g][[left]] for g in process.groups}
        cross = kernel.covariance(alone, kept, process.logs)[0]
        expected = y.mean() + cross @ inverse @ (y[others] - y.mean())
        assert found[left] == pytest.approx(expected, rel=1e-8)


def test_what_is_linear_goes_on_where_no_label_is():
    group = np.random.default_rng(3).uniform(-1, 1, size=(30, 1))
    far = {"a": np.array([[20.0]])}
    alone, along = (
        GaussianProcess.fit(Kernel(("a",), linear), {"a": group}, 2 * group[:, 0])
        for linear in ((), ("a",))
    )
    assert along.predict(far)[0][0] == pytest.approx(40, abs=4)
    assert alone.predict(far)[0][0] == pytest.approx(0, abs=1)


def test_a_group_that_does_not_matter_gets_a_longer_length():
    rng = np.random.default_rng(2)
    groups = {"a": rng.normal(size=(60, 2)), "b": rng.normal(size=(60, 2))}
    process = GaussianProcess.fit(Kernel(("a", "b")), groups, np.sin(2 * groups["a"][:, 0]))
    assert process.logs[1] > process.logs[0] + 0.5
    assert process.noise < 0.2


def test_one_label_and_equal_labels_are_no_special_case():
    group, kernel = np.zeros((1, 2)), Kernel(("a",), ("a",))
    one = GaussianProcess.fit(kernel, {"a": group}, np.array([3.0]))
    mean, deviation = one.predict({"a": group + 1})
    assert mean[0] == one.left_out()[0] == pytest.approx(3.0)
    assert deviation[0] > 0
    flat = GaussianProcess.fit(kernel, {"a": np.arange(4.0)[:, None]}, np.full(4, 2.0))
    assert flat.predict({"a": np.array([[9.0]])})[0][0] == pytest.approx(2.0)


def test_climbing_follows_the_slope_and_goes_up(points):
    groups, y = points
    process = GaussianProcess.fit(Kernel(("a",)), groups, y)
    starts = np.random.default_rng(3).normal(size=(6, 3))
    precision = np.linalg.inv(process.factor @ process.factor.T)

    def bound(z):
        mean, deviation = process.predict({"a": z})
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
    kernel, start = Kernel(("a", "b"), ("c",)), np.array([0.5, 0.8, 0.0, 0.3, -1.6])
    assert np.array_equal(GaussianProcess.fit(kernel, groups, y, start, learn=False).logs, start)
    assert not np.array_equal(GaussianProcess.fit(kernel, groups, y, start).logs, start)
