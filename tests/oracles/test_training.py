import numpy as np
import pytest
import torch

from ngae.errors import GraphError, TrainingError, UsageError
from ngae.networks.macro import MacroConfig
from ngae.oracles.base import BudgetExhaustedError
from ngae.oracles.digits import load_digits_images
from ngae.oracles.training import Training, TrainingConfig, train_network
from ngae.spaces.enas import EnasSpace

SPACE = EnasSpace(1, MacroConfig(channels=2))
DAG = SPACE.parse("[[0]]")


def test_answers_are_repeated_and_cost_budget():
    oracle = Training(SPACE, TrainingConfig(epochs=1, batch_size=300), budget=2)
    before = torch.get_rng_state()
    first, again = oracle.query(DAG), oracle.query(DAG)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.performance == again.performance == first.detail["correct"] / 897
    assert first.complexity == {"params": 22 + 40 + 30, "macs": 64 * (18 + 36) + 20}
    assert first.cost_s > 0
    with pytest.raises(BudgetExhaustedError):
        oracle.query(DAG)
    assert oracle.queries == 2


def test_the_seed_changes_the_network():
    digits = load_digits_images()
    heads = [
        train_network(SPACE, DAG, TrainingConfig(epochs=1, batch_size=450, seed=seed), digits)
        .bank.head.weight.detach()
        for seed in (0, 0, 1)
    ]  # fmt: skip
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(UsageError, match=r"Training: expected .* found \(8, 3, 10\)"):
        Training(EnasSpace(1, MacroConfig(image_channels=3)))
    oracle = Training(SPACE, TrainingConfig(epochs=4, batch_size=300, learning_rate=1e30))
    with pytest.raises(GraphError, match="expected 3 nodes"):
        oracle.query(EnasSpace(2).parse("[[0], [1, 1]]"))
    assert oracle.queries == 0
    with pytest.raises(TrainingError, match="the loss is"):
        oracle.query(DAG)


@pytest.mark.end_to_end
def test_training_tells_convolutions_from_pooling():
    space = EnasSpace(6)
    oracle = Training(space)
    convolutions = space.parse(str([[k % 3] + [0] * k for k in range(6)]))
    pooling = space.parse(str([[4 + k % 2] + [0] * k for k in range(6)]))
    good, poor = oracle.query(convolutions), oracle.query(pooling)
    assert good.performance > 0.8
    assert poor.performance < good.performance - 0.2


@pytest.mark.end_to_end
def test_shared_weights_rank_as_training_does():
    from ngae.oracles.shared_weights import SharedWeights

    space = EnasSpace(6)
    rng = np.random.default_rng(0)
    dags = [space.sample(rng) for _ in range(30)]
    shared = SharedWeights.for_digits6().count_correct(dags)
    oracle = Training(space)
    trained = np.array([oracle.query(dag).performance for dag in dags])
    assert np.corrcoef(shared, trained)[0, 1] > 0.5
