"""What a search starts from and may ask, where the table itself answers."""

import numpy as np
import pytest

from ngae.data import DataConfig
from ngae.data.records import Dataset
from ngae.oracles import Table
from ngae.oracles.ledger import Ledger, Recorded
from ngae.oracles.table import can_ask
from ngae.search.config import SearchConfig
from ngae.search.random import RandomSearch
from ngae.search.run import run_search, starting_rows
from ngae.spaces.enas import EnasSpace


@pytest.fixture
def data(make_table):
    return Dataset(make_table(90, EnasSpace(3)), np.arange(40), np.arange(40, 90), DataConfig(), ())


def test_rows_that_were_not_learned_from_may_be_asked(data):
    oracle = Table(data)
    known = starting_rows(data, oracle)
    assert known.hashes == data.train.hashes
    config = SearchConfig(budget=12, seed=1)
    strategy = RandomSearch(known, config, can_ask(oracle))
    result = run_search(strategy, oracle, known, config)
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
    inner = Table(data)
    assert not can_ask(Recorded(inner, Ledger(None)))(dag)
    assert can_ask(Recorded(inner, Ledger(None)))(data.table.dags[0])

    class Judge:
        name = "judge"

    assert can_ask(Judge())(dag)
    assert len(starting_rows(data, Judge())) == 90
