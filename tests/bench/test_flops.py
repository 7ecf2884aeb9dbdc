"""Counts of operations: by hand on small graphs, and against what PyTorch counts."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench import flops
from bench.graphs import graph_batch
from bench.models import model, trainer
from ngae.batch import GraphBatch
from ngae.dag import Dag
from ngae.models import ModelConfig
from ngae.ops._library import forced


def counted(call):
    with FlopCounterMode(display=False) as counter, forced("torch"):
        call()
    return counter.get_total_flops()


def test_propagation_by_hand():
    chain = Dag((0, 1, 2), ((0, 1), (1, 2)))
    batch = GraphBatch.pack([chain])
    # two aggregates, of 3 H^2 each, and two messages, of 2 H^2 each
    assert flops.propagation_flops(batch, 10) == 2 * (2 * 3 + 2 * 2) * 100
    assert flops.propagation_flops(batch, 10, has_initial=True) == 2 * (3 * 3 + 2 * 2) * 100


def test_equal_graphs_cost_one():
    chain = Dag((0, 1, 2), ((0, 1), (1, 2)))
    one, many = GraphBatch.pack([chain]), GraphBatch.pack([chain] * 9)
    assert flops.propagation_flops(many, 10) == flops.propagation_flops(one, 10)
    alone = flops.propagation_flops(one, 10, has_initial=True)
    assert flops.propagation_flops(many, 10, has_initial=True) == 9 * alone


def test_encoding_by_hand():
    batch = GraphBatch.pack([Dag((0, 1), ((0, 1),))])
    config = ModelConfig(hidden_dim=10, latent_dim=3)
    # each direction: one aggregate, one message, two states read; then mean and logvar
    assert flops.encode_flops(batch, config) == 2 * (2 * (3 + 2 + 2) * 100 + 2 * 10 * 3)


def test_predictions_as_pytorch_counts():
    made = model(16, "float32")
    z = torch.zeros(7, 56)
    assert flops.predict_flops(made, 7) == counted(lambda: made.predict(z))


def test_a_training_step_needs_less_than_plain_pytorch_does():
    step = trainer(32, 16, "float32")
    batch = GraphBatch.pack(step.data.train.dags)
    least = flops.train_flops(step.model, batch)
    done = counted(lambda: step._step(torch.arange(16).numpy()))
    assert 0.4 * done < least < done


def test_decoding_counts_states_that_a_decision_reads():
    batch = graph_batch("enas", 5)
    made = model(10, "float32")
    config, graphs, head = made.config, 5, 256
    # of 8 nodes, 6 are read: types of nodes 1 to 6 by nodes 0 to 5, edges by nodes 0 to 4
    # z gives a part to 6 decided types, 5 targets and 5 sources
    by_hand = graphs * (56 * 10 + 16 * 56 * head)
    by_hand += graphs * (6 * 3 * 100 + 6 * 10 * head + 6 * head * 8)
    by_hand += graphs * (5 * 10 * head + 15 * head) + 8 * 10 * head
    by_hand += graphs * 5 * 2 * 100  # the sixth sends to none of the six
    assert flops.decode_flops(batch, config, made.decoder.rules) == 2 * by_hand
