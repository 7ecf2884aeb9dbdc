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
from ngae.search.judging import in_both, ranks_of, scaled_by
from ngae.search.limits import Limit
from ngae.search.problem import Objective, Problem
from ngae.search.proposals import Proposals, taken
from ngae.search.registry import strategy_named
from ngae.search.run import run_search
from ngae.search.surrogate import SurrogateSearch
from ngae.spaces.cell import Cell
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


class Alike(Cell):
    """Graphs that differ in their links, and hardly in their types."""

    operations = ("a",)
    max_operations = 6
    min_operations = 5


def round_trip(strategy, size):
    """Ask once and answer: links and what comes late among the types are good."""
    trials = [
        Trial(k, c, Answer(len(c.dag.edges) + sum(c.dag.node_types) / 10, {}, 0.0))
        for k, c in enumerate(strategy.ask(size))
    ]
    strategy.tell(trials)
    return trials


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


def over_rows(make_table, space, rows):
    """A problem whose oracle answers for random rows of a space alone."""
    oracle, known = Table(make_table(rows, space)), make_table(0, space)
    return Problem(space, known, askable(oracle, known)), oracle


def test_of_a_table_that_holds_little_of_a_space_all_rows_are_candidates(model, make_table):
    problem, oracle = over_rows(make_table, SPACE, 400)
    strategy = SurrogateSearch(model, problem, 0, GradientConfig(**FEW))
    result = run_search(strategy, oracle, problem, SearchConfig(budget=22, batch=4))
    asked = {trial.dag.canonical_hash for trial in result.trials}
    assert set(strategy._pool(strategy._fit())) == set(problem.askable.rows.hashes()) - asked
    best = np.sort(make_table(400, SPACE).performance)[-4]
    assert result.best.answer.performance >= best


def test_of_a_table_of_a_whole_space_candidates_are_decodings_and_changes(make_table):
    space = EnasSpace(2)
    problem, _ = over_rows(make_table, space, 6**2 * 2)
    settings = GradientConfig(num_starts=2, steps=1, initial=8)
    strategy = SurrogateSearch(model_of(space), problem, 0, settings)
    round_trip(strategy, 8)
    assert 0 < len(strategy._pool(strategy._fit())) < 6**2 * 2 - 8


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


def test_values_on_the_scale_of_the_first_ones():
    first = np.array([3.0, 1.0, 4.0, 2.0, 7.0])  # median 3 and best 7 are a half apart
    values = np.array([-9.0, 1.5, 3.0, 5.0, 7.0, 11.0, np.nan, -np.inf])
    expected = [0.1, 0.2, 0.5, 0.75, 1.0, 1.5, 0.1, 0.1]
    np.testing.assert_allclose(scaled_by(first, values), expected)


def test_of_more_values_the_lowest_are_one():
    first = np.arange(16.0)
    for count, least in ((16, 0.0), (32, 0.25), (160, 0.45)):
        targets = scaled_by(first, np.resize(first, count))
        assert targets.min() == max(least, 1 / 32)
        np.testing.assert_allclose(targets[8:16], 0.5 + (np.arange(8, 16) - 7.5) / 15)


def test_a_scale_where_the_first_values_say_little():
    np.testing.assert_allclose(scaled_by(np.full(4, 2.0), np.array([1.0, 2, 3])), [0.5, 0.5, 1])
    np.testing.assert_allclose(scaled_by(np.array([np.nan]), np.array([np.nan, 1])), [0.5, 1])
    # half of them and more are the best: the worst gives the unit
    some = scaled_by(np.array([1.0, 3, 3, 3, -np.inf]), np.array([1.0, 3, 5]))
    np.testing.assert_allclose(some, [0.2, 0.5, 1])


def both_of(values, usual):
    return in_both(ranks_of(values), scaled_by(usual, values))


def test_ranks_and_values_count_alike():
    both = in_both(np.array([0.1, 0.5, 0.9]), np.array([0.0, 0.0, 30.0]))
    assert both.mean() == pytest.approx(0)
    np.testing.assert_allclose(np.diff(both), [1.5**0.5, 1.5**0.5 + 4.5**0.5])
    np.testing.assert_array_equal(in_both(np.full(2, 0.5), np.full(2, 7.0)), [0, 0])


