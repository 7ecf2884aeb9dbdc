import numpy as np
import pytest

from ngae.search.sequences import GraphSequences
from ngae.spaces import space_named
from ngae.spaces.enas import EnasSpace
from ngae.spaces.recurrent import RecurrentSpace
from tests.search.spaces import PUBLISHED


@pytest.mark.parametrize("space", [*PUBLISHED, RecurrentSpace(12)], ids=lambda space: space.name)
def test_architectures_come_back(space):
    rng = np.random.default_rng(0)
    dags = [space.sample(rng) for _ in range(200)]
    sequences = GraphSequences(space)
    tokens = sequences.tokens(dags)
    assert tokens.shape == (200, len(sequences.allowed))
    assert sequences.allowed[np.arange(tokens.shape[1]), tokens].all()
    assert sequences.dags(tokens) == dags


def test_slots_are_the_open_decisions():
    space = space_named("nas-bench-201")
    sequences = GraphSequences(space)
    dag = space.parse("|none~0|+|skip_connect~0|none~1|+|none~0|nor_conv_3x3~1|none~2|")
    assert sequences.tokens([dag]).tolist() == [list(dag.node_types[1:-1])]
    types, skips = 3, 3  # each layer is fed by the one before it in any case
    assert len(GraphSequences(EnasSpace(3)).allowed) == types + skips


def test_sequences_without_an_architecture_are_left_out():
    space = EnasSpace(5, least_layers=2)
    sequences = GraphSequences(space)
    tokens = sequences.tokens([space.sample(np.random.default_rng(k)) for k in range(20)])
    absent = space.num_node_types
    tokens[3, 0] = absent
    assert len(sequences.dags(tokens)) == 19
