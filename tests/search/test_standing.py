"""The figures of the progress line."""

import dataclasses

import numpy as np
import pytest

from ngae.oracles import Table as TableOracle
from ngae.oracles.base import Answer
from ngae.search import RandomSearch, SearchConfig, run_search
from ngae.search.base import Candidate, Trial
from ngae.search.limits import Limit
from ngae.search.problem import Objective, Problem
from ngae.search.result import Seconds
from ngae.search.run import problem_of
from ngae.search.standing import Standings
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(3)


def area(points):
    """Area that points (both up, above 0) dominate, by a fine grid of their own coordinates."""
    xs = sorted({0.0, *(x for x, _ in points)})
    heights = [max((y for px, y in points if px >= right), default=0.0) for right in xs[1:]]
    return sum((b - a) * h for a, b, h in zip(xs, xs[1:], heights, strict=False))


def test_regret_and_hypervolume_of_a_table(make_table):
    table = make_table(80, SPACE)
    known = table.subset(np.arange(10))
    oracle = TableOracle(table)
    problem = problem_of(known, oracle, SearchConfig())
    shown = []
    result = run_search(
        RandomSearch(problem), oracle, problem, SearchConfig(budget=12), on_trial=shown.append
    )
    left = table.subset(np.arange(10, 80))
    values = np.stack([left.performance, -left.complexity[:, 0]], axis=1)
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    whole = area([tuple(v) for v in (values - low) / span])
    for count, standing in enumerate(shown, 1):
        answers = [t.answer for t in result.trials[:count]]
        best = max(a.performance for a in answers)
        assert standing.regret == pytest.approx(left.performance.max() - best)
        found = [((a.performance, -a.complexity["params"]) - low) / span for a in answers]
        assert standing.hypervolume == pytest.approx(area([tuple(f) for f in found]) / whole)
        assert (standing.queries, standing.best.answer.performance) == (count, best)
    assert oracle.queries == 12
    seconds = shown[-1].seconds
    assert 0 < seconds.model <= result.seconds.model
    assert seconds.oracle == result.seconds.oracle > 0
    assert result.as_dict()["seconds"] == dataclasses.asdict(result.seconds)
    assert shown[-1].text.startswith(f"best {best:.6g}, regret ")


def test_repeated_rows_answer_with_their_mean(make_table):
    table = make_table(4, SPACE)
    twice = table.subset(np.array([0, 1, 1, 2, 3]))
    twice.performance[:] = [0.1, 0.9, 0.5, 0.6, np.nan]
    found = TableOracle(twice).distinct()
    np.testing.assert_allclose(found.performance, [0.1, 0.7, 0.6, np.nan])
    assert twice.performance[1] == 0.9


def test_where_nobody_knows_what_is_possible(make_table):
    table = make_table(2, SPACE)
    limits = (Limit("ms", 5.0),)
    problem = Problem(SPACE, table.subset(np.arange(0)), objective=Objective(("ms",), limits))

    class Judge:
        name = "judge"

    standings = Standings(problem, Judge())
    told = [(0.2, 4.0), (0.6, 9.0), (0.4, 2.0), (0.3, 3.0)]
    found = []
    for number, (performance, ms) in enumerate(told):
        answer = Answer(performance, {"ms": ms}, 0.0)
        trial = Trial(number, Candidate(table.dags[0], None, {}), answer)
        found.append(standings.after(trial, Seconds()))
    assert [s.regret for s in found] == [None] * 4
    # of one point there is no box; then the worst of both is 0, and what is best in both is 1
    assert [s.hypervolume for s in found] == [0.0, 0.0, 1.0, 1.0]
    assert [s.best.number for s in found] == [0, 0, 2, 2]


def test_one_objective_has_no_hypervolume(make_table):
    table = make_table(3, SPACE)
    problem = Problem(SPACE, table.subset(np.arange(0)))
    standings = Standings(problem, TableOracle(table))
    failed = Trial(0, Candidate(table.dags[0], None, {}), Answer.failed("no"))
    standing = standings.after(failed, Seconds(1.0, 2.0))
    assert (standing.regret, standing.hypervolume) == (None, None)
    fine = Trial(1, Candidate(table.dags[0], None, {}), Answer(0.5, {}, 0.0))
    assert standings.after(fine, Seconds(1.0, 2.0)).best is fine
