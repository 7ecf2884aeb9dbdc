import numpy as np

from ngae.report.projection import Plane


def _points():
    rng = np.random.default_rng(0)
    return rng.standard_normal((200, 5)) * np.array([1.0, 5.0, 0.1, 3.0, 0.2]) + 7.0


def test_the_plane_is_that_of_the_largest_variance():
    points = _points()
    plane = Plane.fit(points)
    _, values, vectors = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(plane.axes), np.abs(vectors[:2]), atol=1e-9)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(plane.shares, (values**2 / (values**2).sum())[:2])
    assert (plane.axes[np.arange(2), np.abs(plane.axes).argmax(axis=1)] > 0).all()


def test_there_and_back():
    plane = Plane.fit(_points())
    places = np.array([[0.0, 0.0], [3.0, -2.5], [-100.0, 4.0]])
    np.testing.assert_allclose(plane.place(plane.lift(places)), places, atol=1e-9)
    np.testing.assert_allclose(plane.lift(places)[0], plane.origin)


def test_what_is_known_rises_to_the_right_and_up():
    points = _points()
    values = -points[:, 1] - points[:, 3]
    values[::2] = np.nan
    place = Plane.fit(points, values).place(points)
    known = ~np.isnan(values)
    assert np.corrcoef(place[known, 0], values[known])[0, 1] > 0.5
    assert np.corrcoef(place[known, 1], values[known])[0, 1] > 0.1


def test_one_point_and_one_dimension_have_a_plane():
    assert np.isfinite(Plane.fit(np.ones((1, 3))).place(np.ones((1, 3)))).all()
    line = Plane.fit(np.arange(4.0)[:, None])
    np.testing.assert_allclose(line.place(np.array([[3.0]])), [[1.5, 0.0]])
