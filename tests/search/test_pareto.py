import time

import numpy as np
import pytest

from ngae.oracles.base import Answer
from ngae.search.base import Candidate, Trial
from ngae.search.pareto import non_dominated
from ngae.search.problem import Objective
from ngae.search.result import SearchResult
from ngae.spaces.enas import EnasSpace


def test_front_by_hand():
    performance = np.array([0.9, 0.8, 0.95, 0.95, 0.5])
    complexity = np.array([5.0, 3.0, 9.0, 8.0, 4.0])
    assert non_dominated(np.stack([performance, -complexity], axis=1)).tolist() == [1, 0, 3]


@pytest.mark.parametrize(("objectives", "points"), [(1, 40), (2, 60), (3, 700), (4, 1200)])
def test_front_equals_its_definition(objectives, points):
    rng = np.random.default_rng(0)
    values = rng.integers(8, size=(points, objectives)).astype(float)
    kept = []
    for i, point in enumerate(values):
        beaten = (values >= point).all(axis=1) & (values > point).any(axis=1)
        twin = (values[:i] == point).all(axis=1)
        if not beaten.any() and not twin.any():
            kept.append(i)
    kept.sort(key=lambda i: (-values[i, -1], *-values[i, :-1]))
    assert non_dominated(values).tolist() == kept


def test_equal_points_keep_the_first_and_none_gives_none():
    for objectives in (1, 2, 3):
        assert non_dominated(np.ones((3, objectives))).tolist() == [0]
        assert non_dominated(np.zeros((0, objectives))).tolist() == []


def test_points_with_nan_beat_none():
    values = np.array([[np.nan, 9.0], [1.0, 2.0], [np.nan, np.nan]])
    assert non_dominated(values).tolist() == [1]


def test_twenty_thousand_points_that_nobody_beats_take_seconds():
    rng = np.random.default_rng(0)
    values = rng.random((20_000, 3))
    values[:, 2] = 5 - values[:, 0] - values[:, 1]
    started = time.process_time()
    assert len(non_dominated(values)) == 20_000
    assert time.process_time() - started < 30


def test_results_have_a_front_of_any_number_of_objectives():
    dag = EnasSpace(3).sample(np.random.default_rng(0))
    costs = [(0.9, 5.0, 5.0), (0.8, 4.0, 9.0), (0.8, 4.0, 6.0), (0.7, 6.0, 4.0), (0.6, 6.0, 6.0)]
    answers = [Answer(p, {"ms": ms, "params": n}, 0.0) for p, ms, n in costs]
    trials = tuple(Trial(i, Candidate(dag, None, {}), a) for i, a in enumerate(answers))
    result = SearchResult(trials, Objective(("ms", "params")))
    assert [trial.number for trial in result.pareto] == [3, 0, 2]
    assert SearchResult(trials, Objective(("ms",))).pareto == (trials[1], trials[0])
