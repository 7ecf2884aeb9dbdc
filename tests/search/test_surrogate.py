"""Search from nothing known, by the surrogate."""

import numpy as np
import pytest

from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.oracles import Table
from ngae.oracles.asking import askable
from ngae.oracles.base import Answer
from ngae.search import labels
from ngae.search.base import Trial
from ngae.search.believed import Computed, Fitted
from ngae.search.config import GradientConfig, SearchConfig
from ngae.search.hypervolume import hypervolume
from ngae.search.judging import ranks_of, upper_half
from ngae.search.limits import Limit
from ngae.search.problem import Objective, Problem
from ngae.search.proposals import Proposals, taken
from ngae.search.registry import strategy_named
from ngae.search.run import run_search
from ngae.search.surrogate import SurrogateSearch
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(4)
FEW = {"num_starts": 16, "steps": 5, "initial": 6}


class Judge:
    """Likes separable convolutions and skips; tells a cost that no space computes."""

    name = identity = "judge"
    space = SPACE

    def query(self, dag):
        good = sum(t in (3, 5) for t in dag.node_types) + len(dag.edges) / 10
        return Answer(good, {"ms": float(len(dag.edges))}, 0.0)


@pytest.fixture
def nothing(make_table):
    return make_table(0, SPACE)


@pytest.fixture(scope="module")
def model():
    return model_of(SPACE)


def model_of(space):
    config = ModelConfig(
        hidden_dim=16, latent_dim=6, performance_predictor=False, complexity_predictor=False
    )
    return NGAEModel(space, config, None, TargetScaler.fit(np.zeros((2, 2))), seed=0)


def searched(model, problem, budget, seed=0, **settings):
    strategy = SurrogateSearch(model, problem, seed, GradientConfig(**{**FEW, **settings}))
    config = SearchConfig(budget=budget, batch=4)
    return run_search(strategy, Judge(), problem, config)


def test_more_is_found_than_at_random(model, nothing):
    problem = Problem(SPACE, nothing)
    found = [searched(model, problem, 30, seed) for seed in range(3)]
    rng = np.random.default_rng(0)
    drawn = [
        max(Judge().query(SPACE.sample(rng)).performance for _ in range(30)) for _ in range(30)
    ]
    assert np.mean([result.best.answer.performance for result in found]) > np.quantile(drawn, 0.9)
    for result in found:
        assert len({trial.dag.canonical_hash for trial in result.trials}) == 30


def test_a_search_begins_with_costly_draws_where_cost_may_be_spent(model, nothing):
    costs = {}
    for aim, limit in (("best", None), ("front", None), ("best", Limit("ms", 5))):
        limits = () if limit is None else (limit,)
        problem = Problem(SPACE, nothing, objective=Objective(limits=limits))
        strategy = SurrogateSearch(model, problem, 0, GradientConfig(initial=24, aim=aim))
        asked = [c.dag for _ in range(6) for c in strategy.ask(4)]
        assert len({dag.canonical_hash for dag in asked}) == 24
        costs[aim, limit] = np.median(SPACE.complexity(asked)[:, 0])
    rng = np.random.default_rng(0)
    drawn = SPACE.complexity([SPACE.sample(rng) for _ in range(200)])[:, 0]
    assert costs.pop(("best", None)) > np.quantile(drawn, 0.65)
    for cost in costs.values():  # told by answers alone, or weighed: uniform draws
        assert np.quantile(drawn, 0.3) < cost < np.quantile(drawn, 0.7)