def test_ranks_and_values_on_the_scale_of_the_first_labels_are_learned(model, nothing):
    problem = Problem(SPACE, nothing)
    strategy = SurrogateSearch(model, problem, 0, GradientConfig(**FEW))
    first = [round_trip(strategy, 3) for _ in range(2)]
    later = [round_trip(strategy, 4) for _ in range(3)]
    values = np.array([t.answer.performance for trials in [*first, *later] for t in trials])
    fit = strategy._fit()
    np.testing.assert_array_equal(fit.targets, both_of(values, values[:6]))
    assert fit.best == fit.targets[values.argmax()] == fit.targets.max()


def test_of_many_labels_those_that_are_learned_make_the_scale(model, make_table, monkeypatch):
    table = make_table(30, SPACE)
    problem = Problem(SPACE, table)
    fit = SurrogateSearch(model, problem, 0, GradientConfig(**FEW))._fit()
    np.testing.assert_array_equal(fit.targets, both_of(table.performance, table.performance))
    monkeypatch.setattr(labels, "_MOST", 12)
    strategy = SurrogateSearch(model, problem, 0, GradientConfig(**FEW))
    fit = strategy._fit()
    learned = np.array([k.answer.performance for k in strategy._labels.fitted_to()])
    assert len(learned) == 12
    np.testing.assert_array_equal(fit.targets, scaled_by(learned, learned))
    assert fit.best == fit.targets[learned.argmax()] == 1


def test_four_proposals_in_a_row_differ_in_their_types_while_there_are_others(model, nothing):
    strategy = SurrogateSearch(model, Problem(SPACE, nothing), 0, GradientConfig(**FEW))
    types = [t.dag.node_types for size in (3, 3, 1, 1, 4, 2, 4) for t in round_trip(strategy, size)]
    for end in range(10, len(types) + 1):
        assert len(set(types[end - 4 : end])) == 4


def test_beside_many_labels_proposals_may_differ_in_links_alone(model, make_table, monkeypatch):
    table = make_table(30, SPACE)
    dags, left = list(table.dags[:3]), np.array([True, True, False])
    for most, expected in ((400, [False, True, False]), (12, [True, True, False])):
        monkeypatch.setattr(labels, "_MOST", most)
        strategy = SurrogateSearch(model, Problem(SPACE, table), 0, GradientConfig(**FEW))
        strategy._lately.append(dags[0].node_types)
        assert dags[1].node_types != dags[0].node_types
        np.testing.assert_array_equal(strategy._apart(dags, left), expected)


def test_where_types_hardly_differ_proposals_are_improvements_all_the_same(make_table):
    space, links = Alike(), []
    problem = Problem(space, make_table(0, space))
    for seed in range(3):
        strategy = SurrogateSearch(model_of(space), problem, seed, GradientConfig(**FEW))
        asked = [t.dag for size in (3, 3, 4, 4) for t in round_trip(strategy, size)]
        assert len({dag.canonical_hash for dag in asked}) == 14
        links += [[len(dag.edges) for dag in part] for part in (asked[:6], asked[6:])]
    assert np.mean(links[1::2]) > np.mean(links[::2]) + 1


def test_where_only_rows_of_a_table_can_be_asked_all_of_them_are(model, make_table):
    table = make_table(40, SPACE)
    oracle, known = Table(table), table.subset(np.arange(8))
    problem, when = Problem(SPACE, known, askable(oracle, known)), []
    for seed in range(8):
        strategy = SurrogateSearch(model, problem, seed, GradientConfig(**FEW))
        result = run_search(strategy, oracle, problem, SearchConfig(budget=60, batch=5))
        asked = [trial.dag.canonical_hash for trial in result.trials]
        assert sorted(asked) == sorted(table.hashes[8:])
        when.append(int(np.argmax([trial.answer.performance for trial in result.trials])))
    assert np.mean(when) < 9  # the best of 32 is among the first that are asked


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
