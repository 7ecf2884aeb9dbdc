import math

import pytest
import torch

from ngae.search.updates import ascend, gradients, hessians, newton_step


def points_of(count, width, seed=0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)).double() / 3


def quadratic(width, signs=1.0):
    """A function with its top at `top`, curved differently along turned axes."""
    axes, _ = torch.linalg.qr(points_of(width, width, 1))
    curvature = torch.linspace(1, 5, width).double() * signs
    matrix = axes @ torch.diag(curvature) @ axes.T
    top = points_of(1, width, 2)[0]

    def score(points):
        apart = points - top
        return -0.5 * ((apart @ matrix) * apart).sum(dim=1)

    return score, top, matrix


def test_one_newton_step_reaches_the_top_of_a_quadratic():
    score, top, _ = quadratic(6)
    starts = points_of(5, 6)
    found = ascend(score, starts, 1, 0.5, "newton", 5)
    assert found.shape == (1, 5, 6)
    torch.testing.assert_close(found[0], top.expand(5, 6))


def test_gradients_and_hessians_are_those_of_each_point():
    score, top, matrix = quadratic(4)
    points = points_of(3, 4)
    torch.testing.assert_close(gradients(score, points), -(points - top) @ matrix)
    torch.testing.assert_close(hessians(score, points), -matrix.expand(3, 4, 4))


def test_a_newton_step_is_damped_to_five_gradient_steps():
    score, _, matrix = quadratic(4)
    points = points_of(3, 4) + 100
    step = newton_step(score, points, 0.1)
    torch.testing.assert_close(step.norm(dim=1), torch.full((3,), 0.5).double())
    slope = gradients(score, points)
    assert (score(points + step) > score(points)).all()
    damping = torch.stack(
        [((slope[k] - matrix @ step[k]) @ step[k]) / step[k].square().sum() for k in range(3)]
    )
    torch.testing.assert_close(step @ matrix + damping[:, None] * step, slope)


def test_where_the_curvature_is_upward_a_newton_step_is_a_gradient_step():
    score, _, _ = quadratic(4, signs=-1.0)
    points = points_of(3, 4)
    slope = gradients(score, points)
    expected = 0.1 * slope / slope.norm(dim=1, keepdim=True)
    torch.testing.assert_close(newton_step(score, points, 0.1), expected)


@pytest.mark.parametrize("update", ["gradient", "newton"])
def test_ascents_go_up_and_stay_within_the_sphere(update):
    points = points_of(20, 6)
    found = ascend(lambda z: z[:, 0] + 0.1 * z.sin().sum(dim=1), points, 60, 0.2, update, 4)
    assert found.shape == (4, 20, 6)
    assert found.norm(dim=2).max() <= 1.5 * math.sqrt(6) + 1e-9
    heights = found[..., 0].mean(dim=1)
    assert (heights > points[:, 0].mean() + 1).all()


@pytest.mark.parametrize(("steps", "kept"), [(1, 1), (3, 3), (50, 5)])
def test_the_end_is_kept_and_the_start_is_not(steps, kept):
    starts = torch.zeros(1, 1).double()
    found = ascend(lambda z: z[:, 0], starts, steps, 0.01, "gradient", 5)
    assert len(found) == kept
    torch.testing.assert_close(found[-1], torch.full((1, 1), 0.01 * steps).double())
    assert (found > 0).all()


def test_where_nothing_slopes_nothing_moves():
    points = points_of(3, 4)
    for update in ("gradient", "newton"):
        found = ascend(lambda z: 0 * z.square().sum(dim=1), points, 2, 0.1, update, 2)
        torch.testing.assert_close(found[-1], points)
