import numpy as np
import pytest

from ngae.search.benchmark_report import Outcome, Plane, Possible
from ngae.search.benchmarks import Benchmark

LATENCY = Benchmark(
    "made", "", "auto", "acc", complexity=("ms",), down=("ms",), floor=80.0, reference=(80.0, None)
)
# Rows that count: accuracy up, milliseconds down (negated).
ROWS = np.array([[90.0, -5.0], [94.0, -9.0], [82.0, -1.0], [81.0, -11.0]])


def line(performance, ms, kept=True, reported=None):
    told = {} if reported is None else {"test": reported}
    return {
        "performance": performance, "complexity": {"ms": ms}, "kept": kept, "reported": told,
        "model_seconds": 0.5,
    }  # fmt: skip


def test_the_plane_is_scaled_over_the_rows_that_count():
    plane = Plane.of(ROWS, LATENCY)
    assert plane.low.tolist() == [81.0, -11.0]
    assert plane.span.tolist() == [13.0, 10.0]
    np.testing.assert_allclose(plane.reference, [-1 / 13, 0.0])
    # Over (80, 11): 2 x 10, 8 more x 6, 4 more x 2.
    assert plane.volume == pytest.approx((20 + 48 + 8) / 130)
    lines = [line(90.0, 5.0), line(70.0, 0.1, kept=False), line(None, 1.0, kept=False)]
    shares = plane.shares([*lines, line(94.0, 9.0), line(82.0, 1.0)])
    np.testing.assert_allclose(shares, [60 / 76, 60 / 76, 60 / 76, 68 / 76, 1])


def test_outcomes_by_hand():
    searches = [
        [line(1.0, 3.0, reported=0.1), line(None, 1.0, kept=False), line(4.0, 2.0, reported=0.4)],
        [line(2.0, 3.0, reported=0.2), line(3.0, 3.0, reported=0.7)],
    ]
    found = Outcome.of(searches, Possible(4.0, 0.5, None), 3)
    assert found.regrets.tolist() == [[3, 3, 0], [2, 1, 1]]
    assert found.successes == (3, None)
    assert found.as_dict() == {
        "regret": {"mean": 0.5, "std": pytest.approx(0.5**0.5)},
        "success": {"3": 0.5},
        "median_queries_to_optimum": None,
        "hypervolume": None,
        "reported": {"mean": pytest.approx(0.55), "std": pytest.approx(0.3 * 0.5**0.5)},
        "model_seconds_per_query": 0.5,
        "seeds": 2,
    }


def test_success_is_told_as_far_as_the_budget_goes():
    searches = [[line(float(n), 1.0) for n in range(m)] for m in (50, 70, 100)]
    outcome = Outcome.of(searches, Possible(59.0, 0.0, None), 100)
    assert outcome.as_dict()["success"] == {"48": 0.0, "64": 2 / 3, "100": 2 / 3}
    assert outcome.median_queries == 60


def test_a_search_in_which_nothing_counts_has_the_worst():
    outcome = Outcome.of([[line(None, 1.0, kept=False)]], Possible(4.0, 0.5, None), 2)
    assert outcome.regrets.tolist() == [[3.5, 3.5]]
    assert outcome.as_dict()["reported"] is None
