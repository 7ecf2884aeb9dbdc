import numpy as np
import pytest

from ngae import oracles
from ngae.errors import UsageError
from ngae.oracles.base import Answer, Budget, BudgetExhaustedError, complexity_of
from ngae.spaces.enas import EnasSpace


def test_a_budget_counts_and_ends():
    budget = Budget(2)
    budget.spend()
    budget.spend()
    with pytest.raises(BudgetExhaustedError, match="expected at most 2 queries") as caught:
        budget.spend()
    assert (budget.used, caught.value.remedy) == (2, "raise the budget")


def test_a_budget_without_a_limit_only_counts():
    budget = Budget()
    for _ in range(5):
        budget.spend()
    assert budget.used == 5
    with pytest.raises(UsageError, match="limit: expected at least 1, found 0"):
        Budget(0)


def test_complexities_have_their_names():
    space = EnasSpace(3)
    dag = space.sample(np.random.default_rng(0))
    params, macs = space.complexity([dag])[0]
    assert complexity_of(space, dag) == {"params": params, "macs": macs}


def test_the_room_exports_what_it_lists():
    assert all(getattr(oracles, name).__name__ == name for name in oracles.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Orakel'"):
        _ = oracles.Orakel


def test_failed_answers_have_no_performance():
    answer = Answer.failed("no memory", {"params": 2.0}, 1.5)
    assert (answer.ok, answer.status, answer.error) == (False, "failed", "no memory")
    assert np.isnan(answer.performance)
    assert (answer.complexity, answer.cost_s, answer.detail) == ({"params": 2.0}, 1.5, {})
    assert Answer(0.5, {}, 0.0).ok
    with pytest.raises(UsageError, match=r"performance: expected NaN of a failed one, found 0\.5"):
        Answer(0.5, {}, 0.0, status="failed")
    with pytest.raises(UsageError, match="status: expected ok or failed, found 'fine'"):
        Answer(0.5, {}, 0.0, status="fine")
