"""What a search starts from and may ask, where the table itself answers."""

import numpy as np
import pytest

from ngae.dags import Dags
from ngae.data import DataConfig
from ngae.data import Table as Rows
from ngae.data.records import Dataset
from ngae.oracles import Table
from ngae.oracles.asking import askable
from ngae.oracles.ledger import Ledger, Recorded
from ngae.search.config import SearchConfig
from ngae.search.random import RandomSearch
from ngae.search.run import problem_of, run_search, starting_rows
from ngae.spaces import EnasSpace, space_named


@pytest.fixture
def data(make_table):
    return Dataset(make_table(90, EnasSpace(3)), np.arange(40), np.arange(40, 90), DataConfig(), ())


def test_rows_that_were_not_learned_from_may_be_asked(data):
    oracle = Table(data)
    config = SearchConfig(budget=12, seed=1)
    problem = problem_of(starting_rows(data, oracle), oracle, config)
    assert problem.known.hashes == data.train.hashes
    result = run_search(RandomSearch(problem, seed=1), oracle, problem, config)
    asked = {trial.dag.canonical_hash for trial in result.trials}
    assert len(asked) == 12
    assert asked <= set(data.test.hashes)


def test_rows_without_a_performance_are_nothing_to_start_from(data):
    data.table.performance[::2] = np.nan
    table = starting_rows(data, Table(data))
    assert len(table) == 20
    assert np.isfinite(table.performance).all()


def test_an_oracle_that_evaluates_can_be_asked_anything(data):
    dag = EnasSpace(4).sample(np.random.default_rng(0))
    inner = Recorded(Table(data), Ledger(None))
    assert askable(inner, data.train).key(dag) is None
    assert askable(inner, data.train).key(data.train.dags[0]) is None
    assert askable(inner, data.train).key(data.test.dags[0]) == data.test.hashes[0]

    class Judge:
        name = "judge"

    assert askable(Judge(), data.table).key(dag) == dag.canonical_hash
    assert len(starting_rows(data, Judge())) == 90


def test_equals_of_known_rows_and_of_each_other_are_not_asked():
    """In NAS-Bench-Graph a skip that only hands on has an equal without it."""
    space = space_named("nas-bench-graph")
    rng = np.random.default_rng(0)
    classes = {}
    for _ in range(4000):
        dag = space.canonical(space.sample(rng))
        classes.setdefault(dag.canonical_hash, dag)
    dags = Dags.of(classes.values(), space)
    rows = len(dags)
    table = Rows(
        "made", space, dags, np.arange(rows) / rows, space.complexity(dags), "accuracy",
        space.complexity_names, np.zeros(rows, dtype=np.int64), "made",
    )  # fmt: skip
    data = Dataset(table, np.arange(rows // 2), np.arange(rows // 2, rows), DataConfig(), ())
    oracle = Table(data)
    problem = problem_of(starting_rows(data, oracle), oracle, SearchConfig())
    strategy = RandomSearch(problem, seed=1)
    keys = [oracle.key_of(candidate.dag) for candidate in strategy.ask(60)]
    assert len(keys) == len(set(keys)) == 60
    assert set(keys) <= set(data.test.hashes)
