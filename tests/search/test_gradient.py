import math

import torch

from ngae.search.gradient import ascend


def test_ascent_climbs_to_the_top_of_a_hill():
    top = torch.tensor([0.5, -0.3, 0.2])
    starts = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    path = ascend(lambda z: -(z - top).square().sum(1), starts, steps=60, step_size=0.05)
    assert len(path) == 61
    assert torch.equal(path[0], starts)
    assert (path[-1] - top).norm(dim=1).max() < 2 * 0.05 * math.sqrt(3)


def test_steps_have_the_given_length_and_stay_near_the_prior():
    starts = torch.zeros(4, 16)
    path = ascend(lambda z: z[:, 0], starts, steps=100, step_size=0.1)
    torch.testing.assert_close((path[1] - path[0]).norm(dim=1), torch.full((4,), 0.4))
    assert path[-1].norm(dim=1).max() <= 1.5 * 4 + 1e-5


def test_a_flat_score_moves_nothing():
    starts = torch.randn(3, 4)
    path = ascend(lambda z: 0 * z.sum(1), starts, steps=3, step_size=1.0)
    torch.testing.assert_close(path[-1], starts)
