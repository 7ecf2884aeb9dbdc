"""Bayesian optimisation in the latent space by BoTorch."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

import ngae.search
from ngae.errors import MissingExtraError
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.oracles import Table
from ngae.oracles.asking import askable
from ngae.search import bo
from ngae.search.bo import BOSearch
from ngae.search.config import BOConfig, SearchConfig
from ngae.search.limits import Limit
from ngae.search.problem import Objective, Problem
from ngae.search.registry import strategy_named
from ngae.search.run import run_search
from ngae.spaces.enas import EnasSpace
from tests.search.spaces import SPACES, Judge, nothing

with_botorch = pytest.mark.skipif(find_spec("botorch") is None, reason="needs botorch")
SPACE = EnasSpace(4)


def model_of(space):
    config = ModelConfig(
        hidden_dim=12, latent_dim=5, performance_predictor=False, complexity_predictor=False
    )
    return NGAEModel(space, config, None, TargetScaler.fit(np.zeros((2, 2))), seed=0)


@pytest.fixture(scope="module")
def model():
    return model_of(SPACE)


def searched(model, problem, oracle, budget, seed=0, batch=2, **settings):
    own = BOConfig(**{"initial": 6, **settings})
    config = SearchConfig(strategy="bo", budget=budget, batch=batch, seed=seed)
    return run_search(strategy_named(config, problem, own, model), oracle, problem, config)


def hashes(result):
    return [trial.dag.canonical_hash for trial in result.trials]


@with_botorch
@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_proposals_are_distinct_members_and_follow_the_seed(space):
    problem = Problem(space, nothing(space), objective=Objective(("edges",)))
    runs = [searched(model_of(space), problem, Judge(space), 8, seed) for seed in (1, 1, 2)]
    assert hashes(runs[0]) == hashes(runs[1]) != hashes(runs[2])
    assert len(set(hashes(runs[0]))) == 8
    assert all(space.is_valid(trial.dag) for trial in runs[0].trials)


@with_botorch
@pytest.mark.parametrize("surrogate", ["exact", "sparse"])
@pytest.mark.parametrize("aim", ["best", "front"])
def test_every_form_proposes_what_its_seed_says(model, surrogate, aim):
    problem = Problem(SPACE, nothing(SPACE), objective=Objective(("edges",)))
    settings = {"surrogate": surrogate, "aim": aim}
    first, again = (searched(model, problem, Judge(SPACE), 8, **settings) for _ in range(2))
    assert len(set(hashes(first))) == 8
    assert hashes(first) == hashes(again)


@with_botorch
def test_random_numbers_and_threads_of_torch_stay_as_they_are(model):
    strategy = BOSearch(model, Problem(SPACE, nothing(SPACE)), 0, BOConfig(initial=4))
    run_search(strategy, Judge(SPACE), strategy.problem, SearchConfig(budget=4))
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    assert len(strategy.ask(1)) == 1
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


@with_botorch
def test_limits_are_kept_and_known_rows_are_not_asked(model, make_table):
    table = make_table(40, SPACE)
    most = float(np.quantile(table.complexity[:, 0], 0.4))
    problem = Problem(SPACE, table, objective=Objective((), (Limit("params", most),)))
    result = searched(model, problem, Judge(SPACE), 8, batch=4)
    assert len(set(hashes(result))) == 8
    assert SPACE.complexity([trial.dag for trial in result.trials])[:, 0].max() <= most
    assert not set(hashes(result)) & set(table.hashes)


@with_botorch
def test_an_answer_beyond_a_limit_is_not_the_best(model):
    """Targets are standard scores; the best that counts is lower than the best of all."""
    objective = Objective((), (Limit("edges", 6.0),))
    problem = Problem(SPACE, nothing(SPACE), objective=objective)
    strategy = BOSearch(model, problem, 0, BOConfig(initial=20))
    result = run_search(strategy, Judge(SPACE), problem, SearchConfig(budget=20))
    labels = strategy._labels.fitted_to()
    points = strategy._points(labels)
    evidence = strategy._evidence(labels, points, bo._Box.of(points))
    values = np.array([trial.answer.performance for trial in result.trials])
    kept = [trial.answer.complexity["edges"] <= 6 for trial in result.trials]
    assert 0 < sum(kept) < 20
    score = (values[kept].max() - values.mean()) / values.std()
    assert evidence.best == pytest.approx(score)
    assert evidence.targets.max() > evidence.best
    assert float(evidence.points.min()) == 0.0
    assert float(evidence.points.max()) == 1.0


@with_botorch
@pytest.mark.parametrize("surrogate", ["exact", "sparse"])
def test_the_acquisition_climbs_to_where_answers_are_best(surrogate):
    latent_gp = bo._botorch()
    points = torch.rand(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values = -((points - torch.tensor([0.7, 0.3])) ** 2).sum(1, keepdim=True)
    evidence = latent_gp.Evidence(
        points,
        (values - values.mean()) / values.std(),
        torch.ones(40, dtype=torch.bool),
        torch.ones(2, dtype=torch.float64),
        -2.0,
    )
    kind = latent_gp.ExactProcess if surrogate == "exact" else latent_gp.SparseProcess
    with latent_gp.alone(0):
        found = kind(evidence).promising()
    assert float((found - torch.tensor([0.7, 0.3])).norm()) < 0.2


def noise(latent_gp):
    made = torch.Generator().manual_seed(0)
    points = torch.rand(12, 3, dtype=torch.float64, generator=made)
    targets = torch.randn(12, 1, dtype=torch.float64, generator=made)
    everything = torch.ones(12, dtype=torch.bool)
    return latent_gp.Evidence(points, targets, everything, torch.ones(3, dtype=torch.float64), -2.0)


@with_botorch
def test_the_exact_process_looks_elsewhere_than_what_is_on_its_way():
    latent_gp = bo._botorch()
    with latent_gp.alone(0):
        process = latent_gp.ExactProcess(noise(latent_gp))
        first = process.promising()
        process.chosen(first)
        assert float((first - process.promising()).norm()) > 0.01


@with_botorch
def test_the_sparse_process_believes_what_it_expects():
    latent_gp = bo._botorch()
    point = torch.tensor([0.5, 0.5, 0.5], dtype=torch.float64)
    with latent_gp.alone(0):
        process = latent_gp.SparseProcess(noise(latent_gp))
        with torch.no_grad():
            expected = process.model.posterior(point[None]).mean
        process.chosen(point)
    assert torch.equal(process.evidence.points[-1], point)
    torch.testing.assert_close(process.evidence.targets[-1:], expected)
    assert process.evidence.counts.tolist() == [True] * 13


@with_botorch
def test_a_small_space_runs_out():
    space = EnasSpace(1)
    result = searched(model_of(space), Problem(space, nothing(space)), Judge(space), 30, initial=3)
    assert len(set(hashes(result))) == len(result.trials) == 6


@with_botorch
def test_only_rows_of_a_table_are_asked_until_none_is_left(model, make_table):
    table = make_table(20, SPACE)
    oracle, known = Table(table), table.subset(np.arange(8))
    problem = Problem(SPACE, known, askable(oracle, known))
    result = searched(model, problem, oracle, 60, batch=8)
    assert sorted(hashes(result)) == sorted(table.hashes[8:])


@with_botorch
def test_failures_and_useless_answers_stop_nothing(model):
    limits = (Limit("edges", 0.0),)
    problem = Problem(SPACE, nothing(SPACE), objective=Objective(("edges",), limits))
    oracle = Judge(SPACE, lambda dag: dag.node_types[1] == 2)
    result = searched(model, problem, oracle, 14, batch=4, aim="front")
    assert len(result.trials) == 14
    assert len(searched(model, problem, Judge(SPACE, lambda dag: True), 12).trials) == 12


@with_botorch
def test_complexities_that_are_not_told_leave_the_performance(model):
    problem = Problem(SPACE, nothing(SPACE), objective=Objective(("nobody_tells",)))
    assert len(searched(model, problem, Judge(SPACE), 8, aim="front").trials) == 8


def test_without_botorch_the_extra_is_named(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ngae.search.latent_gp", None)
    monkeypatch.delattr(ngae.search, "latent_gp", raising=False)
    with pytest.raises(
        MissingExtraError, match="--strategy bo needs the package botorch"
    ) as caught:
        BOSearch(model, Problem(SPACE, nothing(SPACE)))
    assert caught.value.remedy == "pip install 'ngae[bo]'"


def test_strategies_are_named_without_botorch():
    code = "import sys, ngae.search.registry; sys.exit('botorch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
