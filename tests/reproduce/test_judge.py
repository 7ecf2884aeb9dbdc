"""The regressor that answers where shared weights cannot."""

import numpy as np
import pytest

from ngae.data import DataConfig, Dataset
from ngae.errors import GraphError
from ngae.reproduce.judge import Judge, quality
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)


def test_it_knows_its_rows_and_exact_complexities(make_table):
    table = make_table(150, SPACE)
    judge = Judge(table)
    answers = [judge.query(dag) for dag in table.dags[:20]]
    found = np.array([answer.performance for answer in answers])
    assert np.abs(found - table.performance[:20]).mean() < 0.2 * table.performance.std()
    assert found == pytest.approx(judge.predict(table.dags[:20]))
    exact = table.complexity[0].tolist()
    assert answers[0].complexity == dict(zip(table.complexity_names, exact, strict=True))
    assert judge.queries == 20


def test_equal_tables_make_equal_judges(make_table):
    table, other = make_table(60, SPACE), make_table(60, SPACE, seed=1)
    first, second = Judge(table), Judge(table)
    assert first.identity == second.identity != Judge(other).identity
    assert (first.predict(other.dags) == second.predict(other.dags)).all()


def test_another_space_is_refused(make_table):
    judge = Judge(make_table(60, SPACE))
    dag = EnasSpace(4).sample(np.random.default_rng(0))
    with pytest.raises(GraphError):
        judge.query(dag)


def test_its_quality_is_that_on_rows_it_did_not_see(make_table):
    table = make_table(400, SPACE)
    rows = np.arange(400)
    data = Dataset(table, rows[:300], rows[300:], DataConfig(), ())
    found = quality(data)
    predicted = Judge(data.train).predict(data.test.dags)
    error = np.sqrt(np.mean((predicted - data.test.performance) ** 2))
    assert found["rmse"] == pytest.approx(error)
    assert found["rmse_normalised"] == pytest.approx(error / data.train.performance.std())
    assert found["pearson_r"] > 0.9
