"""Figures of matplotlib: what the artists hold is what was given."""

import sys

import numpy as np
import pytest

from ngae import figures
from ngae.errors import MissingExtraError, UsageError
from ngae.report.projection import Plane

pytest.importorskip("matplotlib")

LOG = [
    {"epoch": n, "nodes": 4 / n, "edges": 2 / n, "kl": n, "performance": 1 / n, "complexity": 0.0}
    for n in (1, 2, 4)
]


def _lines(figure):
    return {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}


def test_learning_curves_are_the_terms_of_the_log():
    figure = figures.learning_curves(LOG)
    lines = _lines(figure)
    assert lines["reconstruction"].tolist() == [[1, 6], [2, 3], [4, 1.5]]
    assert lines["KL divergence"].tolist() == [[1, 1], [2, 2], [4, 4]]
    assert len(lines) == 3  # no predictor of complexity: no curve
    assert figure.axes[0].get_yscale() == "log"


def test_the_latent_map_shows_places_on_the_plane_and_the_best_on_top():
    rng = np.random.default_rng(0)
    points, values = rng.normal(size=(30, 5)), rng.random(30)
    values[3] = np.nan
    grey, coloured = figures.latent_map(points, values, "acc").axes[0].collections
    order = np.argsort(values)[:-1]
    placed = Plane.fit(points, values).place(points)
    assert np.asarray(coloured.get_offsets()) == pytest.approx(placed[order])
    assert np.asarray(coloured.get_array()) == pytest.approx(values[order])
    assert np.asarray(grey.get_offsets()) == pytest.approx(placed[[3]])


def test_the_fitted_line_is_that_of_least_squares():
    true, predicted = np.array([0.0, 1, 2, 3]), np.array([0.2, 0.9, 2.2, 2.8])
    axes = figures.predicted_against_true(true, predicted).axes[0]
    fit, even = axes.lines
    slope, intercept = np.polyfit(true, predicted, 1)
    assert fit.get_xydata() == pytest.approx(np.array([[0, intercept], [3, 3 * slope + intercept]]))
    assert fit.get_label() == f"fit: {slope:.3f} true {intercept:+.3f}"
    assert even.get_xydata().tolist() == [[0, 0], [3, 3]]
    dots = np.asarray(axes.collections[0].get_offsets())
    assert dots == pytest.approx(np.stack([true, predicted], axis=1))


def test_equal_true_values_have_no_line():
    axes = figures.predicted_against_true([1.0, 1.0], [0.0, 2.0]).axes[0]
    assert [line.get_label() for line in axes.lines] == ["predicted = true"]


def test_the_front_is_what_nothing_beats():
    axes = figures.pareto_front([3, 1, 2, 4], [5, 1, 4, 4.5], ("params", "acc")).axes[0]
    assert axes.lines[0].get_xydata().tolist() == [[1, 1], [2, 4], [3, 5]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("params", "acc")


def test_regrets_are_means_with_one_standard_error():
    values = np.array([[4.0, 2.0], [2.0, 0.0]])
    axes = figures.regret_curves({"a": values, "b": [[1.0, 1.0]]}).axes[0]
    assert _lines(axes.figure)["a"].tolist() == [[1, 3], [2, 1]]
    assert _lines(axes.figure)["b"].tolist() == [[1, 1], [2, 1]]
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    assert sorted(set(corners[corners[:, 0] == 1][:, 1])) == pytest.approx([2, 4])


def test_figures_are_written_without_a_window(tmp_path):
    figures.learning_curves(LOG).savefig(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size > 1000
    assert "matplotlib.pyplot" not in sys.modules


def test_nothing_to_draw_is_a_usage_error():
    with pytest.raises(UsageError, match="regret_curves: expected searches, found none"):
        figures.regret_curves({})


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError) as refused:
        figures.learning_curves(LOG)
    assert refused.value.remedy == "pip install 'ngae[plot]'"
