import numpy as np
import pytest
import torch

from ngae.oracles.base import Answer
from ngae.search.base import Trial
from ngae.search.config import NAOConfig, SearchConfig
from ngae.search.nao import NAOSearch
from ngae.search.problem import Problem
from ngae.search.run import run_search
from ngae.search.sequence_autoencoder import SequenceAutoencoder
from ngae.search.sequences import GraphSequences
from ngae.spaces import space_named

SPACE = space_named("nas-bench-201")
SMALL = NAOConfig(width=32, epochs=3, initial=16)


class Judge:
    """Sums types."""

    name = identity = "judge"
    space = SPACE

    def query(self, dag):
        return Answer(float(sum(dag.node_types)), {}, 0.0)


@pytest.fixture
def problem(make_table):
    return Problem(SPACE, make_table(0, SPACE))


def test_answers_guide(problem):
    strategy = NAOSearch(problem, 0, SMALL)
    trials = run_search(strategy, Judge(), problem, SearchConfig(budget=48, batch=4)).trials
    performance = [trial.answer.performance for trial in trials]
    assert np.mean(performance[24:]) > np.mean(performance[:16]) + 3


def test_training_rebuilds_and_predicts(problem):
    strategy = NAOSearch(problem, 0, NAOConfig(width=48, epochs=3))
    asked = strategy.ask(16)
    strategy.tell([Trial(k, c, Judge().query(c.dag)) for k, c in enumerate(asked)])
    strategy._train()
    tokens = strategy._tokens([candidate.dag for candidate in asked])
    with torch.no_grad():
        embedding = strategy.network.embed(tokens)
        predicted = strategy.network.predict(embedding).numpy()
        rebuilt = strategy.network.decode(embedding)
    assert float((rebuilt == tokens).float().mean()) > 0.9
    values = [Judge().query(candidate.dag).performance for candidate in asked]
    assert np.corrcoef(predicted, values)[0, 1] > 0.9


def test_decoding_keeps_to_what_slots_may_hold():
    sequences = GraphSequences(space_named("nas-bench-101"))
    allowed = torch.from_numpy(sequences.allowed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = SequenceAutoencoder(allowed, 8)
        tokens = network.decode(torch.randn(50, 8))
    assert allowed[torch.arange(tokens.shape[1]), tokens].all()


def test_slopes_point_up_and_are_of_length_1():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = SequenceAutoencoder(torch.ones(4, 3, dtype=torch.bool), 8)
        points = torch.randn(10, 8)
    slope = network.slopes(points)
    torch.testing.assert_close(slope.norm(dim=1), torch.ones(10))
    with torch.no_grad():
        assert (network.predict(points + 1e-2 * slope) > network.predict(points)).all()


def test_searching_leaves_the_random_numbers_of_torch_alone(problem):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    run_search(NAOSearch(problem, 0, SMALL), Judge(), problem, SearchConfig(budget=20))
    assert torch.equal(torch.get_rng_state(), before)
