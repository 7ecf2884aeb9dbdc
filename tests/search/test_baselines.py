"""What holds of every strategy but `gradient`."""

from functools import cache

import numpy as np
import pytest

from ngae.errors import UsageError
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.oracles import Table
from ngae.oracles.asking import askable
from ngae.oracles.base import Answer
from ngae.search import nao
from ngae.search.base import Trial
from ngae.search.config import STRATEGY_CONFIGS, AscentConfig, NAOConfig, SearchConfig
from ngae.search.limits import Limit
from ngae.search.problem import Objective, Problem
from ngae.search.registry import NEED_A_MODEL, strategy_named
from ngae.search.run import run_search
from ngae.spaces import space_named
from ngae.spaces.enas import EnasSpace
from tests.search.spaces import SPACES, Judge, nothing

NAMES = [name for name in STRATEGY_CONFIGS if name not in ("gradient", "bo")]
FITTED = ("gp", "ascent", "nao")  # they learn anew for each batch, most of their time
SMALL = {
    "ascent": AscentConfig(num_starts=8, steps=4),
    "nao": NAOConfig(width=8, epochs=1, initial=8),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Let `nao` learn from few architectures without labels."""
    monkeypatch.setattr(nao, "_SAMPLED", 128)


@cache
def model_of(space):
    config = ModelConfig(
        hidden_dim=16, latent_dim=6, performance_predictor=False, complexity_predictor=False
    )
    return NGAEModel(space, config, None, TargetScaler.fit(np.zeros((2, 2))), seed=0)


def searched(name, problem, oracle, budget, seed=1):
    batch = 17 if name in FITTED else 7
    config = SearchConfig(strategy=name, budget=budget, batch=batch, seed=seed)
    model = model_of(problem.space) if name in NEED_A_MODEL else None
    strategy = strategy_named(config, problem, SMALL.get(name), model)
    return run_search(strategy, oracle, problem, config).trials


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_proposals_are_distinct_members_and_follow_the_seed(name, space):
    problem = Problem(space, nothing(space), objective=Objective(("edges",)))
    runs = [searched(name, problem, Judge(space), 70) for _ in range(2)]
    dags = [trial.dag for trial in runs[0]]
    assert dags == [trial.dag for trial in runs[1]]
    assert len(dags) == len({dag.canonical_hash for dag in dags}) == 70
    assert all(space.is_valid(dag) for dag in dags)
    other = [trial.dag for trial in searched(name, problem, Judge(space), 14, seed=2)]
    assert other != dags[:14]


@pytest.mark.parametrize("name", NAMES)
def test_limits_are_kept_and_known_rows_are_not_asked(name, make_table):
    space = EnasSpace(4)
    table = make_table(60, space)
    most = float(np.quantile(table.complexity[:, 0], 0.4))
    limits = (Limit("params", most),)
    problem = Problem(space, table, objective=Objective((), limits))
    dags = [trial.dag for trial in searched(name, problem, Judge(space), 40)]
    assert len(dags) == 40
    assert space.complexity(dags)[:, 0].max() <= most
    assert not {dag.canonical_hash for dag in dags} & set(table.hashes)


@pytest.mark.parametrize("name", NAMES)
def test_a_small_space_runs_out(name):
    space = EnasSpace(2)
    problem = Problem(space, nothing(space))
    dags = [trial.dag for trial in searched(name, problem, Judge(space), 200)]
    assert len(dags) == len({dag.canonical_hash for dag in dags}) == 36 * 2


@pytest.mark.parametrize("name", NAMES)
def test_only_rows_of_a_table_are_asked_until_none_is_left(name, make_table):
    space = space_named("nas-bench-101")
    table = make_table(120, space)
    known = table.subset(np.arange(20))
    oracle = Table(table)
    problem = Problem(space, known, askable(oracle, known), Objective(("params",)))
    trials = searched(name, problem, oracle, 500)
    assert {trial.dag.canonical_hash for trial in trials} == set(table.hashes[20:])
    assert len(trials) == 100


@pytest.mark.parametrize("name", NAMES)
def test_failures_and_useless_answers_stop_nothing(name):
    space = EnasSpace(3)
    limits = (Limit("edges", 5.0),)
    problem = Problem(space, nothing(space), objective=Objective(("edges",), limits))
    oracle = Judge(space, lambda dag: dag.node_types[1] != 2)
    trials = searched(name, problem, oracle, 90)
    assert len(trials) == 90
    assert any(trial.answer.ok for trial in trials)
    everything_fails = searched(name, problem, Judge(space, lambda dag: True), 40)
    assert len(everything_fails) == 40


@pytest.mark.parametrize("name", ["evolution", "nsga2"])
def test_where_draws_give_nothing_new_members_still_have_children(name):
    space = EnasSpace(4)
    problem = Problem(space, nothing(space))
    strategy = strategy_named(SearchConfig(strategy=name), problem)
    asked = strategy.ask(5)
    strategy.tell([Trial(n, c, Judge(space).query(c.dag)) for n, c in enumerate(asked)])
    strategy._proposals.sampled = lambda: None
    assert len({c.dag.canonical_hash for c in [*asked, *strategy.ask(12)]}) == 17


@pytest.mark.parametrize("name", ["evolution", "local", "nsga2", "reinforce"])
def test_answers_guide(name):
    space = space_named("nas-bench-201")
    problem = Problem(space, nothing(space))
    late = [trial.answer.performance for trial in searched(name, problem, Judge(space), 300)[150:]]
    drawn = [trial.answer.performance for trial in searched("random", problem, Judge(space), 300)]
    assert np.mean(late) > np.mean(drawn) + 1.5


@pytest.mark.parametrize("name", sorted(NEED_A_MODEL))
def test_some_strategies_need_a_model(name):
    problem = Problem(EnasSpace(3), nothing(EnasSpace(3)))
    with pytest.raises(UsageError, match=f"--strategy {name}: expected a trained model, found"):
        strategy_named(SearchConfig(strategy=name), problem)


def test_an_answer_beyond_a_limit_has_the_lowest_score():
    objective = Objective((), (Limit("ms", 2.0),))
    answers = [Answer(0.5, {"ms": 2.0}, 0.0), Answer(0.9, {"ms": 2.1}, 0.0), Answer.failed("no")]
    assert [objective.score(answer) for answer in answers] == [0.5, -np.inf, -np.inf]
