import numpy as np
import pytest

from ngae.oracles.asking import Askable
from ngae.oracles.base import Answer
from ngae.search.base import Trial
from ngae.search.config import LocalConfig
from ngae.search.local import LocalSearch
from ngae.search.neighbours import neighbours
from ngae.search.problem import Problem
from ngae.spaces.enas import EnasSpace
from ngae.spaces.nasbench201 import NasBench201Space


def _empty(make_table, space):
    return Problem(space, make_table(5, space).subset(np.zeros(0, dtype=np.int64)))


def _round(search, count, value):
    candidates = search.ask(count)
    answers = [Answer(value(candidate.dag), {}, 0.0) for candidate in candidates]
    search.tell([Trial(0, c, a) for c, a in zip(candidates, answers, strict=True)])
    return [candidate.dag for candidate in candidates]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [1, 10])
def test_it_climbs_to_the_one_optimum(make_table, seed, count):
    space = NasBench201Space()
    goal = (3, 1, 4, 0, 2, 2)

    def value(dag):
        wrong = sum(t - 2 != g for t, g in zip(dag.node_types[1:-1], goal, strict=True))
        return -float(wrong)

    search = LocalSearch(_empty(make_table, space), seed, LocalConfig(draws=1))
    asked = []
    while space.of(goal) not in asked and len(asked) < 6 * 24:
        asked += _round(search, count, value)
    assert space.of(goal) in asked
    assert search.incumbent == space.of(goal)


def test_it_starts_from_the_best_of_some_draws(make_table):
    search = LocalSearch(_empty(make_table, EnasSpace(4)), 0, LocalConfig(draws=7))
    drawn = _round(search, 4, lambda dag: sum(dag.node_types))
    assert search.incumbent is None
    drawn += _round(search, 4, lambda dag: sum(dag.node_types))
    assert len(drawn) == 7
    assert sum(search.incumbent.node_types) == max(sum(dag.node_types) for dag in drawn)


def test_at_a_local_optimum_it_draws_again(make_table):
    space = EnasSpace(2)
    search = LocalSearch(_empty(make_table, space), 1, LocalConfig(draws=1))
    (start,) = _round(search, 1, lambda dag: 1.0)
    around = {dag.canonical_hash for dag in neighbours(space, start)}
    asked = [_round(search, 1, lambda dag: 0.0)[0].canonical_hash for _ in range(len(around))]
    assert set(asked) == around
    assert search.incumbent == start
    (again,) = _round(search, 1, lambda dag: 0.5)
    assert again.canonical_hash not in around
    assert search.incumbent == again


def test_of_equal_neighbours_none_is_better(make_table):
    search = LocalSearch(_empty(make_table, EnasSpace(4)), 0, LocalConfig(draws=1))
    (start,) = _round(search, 1, lambda dag: 1.0)
    _round(search, 5, lambda dag: 1.0)
    assert search.incumbent == start


def test_the_best_known_row_is_the_first_incumbent(make_table):
    table = make_table(30, EnasSpace(4))
    search = LocalSearch(Problem(table.space, table), 0)
    assert search.incumbent == table.dags[int(table.performance.argmax())]
    around = {dag.canonical_hash for dag in neighbours(table.space, search.incumbent)}
    assert {candidate.dag.canonical_hash for candidate in search.ask(6)} <= around


def test_it_climbs_from_the_draws_that_it_has_where_there_are_no_more(make_table):
    """Three can be drawn where ten are wanted."""
    space = NasBench201Space()
    rows = [space.of((3, 1, 4, 0, 2, k)) for k in range(3)]
    hashes = {dag.canonical_hash for dag in [*rows, *neighbours(space, rows[0])]}
    askable = Askable(lambda dag: dag.canonical_hash if dag.canonical_hash in hashes else None)
    problem = Problem(space, _empty(make_table, space).known, askable)
    search = LocalSearch(problem, 0, LocalConfig(draws=10))
    draws = iter(rows)
    search._proposals.sampled = lambda: (
        search._proposals.new(d) if (d := next(draws, None)) else None
    )
    assert _round(search, 3, lambda dag: -dag.node_types[6]) == rows
    assert len(_round(search, 5, lambda dag: -9.0)) == 5
    assert search.incumbent == rows[0]
