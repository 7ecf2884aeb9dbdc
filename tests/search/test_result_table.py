"""A search's result in a notebook: which trials stand in its table, and what stands in a row."""

import re
from xml.etree import ElementTree

import numpy as np

from ngae.oracles.base import Answer
from ngae.search.base import Candidate, Trial
from ngae.search.limits import Limit
from ngae.search.problem import Objective
from ngae.search.result import SearchResult
from ngae.spaces.enas import EnasSpace


def _result(performances, params, limit=None):
    rng = np.random.default_rng(0)
    trials = []
    for number, (performance, cost) in enumerate(zip(performances, params, strict=True)):
        failed = np.isnan(performance)
        answer = Answer(
            performance, {"params": cost}, 0.0, status="failed" if failed else "ok", error="no"
        )
        trials.append(Trial(number, Candidate(EnasSpace(3).sample(rng), 0.25, {}), answer))
    limits = () if limit is None else (Limit("params", limit),)
    return SearchResult(tuple(trials), Objective(("params",), limits))


def _rows(html):
    """Texts of the cells of each row, the drawing's aside."""
    root = ElementTree.fromstring(html.replace("&ensp;", " "))
    rows = root.findall("table/tbody/tr")
    return [[cell.text or "" for cell in row.findall("td")[1:]] for row in rows]


def test_the_best_come_first_and_the_front_is_marked():
    result = _result([0.5, 0.9, float("nan"), 0.7, 0.6], [10.5, 40_000.0, 1.0, 30.0, 35.0])
    html = result._repr_html_()
    assert _rows(html) == [
        ["1", "0.9", "0.25", "40,000", "yes"],
        ["3", "0.7", "0.25", "30", "yes"],
        ["4", "0.6", "0.25", "35", ""],
        ["0", "0.5", "0.25", "10.5", "yes"],
    ]
    assert "5 queries, 4 useful; best performance 0.9; 3 on the Pareto front" in html
    used = {label for t in result.useful for label in t.dag.node_labels} - {"input", "output"}
    assert html.count("<svg") == 4 + len(used)
    assert EnasSpace(3).format(result.best.dag) in html


def test_long_results_are_cut_but_for_the_front():
    performances = np.linspace(0.9, 0.1, 40)
    result = _result(performances.tolist(), [50.0] * 39 + [1.0])
    html = result._repr_html_()
    rows = _rows(html)
    assert [row[0] for row in rows] == [*map(str, range(20)), "39"]
    assert "40 queries, 40 useful" in html
    assert "21 are shown." in html


def test_what_is_of_no_use_is_left_out():
    html = _result([0.5, 0.9], [10.0, 40.0], limit=20.0)._repr_html_()
    assert [row[0] for row in _rows(html)] == ["0"]
    nothing = _result([0.5], [10.0], limit=2.0)._repr_html_()
    assert _rows(nothing) == []
    assert re.search("<p>1 queries, 0 useful.</p>", nothing)
