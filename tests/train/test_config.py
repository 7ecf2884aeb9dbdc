"""How many graphs a step takes, and how far it goes."""

import pytest

from ngae.train.config import TrainConfig


@pytest.mark.parametrize(
    ("rows", "graphs", "rate"),
    [(5, 16, 0.0021), (1_000, 16, 0.0021), (4_096, 64, 0.0042), (17_118, 128, 0.006)],
)
def test_few_rows_take_smaller_steps_of_fewer_graphs(rows, graphs, rate):
    config = TrainConfig()
    assert config.graphs_a_step(rows) == graphs
    assert config.peak_lr(rows) == pytest.approx(rate, rel=0.02)
    assert TrainConfig(batch_size=32).peak_lr(rows) == pytest.approx(0.003)
    given = TrainConfig(batch_size=32, lr=0.01)
    assert (given.graphs_a_step(rows), given.peak_lr(rows)) == (32, 0.01)
