import json

import pytest

from ngae.report.published import METHODS, is_enas6, rows_of
from ngae.report.tables import measures

METRICS = {
    "reconstruction": {"mean": 0.99999, "sampled": 0.98},
    "prior": {"validity": 1.0, "uniqueness": 0.5, "novelty": None},
    "published_protocol": {"validity": 1.0, "uniqueness": 0.6486, "novelty": 0.25},
    "performance": {"rmse": 0.1, "rmse_normalised": 0.23966, "pearson_r": 0.97, "kendall_tau": 0.8},
    "complexity": {"params": {"rmse_normalised": 0.05, "pearson_r": 1.0, "kendall_tau": 0.9}},
}


def test_measures_are_those_of_the_run_in_their_units():
    rows = {row.title: row for row in rows_of(METRICS)}
    assert rows["reconstruction, z sampled"].text(0.98) == "98.00 %"
    assert rows["published protocol: uniqueness"].value == 0.6486
    assert rows["performance: RMSE / std of training rows"].text(0.23966) == "0.2397"
    assert rows["performance: RMSE / std of training rows"].better == "down"
    assert rows["params: Kendall tau"].value == 0.9
    assert "prior: novelty" not in rows
    assert rows_of({}) == []
    assert [row.title for row in rows_of({"performance": None, "complexity": None})] == []


def test_published_values_stand_beside_the_measure_they_are_of():
    ngae, dvae, pace = (method.values for method in METHODS)
    keys = {row.title: row.key for row in rows_of(METRICS)}
    assert ngae[keys["reconstruction, z = mean"]] == 0.9999
    assert ngae[keys["published protocol: uniqueness"]] == 0.3856
    assert dvae[keys["performance: RMSE / std of training rows"]] == 0.375
    assert pace[keys["performance: Pearson r"]] == 0.9678
    for title in ("prior: uniqueness", "params: Pearson r", "reconstruction, z sampled"):
        assert keys[title] == ""


@pytest.mark.parametrize(
    ("name", "same"), [("enas6", True), ("final_structures6.txt", True), ("digits6", False)]
)
def test_a_comparison_is_made_where_the_table_is_the_same(name, same):
    data = json.loads(json.dumps({"name": name}))
    assert is_enas6(data) is same
    shown = measures(METRICS, data)
    assert ("no comparison with digits6" in shown) is not same
    assert ("of ENAS-6, as this run" in shown) is same
    assert "38.56 %" in shown
    assert "Table 1" in shown
