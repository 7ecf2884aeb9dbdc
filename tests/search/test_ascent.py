"""Search by ascent of regressors that are fitted to few labels."""

import sys

import numpy as np
import pytest
import torch

from ngae.errors import MissingExtraError
from ngae.models import ModelConfig, NGAEModel, TargetScaler
from ngae.oracles.base import Answer
from ngae.search.ascent import AscentSearch, Equation7
from ngae.search.base import Trial
from ngae.search.config import AscentConfig, SearchConfig
from ngae.search.limits import Limit
from ngae.search.problem import Objective, Problem
from ngae.search.run import run_search
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(4)
FEW = {"num_starts": 16, "steps": 8, "initial": 8}


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
    config = ModelConfig(
        hidden_dim=16,
        latent_dim=6,
        head_dim=256,  # no default: another decoder is another search
        performance_predictor=False,
        complexity_predictor=False,
    )
    return NGAEModel(SPACE, config, None, TargetScaler.fit(np.zeros((2, 2))), seed=0)


def searched(model, problem, budget, seed=0, **settings):
    strategy = AscentSearch(model, problem, seed, AscentConfig(**{**FEW, **settings}))
    return run_search(strategy, Judge(), problem, SearchConfig(budget=budget, batch=4))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"weight": 0.0},
        {"loss": "ranking"},
        {"steps": 1},
        {"update": "newton", "steps": 3},
        {"regressor": "kernel-ridge"},
        {"regressor": "gaussian-process"},
    ],
    ids=str,
)
def test_new_architectures_are_asked_and_the_seed_decides(model, nothing, settings):
    if settings.get("regressor"):
        pytest.importorskip("sklearn")
    problem = Problem(SPACE, nothing)
    hashes = [
        [
            trial.dag.canonical_hash
            for trial in searched(model, problem, 16, seed, **settings).trials
        ]
        for seed in (1, 1, 2)
    ]
    assert len(set(hashes[0])) == 16
    assert hashes[0] == hashes[1] != hashes[2]


def test_answers_guide(model, nothing):
    problem = Problem(SPACE, nothing)
    results = [searched(model, problem, 32, seed, weight=0.0) for seed in range(3)]
    performance = np.array([[t.answer.performance for t in result.trials] for result in results])
    assert performance[:, 8:].mean() > performance[:, :8].mean() + 0.5


def test_the_weight_lowers_what_is_told_and_counts(model, nothing):
    problem = Problem(SPACE, nothing, objective=Objective(("ms",)))
    costs = [
        np.mean(
            [
                trial.answer.complexity["ms"]
                for seed in range(3)
                for trial in searched(model, problem, 28, seed, weight=weight).trials[8:]
            ]
        )
        for weight in (0.0, 10.0)
    ]
    assert costs[1] < costs[0] - 0.5


def test_complexities_that_the_space_computes_are_learned_without_a_query(model, nothing):
    strategy = AscentSearch(model, Problem(SPACE, nothing), 0, AscentConfig(**FEW))
    dags = [SPACE.sample(np.random.default_rng(k)) for k in range(200)]
    with torch.no_grad():
        predicted = strategy._computed["params"](model.encode(dags).mean).numpy()
    assert list(strategy._computed) == ["params"]
    assert (
        np.corrcoef(predicted, SPACE.complexity(dags)[:, 0])[0, 1] > 0.4
    )  # the encoder has not been trained
    weightless = AscentSearch(model, Problem(SPACE, nothing), 0, AscentConfig(weight=0.0))
    weightless.tell([Trial(0, weightless.ask(1)[0], Answer(1.0, {}, 0.0))])
    assert weightless._fit()[0].complexities == {}


def test_equation_7_is_performance_less_weighed_complexities():
    def first(points):
        return points[:, 0]

    def second(points):
        return points[:, 1]

    found = Equation7(first, {"a": second, "b": second}, 0.25)(torch.tensor([[3.0, 4.0]]))
    assert found.tolist() == [1.0]


def test_an_answer_beyond_a_limit_is_the_worst(model, nothing):
    problem = Problem(SPACE, nothing, objective=Objective((), (Limit("ms", 6.0),)))
    strategy = AscentSearch(model, problem, 0, AscentConfig(**FEW, weight=0.0))
    asked = strategy.ask(8)
    answers = [Answer(float(k), {"ms": 7.0 if k == 7 else 1.0}, 0.0) for k in range(8)]
    strategy.tell([Trial(k, c, a) for k, (c, a) in enumerate(zip(asked, answers, strict=True))])
    _, values = strategy._fit()
    assert np.argmin(values) == 7
    assert np.argmax(values) == 6


def test_a_start_is_the_encoding_of_the_best(model, nothing):
    strategy = AscentSearch(model, Problem(SPACE, nothing), 0, AscentConfig(**FEW))
    asked = strategy.ask(8)
    strategy.tell([Trial(k, c, Answer(float(k), {}, 0.0)) for k, c in enumerate(asked)])
    starts = strategy._starts(np.arange(8.0))
    assert starts.shape == (16, 6)
    with torch.no_grad():
        posterior = model.encode([c.dag for c in asked[::-1]])
    torch.testing.assert_close(starts[:8], posterior.mean)
    again = (starts[8:] - posterior.mean) / (0.5 * posterior.logvar).exp()
    assert 0.5 < float(again.std()) < 1.5


def test_known_rows_are_labels(model, make_table):
    table = make_table(20, SPACE)
    problem = Problem(SPACE, table, objective=Objective(("params",)))
    strategy = AscentSearch(model, problem, 0, AscentConfig(**FEW))
    assert max(label.score for label in strategy._labels) == table.performance.max()
    assert {label.key for label in strategy._labels} == set(table.hashes)
    row = table.hashes.index(strategy._labels[0].key)
    assert strategy._labels[0].complexity == {"params": table.complexity[row, 0]}
    asked = strategy.ask(5)
    assert len(asked) == 5
    assert not {c.dag.canonical_hash for c in asked} & set(table.hashes)


@pytest.mark.parametrize("regressor", ["kernel-ridge", "gaussian-process"])
def test_without_scikit_learn_the_extra_is_named(model, nothing, monkeypatch, regressor):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError, match=f"--ascent-regressor {regressor} needs") as caught:
        AscentSearch(model, Problem(SPACE, nothing), 0, AscentConfig(regressor=regressor))
    assert caught.value.remedy == "pip install 'ngae[ml]'"
