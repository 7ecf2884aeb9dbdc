import numpy as np
import pytest

from ngae.errors import UsageError
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.oracles.base import Answer
from ngae.search.base import Candidate, Trial
from ngae.search.config import GradientConfig
from ngae.search.gradient import GradientSearch
from ngae.search.limits import Limit
from ngae.search.problem import Objective, Problem
from ngae.search.random import RandomSearch
from ngae.search.result import SearchResult
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("params <= 0.5e6", (Limit("params", 5e5),)),
        ("params<=5, pixel3_ms <= .5", (Limit("params", 5.0), Limit("pixel3_ms", 0.5))),
    ],
)
def test_limits_are_read(text, expected):
    assert Limit.parse_all(text) == expected


@pytest.mark.parametrize("text", ["params", "params < 5", "<= 5", "a <= nan", "a <= 1,", "1 <= a"])
def test_other_texts_are_refused(text):
    with pytest.raises(UsageError, match="--constraint: expected NAME <= NUMBER, found"):
        Limit.parse_all(text)


def test_what_is_beyond_a_limit_is_never_asked(make_table):
    costs = SPACE.complexity([SPACE.sample(np.random.default_rng(k)) for k in range(200)])[:, 0]
    most = float(np.quantile(costs, 0.3))
    limits = (Limit("params", most), Limit("ms", 5.0))
    problem = Problem(SPACE, make_table(5, SPACE), objective=Objective((), limits))
    drawn = RandomSearch(problem, seed=3).ask(40)
    assert len(drawn) == 40
    assert SPACE.complexity([c.dag for c in drawn])[:, 0].max() <= most
    assert all(problem.key(dag) is None for dag in problem.known.dags)


def test_the_best_keeps_the_limits():
    rng = np.random.default_rng(0)
    told = [(0.9, 8.0), (0.7, 3.0), (0.8, 4.0), (0.6, 1.0), (0.5, 2.0)]
    trials = tuple(
        Trial(number, Candidate(SPACE.sample(rng), None, {}), Answer(performance, {"ms": ms}, 0.0))
        for number, (performance, ms) in enumerate(told)
    )
    result = SearchResult(trials, Objective(("ms",), (Limit("ms", 5.0),)))
    assert result.best is trials[2]
    assert result.pareto == (trials[3], trials[1], trials[2])
    assert result.as_dict()["beyond_limits"] == 1
    beyond = SearchResult(trials, Objective((), (Limit("joule", 5.0),)))
    assert beyond.useful == beyond.pareto == ()
    assert beyond.as_dict()["best"] is None


def test_ascents_keep_limits_too(make_table):
    table = make_table(40, EnasSpace(3))
    sizes = ModelConfig(hidden_dim=8, latent_dim=4, predictor_dim=16)
    scales = TargetScaler.fit(table.performance[:, None]), TargetScaler.fit(table.complexity)
    model = NGAEModel(table.space, sizes, *scales, seed=0)
    limit = Limit("params", float(np.quantile(table.complexity[:, 0], 0.4)))
    problem = Problem(table.space, table, objective=Objective((), (limit,)))
    config = GradientConfig(num_starts=32, steps=5)
    found = GradientSearch(model, problem, config=config).ask(5)
    assert found
    assert table.space.complexity([c.dag for c in found])[:, 0].max() <= limit.most
