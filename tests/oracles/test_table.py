import dataclasses

import numpy as np
import pytest

from ngae.dag import Dag
from ngae.data.config import DataConfig
from ngae.data.records import Dataset
from ngae.data.records import Table as Records
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


def test_reported_columns_are_told_and_do_not_guide(table):
    test = np.arange(20) / 40
    test[3] = np.nan
    table = dataclasses.replace(table, reported={"test_accuracy": test})
    oracle = Table(table)
    answer = oracle.query(table.dags[2])
    assert answer.detail == {"rows": 1.0, "test_accuracy": 0.05}
    assert answer.performance == table.performance[2]
    assert np.isnan(oracle.query(table.dags[3]).detail["test_accuracy"])


def test_one_table_a_choice_of_columns(tmp_path):
    from ngae.data import load

    dags = [SPACE.parse(text) for text in ("[[0], [1, 1], [2, 0, 1]]", "[[5], [4, 1], [3, 1, 1]]")]
    rows = [
        f'"{SPACE.format(dag)}",0.{k}1,0.{k}2,0.{k}3,{k}.5,{k}.25' for k, dag in enumerate(dags)
    ]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["arch,c10_valid,c10_test,c100_valid,ms_phone,mj_phone", *rows, ""]))
    known = {"complexity_col": "ms_phone,mj_phone", "report_col": "c10_test"}
    first = Table(load(str(path), performance_col="c10_valid", **known))
    other = Table(load(str(path), performance_col="c100_valid", complexity_col="ms_phone"))
    answer = first.query(dags[1])
    assert answer.performance == 0.11
    assert answer.complexity == {"ms_phone": 1.5, "mj_phone": 1.25}
    assert answer.detail == {"rows": 1.0, "c10_test": 0.12}
    answer = other.query(dags[1])
    assert (answer.performance, answer.complexity) == (0.13, {"ms_phone": 1.5})
    assert first.identity != other.identity


def test_rows_without_a_performance_fail(table):
    performance = table.performance.copy()
    performance[4] = np.nan
    answer = Table(dataclasses.replace(table, performance=performance)).query(table.dags[4])
    assert (answer.status, answer.ok) == ("failed", False)
    assert answer.error == "made: expected a value of accuracy, found none in its rows"
    assert list(answer.complexity.values()) == table.complexity[4].tolist()
    assert np.isnan(answer.performance)


def test_the_representative_answers_where_the_architecture_is_not_listed():
    from ngae.spaces.nasbench201 import NasBench201Space

    space = NasBench201Space()
    text = "|{}~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_1x1~2|"
    listed = space.canonical(space.parse(text.format("skip_connect")))
    equal = next(
        dag for dag in space.all().take(np.arange(0, 15625)) if dag != listed
        and space.canonical(dag) == listed
    )  # fmt: skip
    records = Records(
        "t", space, (listed,), np.array([0.9]), np.ones((1, 1)), "accuracy", ("ms",),
        np.ones(1, dtype=np.int64), "t.csv",
    )  # fmt: skip
    oracle = Table(records)
    assert equal in oracle
    assert oracle.query(equal).performance == 0.9
    with pytest.raises(UnknownArchitectureError):
        oracle.query(space.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"))