def test_the_seed_decides(model, nothing):
    problem = Problem(SPACE, nothing)
    first, again, other = (searched(model, problem, 14, seed) for seed in (1, 1, 2))
    hashes = [[t.dag.canonical_hash for t in result.trials] for result in (first, again, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_limits_on_what_is_computed_are_kept_and_on_what_is_told_are_learned(model, nothing):
    most = float(
        np.quantile(
            SPACE.complexity([SPACE.sample(np.random.default_rng(k)) for k in range(99)])[:, 0], 0.5
        )
    )
    limits = (Limit("params", most), Limit("ms", 7.0))
    result = searched(model, Problem(SPACE, nothing, objective=Objective((), limits)), 34)
    assert SPACE.complexity([t.dag for t in result.trials])[:, 0].max() <= most
    kept = [trial.answer.complexity["ms"] <= 7.0 for trial in result.trials]
    assert np.mean(kept[14:]) > np.mean(kept[:6])
    assert result.best.answer.complexity["ms"] <= 7.0


def test_a_front_has_nearly_all_that_is_possible(model, nothing):
    problem = Problem(SPACE, nothing, objective=Objective(("ms",)))
    reference = (0.0, -12.0)
    possible = hypervolume(np.array([[4 + n / 10, -n] for n in range(5, 12)]), reference)
    shares, lengths = [], []
    for seed in range(3):
        result = searched(model, problem, 34, seed, aim="front")
        front = [(t.answer.performance, t.answer.complexity["ms"]) for t in result.pareto]
        assert front == sorted(front)
        shares.append(hypervolume(np.array(front) * [1, -1], reference) / possible)
        lengths.append(len(front))
    assert np.mean(shares) > 0.97
    assert np.mean(lengths) >= 3


@pytest.mark.parametrize(("unit", "kind"), [(1.0, Computed), (1e-3, Fitted)])
def test_a_cost_is_computed_where_answers_tell_what_the_space_computes(model, nothing, unit, kind):
    problem = Problem(SPACE, nothing, objective=Objective(("params",)))
    strategy = SurrogateSearch(model, problem, 0, GradientConfig(**FEW, aim="front"))
    trials = []
    for number, candidate in enumerate(strategy.ask(6)):
        params = float(SPACE.complexity([candidate.dag])[0, 0]) * unit
        answer = Answer(0.5 + number / 100, {"params": params}, 0.0)
        trials.append(Trial(number, candidate, answer))
    strategy.tell(trials)
    teller = strategy._fit().tellers[1]
    assert isinstance(teller, kind)
    groups = strategy._describe([t.dag for t in trials], [t.dag.canonical_hash for t in trials])
    told = [-trial.answer.complexity["params"] for trial in trials]
    np.testing.assert_allclose(teller.believe(groups).mean, told, rtol=0.05)


def test_known_rows_are_labels(model, make_table):
    table = make_table(20, SPACE)
    problem = Problem(SPACE, table)
    strategy = strategy_named(SearchConfig(), problem, GradientConfig(**FEW), model)
    assert isinstance(strategy, SurrogateSearch)
    asked = strategy.ask(5)
    assert len(asked) == 5
    assert not {c.dag.canonical_hash for c in asked} & set(table.hashes)


def test_a_small_space_runs_out_without_an_error(make_table):
    space = EnasSpace(1)
    config = ModelConfig(
        hidden_dim=8, latent_dim=4, performance_predictor=False, complexity_predictor=False
    )
    model = NGAEModel(space, config, None, TargetScaler.fit(np.zeros((2, 2))), seed=0)
    from ngae.data import Table

    table = Table(
        "none",
        space,
        (),
        np.zeros(0),
        np.zeros((0, 2)),
        "p",
        space.complexity_names,
        np.zeros(0, dtype=np.int64),
        "x",
    )
    strategy = SurrogateSearch(
        model, Problem(space, table), 0, GradientConfig(initial=3, num_starts=4, steps=2)
    )
    asked = []
    for _ in range(4):
        round_ = strategy.ask(3)
        asked += [candidate.dag.canonical_hash for candidate in round_]
        strategy.tell([Trial(k, c, Answer(float(k), {}, 0.0)) for k, c in enumerate(round_)])
    assert len(asked) == len(set(asked)) == 6


def test_ranks_share_what_is_equal():
    np.testing.assert_allclose(ranks_of(np.array([3.0, 1.0, 3.0, 2.0])), [0.75, 0.125, 0.75, 0.375])


def test_of_the_upper_half_the_values_count():
    values = np.array([3.0, -np.inf, 1.0, 5.0, np.nan, 2.0])
    np.testing.assert_array_equal(upper_half(values), [3.0, 2.5, 2.5, 5.0, 2.5, 2.5])
    np.testing.assert_array_equal(upper_half(np.array([np.nan, -np.inf])), [0.0, 0.0])


def test_of_labels_that_are_the_best_of_more_values_are_learned(model, make_table, monkeypatch):
    table = make_table(30, SPACE)
    strategy = SurrogateSearch(model, Problem(SPACE, table), 0, GradientConfig(**FEW))
    assert strategy._fit().best == ranks_of(table.performance).max()
    monkeypatch.setattr(labels, "_MOST", 12)
    strategy = SurrogateSearch(model, Problem(SPACE, table), 0, GradientConfig(**FEW))
    fit = strategy._fit()
    assert len(fit.values) == 12
    assert fit.best == table.performance.max()
    assert fit.process.mean == upper_half(fit.values).mean()


def test_where_only_rows_of_a_table_can_be_asked_all_of_them_are(model, make_table):
    table = make_table(40, SPACE)
    oracle, known = Table(table), table.subset(np.arange(8))
    problem = Problem(SPACE, known, askable(oracle, known))
    strategy = SurrogateSearch(model, problem, 0, GradientConfig(**FEW))
    result = run_search(strategy, oracle, problem, SearchConfig(budget=60, batch=5))
    asked = [trial.dag.canonical_hash for trial in result.trials]
    assert sorted(asked) == sorted(table.hashes[8:])
    order = np.argsort([-trial.answer.performance for trial in result.trials])
    assert order[0] < 12  # the best of 32 is among the first that are asked


def test_rows_that_were_too_cheap_to_begin_with_are_drawn_later(make_table):
    table = make_table(40, SPACE)
    nothing = table.subset(np.zeros(0, dtype=np.int64))
    proposals = Proposals(Problem(SPACE, nothing, askable(Table(table), nothing)), 0, 1)
    first = [c.dag for c in proposals.costliest(10)]
    rest = [c.dag for c in taken(50, proposals.sampled)]
    assert len(first) == 10
    assert {dag.canonical_hash for dag in first + rest} == set(table.hashes)
    put_back = rest[-10:]
    assert SPACE.complexity(first)[:, 0].min() >= SPACE.complexity(put_back)[:, 0].max()
