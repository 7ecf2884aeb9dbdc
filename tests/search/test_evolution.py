import numpy as np
import pytest

from ngae.oracles.base import Answer
from ngae.search.base import Candidate, Trial
from ngae.search.config import EvolutionConfig
from ngae.search.evolution import EvolutionSearch
from ngae.search.limits import Limit
from ngae.search.neighbours import neighbours
from ngae.search.problem import Objective, Problem
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(4)


@pytest.fixture
def problem(make_table):
    table = make_table(30, SPACE)
    return Problem(SPACE, table.subset(np.zeros(0, dtype=np.int64)))


def _tell(search, candidates, performances):
    answers = [Answer(performance, {}, 0.0) for performance in performances]
    search.tell([Trial(0, c, a) for c, a in zip(candidates, answers, strict=True)])
    return [candidate.dag for candidate in candidates]


def test_the_oldest_leaves_however_good(problem):
    search = EvolutionSearch(problem, 0, EvolutionConfig(population=4, tournament=2))
    first = _tell(search, search.ask(4), [9.0, 1.0, 2.0, 3.0])
    assert search.population == tuple(first)
    second = _tell(search, search.ask(3), [0.1, 0.2, 0.3])
    assert search.population == (first[3], *second)


def test_children_are_mutants_of_the_best_of_a_tournament(problem):
    search = EvolutionSearch(problem, 0, EvolutionConfig(population=5, tournament=5))
    first = _tell(search, search.ask(5), [1.0, 2.0, 9.0, 3.0, 4.0])
    around = {dag.canonical_hash for dag in neighbours(SPACE, first[2])}
    children = [candidate.dag.canonical_hash for candidate in search.ask(10)]
    assert len(set(children)) == 10
    assert set(children) <= around


def test_a_small_tournament_lets_others_be_parents(problem):
    search = EvolutionSearch(problem, 0, EvolutionConfig(population=5, tournament=1))
    first = _tell(search, search.ask(5), [1.0, 2.0, 9.0, 3.0, 4.0])
    around = {dag.canonical_hash for dag in neighbours(SPACE, first[2])}
    assert {candidate.dag.canonical_hash for candidate in search.ask(10)} - around


def test_known_rows_are_the_first_population(make_table):
    table = make_table(30, SPACE)
    search = EvolutionSearch(Problem(SPACE, table), 0, EvolutionConfig(population=10))
    order = np.argsort(table.performance, kind="stable")
    assert search.population == tuple(table.dags[int(row)] for row in order[-10:])
    around = {d.canonical_hash for dag in search.population for d in neighbours(SPACE, dag)}
    assert {candidate.dag.canonical_hash for candidate in search.ask(5)} <= around


def test_known_rows_beyond_a_limit_are_no_parents(make_table):
    table = make_table(30, SPACE)
    most = float(np.median(table.complexity[:, 1]))
    problem = Problem(SPACE, table, objective=Objective((), (Limit("macs", most),)))
    search = EvolutionSearch(problem, 0, EvolutionConfig(population=30))
    inside = table.complexity[:, 1] <= most
    assert len(search.population) == inside.sum()
    assert SPACE.complexity(search.population)[:, 1].max() <= most


def test_what_is_beyond_a_limit_wins_no_tournament(problem):
    limited = Problem(SPACE, problem.known, objective=Objective((), (Limit("ms", 1.0),)))
    search = EvolutionSearch(limited, 0, EvolutionConfig(population=2, tournament=2))
    dags = [candidate.dag for candidate in search.ask(2)]
    told = [Answer(9.0, {"ms": 2.0}, 0.0), Answer(0.1, {"ms": 0.5}, 0.0)]
    search.tell([Trial(0, Candidate(d, None, {}), a) for d, a in zip(dags, told, strict=True)])
    around = {dag.canonical_hash for dag in neighbours(SPACE, dags[1])}
    assert {candidate.dag.canonical_hash for candidate in search.ask(8)} <= around
