"""Expected improvement on hand-made features, and the enumeration of small spaces."""

import numpy as np
import pytest

from ngae.data import Table as Rows
from ngae.oracles import Table
from ngae.oracles.asking import askable
from ngae.oracles.base import Answer
from ngae.search import improvement, plain_gp
from ngae.search.config import GPConfig, SearchConfig
from ngae.search.enumeration import members
from ngae.search.limits import Limit
from ngae.search.plain_gp import GPSearch
from ngae.search.problem import Objective, Problem
from ngae.search.run import run_search
from ngae.spaces import space_named
from ngae.spaces.enas import EnasSpace
from tests.search.spaces import Judge, Row, nothing

SPACE = EnasSpace(3)


class Trading:
    """Edges are good and cost."""

    name = identity = "trading"
    space = SPACE

    def query(self, dag):
        edges = len(dag.edges)
        return Answer(edges + sum(dag.node_types) / 10, {"edges": float(edges)}, 0.0)


def found_by(problem, oracle, budget, **settings):
    strategy = GPSearch(problem, 1, GPConfig(**{"initial": 8, **settings}))
    return run_search(strategy, oracle, problem, SearchConfig(budget=budget, batch=4))


@pytest.mark.parametrize(("space", "count"), [(SPACE, 6**3 * 2**3), (EnasSpace(2), 6**2 * 2)])
def test_all_members_of_a_space_are_made_once(space, count):
    assert len(members(space, 5000)) == count


def test_members_are_those_that_are_drawn():
    space = Row()
    rng = np.random.default_rng(0)
    found = members(space, 50_000)
    assert {space.sample(rng).canonical_hash for _ in range(3000)} <= set(found)
    assert all(space.is_valid(dag) for dag in found.values())
    assert [dag.canonical_hash for dag in found.values()] == list(found)


def test_members_of_nas_bench_201_are_all_its_cells():
    space = space_named("nas-bench-201")
    assert set(members(space, 50_000)) == set(space.all().hashes())


def test_a_large_space_is_not_made():
    assert members(space_named("nas-bench-101"), 1000) is None


def test_the_best_of_a_whole_small_space_is_found():
    best = found_by(Problem(SPACE, nothing(SPACE)), Judge(SPACE), 28).best
    most = max(sum(dag.node_types) for dag in members(SPACE, 5000).values())
    assert best.answer.performance == most


def test_in_a_large_space_draws_and_mutants_of_the_best_are_candidates():
    space = EnasSpace(6)
    trials = found_by(Problem(space, nothing(space)), Judge(space), 40).trials
    values = [trial.answer.performance for trial in trials]
    assert np.quantile(values[20:], 0.1) > max(values[:8])  # one may look elsewhere


def test_of_too_many_rows_some_are_looked_at(make_table, monkeypatch):
    monkeypatch.setattr(improvement, "WHOLE", 50)
    monkeypatch.setattr(plain_gp, "_DRAWN", 20)
    table = make_table(80, SPACE)
    oracle, known = Table(table), table.subset(np.arange(4))
    trials = found_by(Problem(SPACE, known, askable(oracle, known)), oracle, 200).trials
    assert sorted(trial.dag.canonical_hash for trial in trials) == sorted(table.hashes[4:])


def test_known_rows_are_labels(make_table):
    table = make_table(30, SPACE)
    (first,) = GPSearch(Problem(SPACE, table), 0).ask(1)
    performance = len(first.dag.edges) / 30 + sum(first.dag.node_types) / 100
    assert performance > np.quantile(table.performance, 0.9)


def test_a_limit_that_only_answers_tell_is_learned():
    objective = Objective((), (Limit("edges", 5.0),))
    result = found_by(Problem(SPACE, nothing(SPACE), objective=objective), Trading(), 40)
    kept = [trial.answer.complexity["edges"] <= 5 for trial in result.trials]
    assert np.mean(kept[20:]) > np.mean(kept[:8])
    assert result.best.answer.complexity["edges"] <= 5


def test_a_front_has_more_than_its_ends():
    problem = Problem(SPACE, nothing(SPACE), objective=Objective(("edges",)))
    result = found_by(problem, Trading(), 40, aim="front")
    costs = [trial.answer.complexity["edges"] for trial in result.pareto]
    assert len(costs) >= 3
    assert costs == sorted(costs)


def test_a_table_without_known_rows_is_asked(make_table):
    table = make_table(60, SPACE)
    known: Rows = table.subset(np.zeros(0, dtype=np.int64))
    oracle = Table(table)
    result = found_by(Problem(SPACE, known, askable(oracle, known)), oracle, 24)
    assert result.best.answer.performance == table.performance.max()
