import numpy as np
import pytest
import torch

from ngae.search import regressors
from ngae.search.regressors import Kernel, Scale, fit
from ngae.search.updates import gradients

KERNELS = ["kernel-ridge", "gaussian-process"]


@pytest.fixture
def labels():
    """Points in four dimensions, and a smooth function of them."""
    points = torch.randn(80, 4, generator=torch.Generator().manual_seed(0)).double()
    return points, torch.sin(points[:, 0]) + 0.3 * points[:, 1] + 5


def test_a_kernel_is_a_sum_of_radial_functions():
    scale = Scale(torch.tensor([1.0, 0.0]), 2.0, 3.0, 10.0)
    kernel = Kernel(scale, torch.tensor([[0.0, 0.0], [1.0, 0.0]]), 0.5, torch.tensor([1.0, -2.0]))
    found = kernel(torch.tensor([[1.0, 0.0]]))  # the first labelled point, scaled
    torch.testing.assert_close(found, torch.tensor([3 + 10 * (1 - 2 * np.exp(-2))]).float())


@pytest.mark.parametrize("kind", KERNELS)
def test_gradients_of_kernels_are_finite_differences(labels, kind):
    pytest.importorskip("sklearn")
    regressor = fit(kind, *labels)
    points = torch.randn(6, 4, generator=torch.Generator().manual_seed(1)).double()
    found, step = gradients(regressor, points), 1e-5
    for axis in range(4):
        move = step * torch.eye(4).double()[axis]
        slope = (regressor(points + move) - regressor(points - move)) / (2 * step)
        torch.testing.assert_close(found[:, axis], slope, rtol=1e-6, atol=1e-7)


def test_kernels_predict_what_scikit_learn_does(labels):
    ridge = pytest.importorskip("sklearn.kernel_ridge")
    points, targets = labels
    regressor = fit("kernel-ridge", points[:60], targets[:60])
    scaled = regressor.scale.targets(targets[:60]).numpy()
    held = regressor.labelled.numpy()
    penalties = (
        ridge.KernelRidge(kernel="rbf", alpha=alpha, gamma=0.5 / regressor.length**2)
        .fit(held, scaled)
        .predict(regressor.scale.points(points[60:]).numpy())
        for alpha in regressors._PENALTIES
    )
    found = regressor.scale.targets(regressor(points[60:])).numpy()
    assert min(np.abs(found - predicted).max() for predicted in penalties) < 1e-9


@pytest.mark.parametrize("kind", ["mlp", *KERNELS])
def test_smooth_functions_are_learned(labels, kind):
    if kind != "mlp":
        pytest.importorskip("sklearn")
    points, targets = labels
    regressor = fit(kind, points[:60].float(), targets[:60].float())
    error = (regressor(points[60:].float()) - targets[60:]).square().mean()
    assert error < 0.35 * targets[60:].var()


def test_the_order_of_pairs_is_learned(labels):
    points, targets = labels
    stretched = torch.exp(4 * targets)
    regressor = fit("mlp", points[:60].float(), stretched[:60].float(), loss="ranking")
    held = regressor(points[:60].float())
    torch.testing.assert_close(held.mean(), stretched[:60].mean().float())
    torch.testing.assert_close(held.std(), stretched[:60].std().float())
    ranks = [torch.argsort(torch.argsort(v)).double() for v in (regressor(points.float()), targets)]
    assert torch.corrcoef(torch.stack([r[60:] for r in ranks]))[0, 1] > 0.8


def test_members_differ_and_the_seed_decides(labels):
    points, targets = (values.float() for values in labels)
    first, again, other = (fit("mlp", points, targets, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first(points), again(points))
    assert not torch.equal(first(points), other(points))
    members = first.members(first.scale.points(points))
    assert members.shape == (5, 80)
    assert float(members.std(dim=0).min()) > 0
    torch.testing.assert_close(first(points), first.scale.in_units(members.mean(dim=0)))


@pytest.mark.parametrize("kind", ["mlp", *KERNELS])
def test_equal_targets_and_a_single_label_are_learned(kind):
    if kind != "mlp":
        pytest.importorskip("sklearn")
    for count in (1, 5):
        points = torch.randn(count, 3, generator=torch.Generator().manual_seed(0))
        found = fit(kind, points, torch.full((count,), 7.0))(points)
        torch.testing.assert_close(found, torch.full((count,), 7.0), rtol=0, atol=0.1)
