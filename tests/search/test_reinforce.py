import numpy as np
import pytest

from ngae.oracles.base import Answer
from ngae.search.base import Trial
from ngae.search.config import ReinforceConfig
from ngae.search.controller import Controller
from ngae.search.problem import Problem
from ngae.search.reinforce import ReinforceSearch
from ngae.spaces.cell import Cell
from ngae.spaces.enas import EnasSpace
from ngae.spaces.nasbench201 import NasBench201Space
from ngae.spaces.recurrent import RecurrentSpace
from tests.search.spaces import PUBLISHED


class Few(Cell):
    operations = ("a", "b", "c")
    max_operations = 5
    max_inputs = 2


SPACES = [*PUBLISHED, RecurrentSpace(), Few()]


def test_it_concentrates_on_the_best_arm(make_table):
    space = NasBench201Space()
    problem = Problem(space, make_table(5, space).subset(np.zeros(0, dtype=np.int64)))
    search = ReinforceSearch(problem, 0)
    assert search.controller.type_probabilities(3)[2:] == pytest.approx(0.2)
    for _ in range(60):
        candidates = search.ask(10)
        answers = [Answer(90.0 + (c.dag.node_types[3] == 4), {}, 0.0) for c in candidates]
        search.tell([Trial(0, c, a) for c, a in zip(candidates, answers, strict=True)])
    probabilities = search.controller.type_probabilities(3)
    assert probabilities[4] > 0.8
    assert probabilities[:2].tolist() == [0.0, 0.0]
    assert search.controller.type_probabilities(1).max() < 0.6


def test_one_value_for_all_teaches_nothing(make_table):
    space = NasBench201Space()
    problem = Problem(space, make_table(5, space).subset(np.zeros(0, dtype=np.int64)))
    search = ReinforceSearch(problem, 0, ReinforceConfig(entropy_weight=0.0))
    for _ in range(5):
        search.tell([Trial(0, c, Answer(0.5, {}, 0.0)) for c in search.ask(10)])
    assert np.unique(search.controller.logits).tolist() == [0.0]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_draws_are_members_of_all_sizes(space):
    controller, rng = Controller(space), np.random.default_rng(0)
    drawn = [controller.draw(rng)[0] for _ in range(300)]
    members = [dag for dag in drawn if dag is not None]
    assert len(members) > 75
    assert all(space.is_valid(dag) for dag in members)
    sampled = [space.sample(rng) for _ in range(300)]
    assert max(map(len, members)) >= max(map(len, sampled))
    assert len({dag.canonical_hash for dag in members}) > 30


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0)])
def test_the_gradient_is_that_of_finite_differences(space, weights):
    controller, rng = Controller(space), np.random.default_rng(1)
    controller.logits += 0.3 * rng.standard_normal(len(controller.logits))
    _, decisions = controller.draw(rng)

    def value():
        total = 0.0
        for decision in decisions:
            p = controller.probabilities(decision.logits)
            total += weights[0] * np.log(p[decision.chosen]) - weights[1] * (p * np.log(p)).sum()
        return total

    gradient = controller.gradient(decisions, *weights)
    touched = np.unique(np.concatenate([decision.logits for decision in decisions]))
    assert set(np.flatnonzero(gradient)) <= set(touched.tolist())
    for logit in rng.permutation(touched)[:12]:
        values = []
        for step in (1e-5, -2e-5):
            controller.logits[logit] += step
            values.append(value())
        controller.logits[logit] += 1e-5
        assert gradient[logit] == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-6)


def test_sizes_are_equally_frequent_at_first():
    space = EnasSpace(6, least_layers=3)
    controller, rng = Controller(space), np.random.default_rng(0)
    sizes = np.bincount([len(controller.draw(rng)[0]) - 2 for _ in range(2000)], minlength=7)
    assert sizes[:3].sum() == 0
    assert np.abs(sizes[3:] / 2000 - 0.25).max() < 0.04


def test_the_baseline_starts_from_the_known_rows(make_table):
    table = make_table(30, EnasSpace(4))
    search = ReinforceSearch(Problem(table.space, table), 0, ReinforceConfig(entropy_weight=0.0))
    candidates = search.ask(2)
    mean = float(table.performance.mean())
    search.tell([Trial(0, candidates[0], Answer(mean, {}, 0.0))])
    assert np.abs(search.controller.logits).max() < 1e-6
    search.tell([Trial(1, candidates[1], Answer(mean + 1, {}, 0.0))])
    assert np.abs(search.controller.logits).max() > 0.01
