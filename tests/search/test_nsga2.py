import numpy as np
import pytest

from ngae.oracles.base import Answer
from ngae.search.base import Trial
from ngae.search.config import NSGA2Config
from ngae.search.limits import Limit
from ngae.search.nsga2 import NSGA2Search, crowding_distance, non_dominated_sort, survivors
from ngae.search.problem import Objective, Problem
from ngae.search.random import RandomSearch
from ngae.spaces.enas import EnasSpace


def _slow_ranks(values):
    """Take off, again and again, what nothing that is left dominates."""
    ranks, left, rank = {}, set(range(len(values))), 0
    while left:
        front = {
            i
            for i in left
            if not any(
                (values[j] >= values[i]).all() and (values[j] > values[i]).any() for j in left
            )
        }
        ranks |= dict.fromkeys(front, rank)
        left -= front
        rank += 1
    return [ranks[i] for i in range(len(values))]


@pytest.mark.parametrize("objectives", [1, 2, 3, 5])
@pytest.mark.parametrize("levels", [3, 1000])
def test_fronts_are_those_of_brute_force(objectives, levels):
    rng = np.random.default_rng([objectives, levels])
    values = rng.integers(levels, size=(60, objectives)).astype(np.float64)
    values[::9, -1] = -np.inf
    found = np.full(60, -1)
    for rank, front in enumerate(non_dominated_sort(values)):
        assert (np.diff(front) > 0).all()
        found[front] = rank
    assert found.tolist() == _slow_ranks(values)


def test_enough_fronts_are_the_first_ones():
    values = np.array([[1.0, 4.0], [2.0, 3.0], [1.0, 3.0], [0.0, 0.0]])
    assert [front.tolist() for front in non_dominated_sort(values)] == [[0, 1], [2], [3]]
    assert [front.tolist() for front in non_dominated_sort(values, 3)] == [[0, 1], [2]]
    assert [front.tolist() for front in non_dominated_sort(values, 1)] == [[0, 1]]
    assert non_dominated_sort(values[:0]) == []


def test_crowding_by_hand():
    values = np.array([[0.0, 10.0], [4.0, 2.0], [1.0, 8.0], [2.0, 6.0], [3.0, 5.0]])
    expected = [np.inf, np.inf, 2 / 4 + 4 / 8, 2 / 4 + 3 / 8, 2 / 4 + 4 / 8]
    assert crowding_distance(values).tolist() == expected
    assert crowding_distance(values[:2]).tolist() == [np.inf, np.inf]
    assert crowding_distance(values[:0]).tolist() == []
    assert crowding_distance(np.array([[1.0], [1.0], [1.0]])).tolist() == [np.inf, 0.0, np.inf]
    unknown = np.array([[0.0, -np.inf], [1.0, -np.inf], [4.0, -np.inf]])
    assert crowding_distance(unknown).tolist() == [np.inf, 1.0, np.inf]
    assert crowding_distance(unknown[:, 1:]).tolist() == [0.0, 0.0, 0.0]


def test_of_the_last_front_the_least_crowded_stay():
    front = [[0.0, 10.0], [1.0, 8.0], [2.0, 6.0], [3.0, 5.0], [4.0, 2.0]]
    values = np.array([[-1.0, -1.0], *front])
    assert survivors(values, 3).tolist() == [1, 5, 2]
    assert survivors(values, 6)[-1] == 0
    assert survivors(values, 9).tolist() == survivors(values, 6).tolist()


def _problem(make_table, **objective):
    space = EnasSpace(4)
    known = make_table(5, space).subset(np.zeros(0, dtype=np.int64))
    return Problem(space, known, objective=Objective(**objective))


def _tell(search, candidates, told):
    answers = [Answer(performance, {"ms": ms}, 0.0) for performance, ms in told]
    search.tell([Trial(0, c, a) for c, a in zip(candidates, answers, strict=True)])
    return [candidate.dag for candidate in candidates]


def test_the_population_holds_the_front(make_table):
    problem = _problem(make_table, down=("ms",))
    search = NSGA2Search(problem, 0, NSGA2Config(population=3))
    asked = search.ask(5)
    dags = _tell(search, asked, [(0.9, 9.0), (0.5, 5.0), (0.4, 6.0), (0.2, 1.0), (0.1, 8.0)])
    assert set(search.population) == {dags[0], dags[1], dags[3]}


def test_what_counts_not_is_dominated_by_all(make_table):
    problem = _problem(make_table, down=("ms",), limits=(Limit("ms", 5.0),))
    search = NSGA2Search(problem, 0, NSGA2Config(population=2))
    dags = _tell(search, search.ask(3), [(0.9, 6.0), (0.1, 5.0), (0.2, 4.9)])
    assert search.population == (dags[2], dags[1])


def test_known_rows_are_the_first_population(make_table):
    table = make_table(40, EnasSpace(4))
    problem = Problem(table.space, table, objective=Objective(("params",)))
    search = NSGA2Search(problem, 0, NSGA2Config(population=8))
    values = np.stack([table.performance, -table.complexity[:, 0]], axis=1)
    expected = [table.dags[int(row)] for row in survivors(values, 8)]
    assert search.population == tuple(expected)


def test_it_finds_more_of_a_front_than_random_draws(make_table):
    """Up: layers of the last type; down: those not of the first. The front is up = down."""
    problem = _problem(make_table, down=("ms",))
    found = {}
    for search in (NSGA2Search(problem, 1), RandomSearch(problem, 1)):
        front = found[type(search)] = set()
        for _ in range(30):
            asked = search.ask(10)
            counts = [(c.dag.node_types.count(7), c.dag.node_types.count(2)) for c in asked]
            front |= {last for last, first in counts if last + first == 4}
            _tell(search, asked, [(float(last), float(4 - first)) for last, first in counts])
    assert found[NSGA2Search] == {0, 1, 2, 3, 4}
    assert len(found[RandomSearch]) <= 3
