"""What measured complexities are predicted by, on real cells of NAS-Bench-201."""

import math

import numpy as np
import pytest

from ngae.dags import Dags
from ngae.search.believed import Computed, Fitted
from ngae.search.costs import MeasuredLimits, told
from ngae.search.description import Describer, cost_kernel, value_kernel
from ngae.search.gaussian_process import GaussianProcess
from ngae.search.scales import CostScale, LogCostScale
from ngae.spaces import space_named
from ngae.spaces.recurrent import RecurrentSpace

SPACE = space_named("nas-bench-201")
PRICES = {"nor_conv_3x3": 1.9, "nor_conv_1x1": 0.7, "avg_pool_3x3": 0.3, "skip_connect": 0.05}


def fit(name, kernel, groups, targets):
    return GaussianProcess.fit(kernel, groups, targets)


def sampled(count, seed):
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


def described(dags):
    return Describer(SPACE)(dags, Dags.of(dags).hashes())


def price(dag):
    """A sum over all operations, also those that no path leads through."""
    return 1.7 + sum(PRICES.get(SPACE.node_type_names[kind], 0.0) for kind in dag.node_types)


@pytest.fixture(scope="module")
def cells():
    dags = list({dag.canonical_hash: dag for dag in sampled(240, 5)}.values())
    return described(dags), np.array([price(dag) for dag in dags])


def parted(groups, rows):
    return {name: group[rows] for name, group in groups.items()}


def test_costs_that_add_up_are_known_after_twenty_answers(cells):
    groups, costs = cells
    rows = np.arange(20)
    way = told("ms", fit, parted(groups, rows), -costs[rows], np.ones(20, dtype=bool))
    assert isinstance(way.scale, CostScale)
    found = way.believe(parted(groups, np.arange(20, len(costs))))
    error = np.abs(found.mean + costs[20:])
    assert error.max() < 0.02 * costs.std()
    assert error.mean() < found.spread.mean() < 0.1 * costs.std()


def test_costs_measured_by_a_factor_are_told_by_logarithms(cells):
    groups, costs = cells
    rng = np.random.default_rng(0)
    measured = np.exp(costs / 3) * np.exp(0.2 * rng.normal(size=len(costs)))
    rows = np.arange(120)
    way = told("ms", fit, parted(groups, rows), -measured[rows], np.ones(120, dtype=bool))
    assert isinstance(way.scale, LogCostScale)
    found = way.believe(parted(groups, np.arange(120, len(costs))))
    truth = np.exp(costs[120:] / 3)
    assert np.median(np.abs(-found.mean / truth - 1)) < 0.25


def test_what_was_not_told_is_left_out(cells):
    groups, costs = cells
    some = np.where(np.arange(60) % 3 == 0, math.nan, -costs[:60])
    rows = np.flatnonzero(np.isfinite(some))
    useful = np.ones(60, dtype=bool)
    with_gaps = told("ms", fit, parted(groups, np.arange(60)), some, useful)
    without = told("ms", fit, parted(groups, rows), some[rows], useful[rows])
    assert np.array_equal(with_gaps.process.weights, without.process.weights)
    assert len(with_gaps.process.weights) == 40


def test_only_useful_labels_decide_on_the_scale(cells):
    """Those that do not count are next to free and say nothing of the others."""
    groups, costs = cells
    factor = np.exp(costs / 3) * np.exp(0.2 * np.random.default_rng(0).normal(size=len(costs)))
    useful = np.arange(120) % 2 == 0
    odd = np.where(useful, factor[:120], np.random.default_rng(1).uniform(0, 1e-6, 120))
    groups = parted(groups, np.arange(120))
    way = told("ms", fit, groups, -odd, useful)
    cheaper = useful & (-odd >= np.median(-odd[useful]))
    errors = {
        type(scale): Fitted(
            fit("", cost_kernel(groups), groups, scale.target_at(-odd)), scale
        ).error(-odd, cheaper)
        for scale in (CostScale(), LogCostScale.of(-odd))
    }
    assert type(way.scale) is min(errors, key=errors.get)
    by_all = told("ms", fit, groups, -odd, np.ones(120, dtype=bool))
    assert type(by_all.scale) is not type(way.scale)


def test_the_chance_to_keep_limits_is_the_product_of_each(cells):
    groups, costs = cells
    rows, others = np.arange(30), parted(groups, np.arange(30, 60))
    way = told("ms", fit, parted(groups, rows), -costs[rows], np.ones(30, dtype=bool))
    truth = costs[30:60]
    most = float(np.sort(truth)[14:16].mean())
    chance = MeasuredLimits([(way, most)]).chance(others)
    assert (chance[truth < most - 0.2] > 0.9).all()
    assert (chance[truth > most + 0.2] < 0.1).all()
    both = MeasuredLimits([(way, most), (way, most + 1)]).chance(others)
    np.testing.assert_allclose(both, chance * MeasuredLimits([(way, most + 1)]).chance(others))
    assert MeasuredLimits([]).chance(others).tolist() == [1.0] * 30


def test_computed_complexities_are_known(cells):
    dags = sampled(9, 3)
    describer = Describer(SPACE)
    groups = describer(dags, Dags.of(dags).hashes())
    for column, name in enumerate(SPACE.complexity_names):
        known = Computed(column, *describer.scale_of(name)).believe(groups)
        exact = SPACE.complexity(Dags.of(dags))[:, column]
        np.testing.assert_allclose(known.mean, -exact, rtol=1e-5)
        assert (known.spread < 1e-6).all()
        assert known.after(2) is known


def test_performance_depends_on_what_matters_and_costs_on_what_is_built():
    groups = described(sampled(3, 0))
    assert not {"count", "built", "exact"} & set(value_kernel(groups).radial)
    assert value_kernel(groups).linear == ("path", "cost")
    assert cost_kernel(groups).linear == ("count", "built", "path", "place", "exact")
    large = RecurrentSpace(40)
    dags = [large.sample(np.random.default_rng(0))]
    few = Describer(large)(dags, Dags.of(dags).hashes())
    assert cost_kernel(few).radial == ("count", "path")
