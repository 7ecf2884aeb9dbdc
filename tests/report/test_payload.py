import base64
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from ngae.dags import Dags
from ngae.report.files import Rows, RunFiles
from ngae.report.payload import front_of, names_of, packed, plane_of, shown_rows, table_payload
from ngae.spaces.enas import EnasSpace


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    space = EnasSpace(3)
    return Rows(
        mean=rng.standard_normal((50, 4)),
        performance=rng.random(50),
        complexity=rng.random((50, 2)),
        num_train=40,
        predicted_performance=rng.random(50),
        predicted_complexity=None,
        dags=Dags.of([space.sample(rng) for _ in range(50)], space),
        ascents=None,
    )


def _values(value):
    return np.frombuffer(base64.b64decode(value["f32"]), dtype="<f4")


def test_numbers_come_back():
    np.testing.assert_array_equal(_values(packed(np.array([1.5, -2.0, np.nan]))), [1.5, -2, np.nan])


def test_the_front_is_that_of_performance_and_one_complexity(rows):
    front = front_of(rows, 1)
    for row in range(50):
        beaten = (rows.performance >= rows.performance[row]) & (
            rows.complexity[:, 1] <= rows.complexity[row, 1]
        )
        assert (row in front) == (beaten.sum() == 1)
    assert (np.diff(rows.complexity[front, 1]) > 0).all()


def test_a_small_table_is_shown_whole_and_a_large_one_with_its_best(rows):
    assert shown_rows(rows, 50).tolist() == list(range(50))
    few = shown_rows(rows, 20)
    assert len(few) == 20
    assert (np.diff(few) > 0).all()
    assert few.tolist() == shown_rows(rows, 20).tolist()
    for column in range(2):
        assert set(front_of(rows, column)) <= set(few.tolist())
    assert int(rows.performance.argmax()) in few
    assert shown_rows(rows, 1).shape == (1,)
    unlabelled = dataclasses.replace(rows, performance=np.full(50, np.nan))
    assert len(shown_rows(unlabelled, 20)) == 20


def test_a_page_gets_places_targets_and_graphs_of_the_shown_rows(rows):
    plane = plane_of(rows)
    payload = table_payload(rows, plane, 20)
    shown = _values(payload["row"]).astype(int)
    np.testing.assert_allclose(_values(payload["x"]), plane.place(rows.mean[shown])[:, 0], 1e-5)
    np.testing.assert_array_equal(
        _values(payload["performance"]), rows.performance[shown].astype(np.float32)
    )
    assert len(payload["graphs"]) == 20
    assert payload["total"] == 50
    assert payload["train"] == (shown < 40).sum()
    assert payload["predicted_complexity"] is None
    assert shown[payload["fronts"][0]].tolist() == front_of(rows, 0).tolist()


def test_a_negated_performance_is_said_to_be_once(rows):
    config = {"data": {"lower_is_better": True}}
    data = {"performance": "-err", "complexity": ["params"], "space": "enas3"}
    names = names_of(RunFiles(Path(), config, {}, data, {}, (), ("input", "a"), rows, ()))
    assert names == {
        "performance": "-err",
        "complexity": ["params"],
        "types": ["input", "a"],
        "space": "enas3",
    }
