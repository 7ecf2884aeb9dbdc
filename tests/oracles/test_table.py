import dataclasses

import numpy as np
import pytest

from ngae.dag import Dag
from ngae.data.config import DataConfig
from ngae.data.records import Dataset
from ngae.oracles import Table
from ngae.oracles.base import BudgetExhaustedError, UnknownArchitectureError
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)


@pytest.fixture
def table(make_table):
    return make_table(20, SPACE)


def test_answers_are_the_rows(table):
    oracle = Table(table)
    for row, dag in enumerate(table.dags):
        answer = oracle.query(dag)
        assert answer.performance == table.performance[row]
        assert list(answer.complexity.values()) == table.complexity[row].tolist()
        assert (answer.cost_s, answer.detail) == (0.0, {"rows": 1.0})
    assert oracle.queries == 20
    assert list(answer.complexity) == ["params", "macs"]
    assert (oracle.name, oracle.space) == ("table", SPACE)


def test_a_data_set_answers_with_all_its_rows(table):
    rows = np.arange(20)
    data = Dataset(table, rows[:15], rows[15:], DataConfig(), ())
    assert Table(data).query(table.dags[17]).performance == table.performance[17]


def test_the_order_of_the_nodes_does_not_matter(make_table):
    # Two nodes that neither feeds the other, in both orders; such graphs lie outside of ENAS.
    one = Dag((0, 2, 3, 1), ((0, 1), (0, 2), (1, 3), (2, 3)))
    other = Dag((0, 3, 2, 1), ((0, 1), (0, 2), (1, 3), (2, 3)))
    table = make_table(2, SPACE)
    table = dataclasses.replace(table, dags=(one, table.dags[1]))
    assert Table(table).query(other).performance == table.performance[0]


def test_rows_with_the_same_architecture_are_averaged(table):
    double = dataclasses.replace(table, dags=(table.dags[0], *table.dags[:-1]))
    answer = Table(double).query(table.dags[0])
    assert answer.performance == pytest.approx((table.performance[0] + table.performance[1]) / 2)
    assert answer.complexity["params"] == table.complexity[:2, 0].mean()
    assert answer.detail == {"rows": 2.0}


def test_an_unknown_architecture_is_named_and_costs_nothing(table):
    oracle = Table(table, budget=1)
    rng = np.random.default_rng(5)
    unknown = next(d for d in (SPACE.sample(rng) for _ in range(100)) if d not in oracle)
    with pytest.raises(UnknownArchitectureError, match="expected one of the 20") as caught:
        oracle.query(unknown)
    assert SPACE.format(unknown) in str(caught.value)
    with pytest.raises(UnknownArchitectureError, match="a graph outside of enas3"):
        oracle.query(Dag((0, 1), ((0, 1),)))
    assert oracle.queries == 0
    oracle.query(table.dags[0])
    with pytest.raises(BudgetExhaustedError):
        oracle.query(table.dags[1])
    assert oracle.queries == 1
