"""`ascend` on the emulated GPU takes the paths that the CPU engine and the reference take."""

import math

import pytest
import torch

from ngae.errors import UsageError
from ngae.ops import PredictorParameters, ascend, reference
from ngae.ops.ascend import _ascend_cuda

from .emulator import ORDERS


def make_predictor(hidden=19, outputs=1, latent=3, seed=1):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        values = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return (values / shape[-1] ** 0.5).float()

    return PredictorParameters(
        first=draw(hidden, latent),
        first_bias=draw(hidden),
        second=draw(hidden, hidden),
        second_bias=draw(hidden),
        output=draw(outputs, hidden),
        output_bias=draw(outputs),
        coefficient=draw(outputs),
    )


def make_points(count, latent=3):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(count, latent, generator=generator, dtype=torch.float64).float()


def double(predictor):
    return PredictorParameters(*(weight.double() for weight in predictor))


def run(ops, starts, predictors, *, step_size=0.05, keep, bf16=False, order="forward"):
    weights = [weight for predictor in predictors for weight in predictor]
    return ops.run(_ascend_cuda, starts, weights, step_size, keep, bf16, order=order)


def assert_equals_cpu(ops, starts, predictors, *, order="forward", **choices):
    found = run(ops, starts, predictors, order=order, **choices)
    arguments = {"step_size": choices.get("step_size", 0.05), "keep": choices["keep"]}
    torch.testing.assert_close(found, ascend(starts, predictors, **arguments))
    exact = reference.ascend(starts.double(), [double(p) for p in predictors], **arguments)
    torch.testing.assert_close(found, exact.float())
    return found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("count", [1, 65])
@pytest.mark.parametrize(
    ("latent", "sizes"),
    [(3, [(19, 1)]), (40, [(33, 1), (70, 3)]), (1, [(6, 2)]), (33, [(7, 2), (40, 1), (5, 1)])],
)
def test_equals_cpu_and_reference(ops, order, count, latent, sizes):
    predictors = [
        make_predictor(hidden, outputs, latent, seed)
        for seed, (hidden, outputs) in enumerate(sizes)
    ]
    starts = make_points(count, latent)
    found = assert_equals_cpu(ops, starts, predictors, keep=[4, 0, 2, 2], order=order)
    assert torch.equal(found[1], starts)
    assert torch.equal(found[2], found[3])
    assert not torch.equal(found[0], found[2])


def test_points_are_drawn_back_to_the_radius(ops):
    starts = 3 * make_points(10, 40)
    found = assert_equals_cpu(ops, starts, [make_predictor(latent=40)], step_size=0.5, keep=[1, 6])
    radius = torch.full((10,), 1.5 * math.sqrt(40))
    torch.testing.assert_close(found[0].norm(dim=1), radius)


def test_steps_along_the_gradient(ops):
    values = ([[3.0, 4.0]], [100.0], [[1.0]], [0.0], [[0.01]], [-1.0], [-1.0])
    linear = PredictorParameters(*map(torch.tensor, values))
    starts = torch.tensor([[0.0, 0.0], [1.0, -0.5]])
    found = run(ops, starts, [linear], step_size=0.1, keep=[0, 3, 1])
    step = -0.1 * math.sqrt(2) * torch.tensor([0.6, 0.8])
    torch.testing.assert_close(found, torch.stack([starts, starts + 3 * step, starts + step]))
    opposite = linear._replace(coefficient=torch.tensor([1.0]))
    still = run(ops, starts, [linear, opposite], step_size=0.5, keep=[2])
    assert torch.equal(still, starts[None])


@pytest.mark.parametrize("order", ORDERS)
def test_steps_that_are_kept(ops, order):
    starts, predictors = make_points(9), [make_predictor(), make_predictor(5, 2, seed=3)]
    whole = run(ops, starts, predictors, keep=[0, 1, 2, 3], order=order)
    for keep in ([0], [0, 0], [3], [2, 0, 3, 2, 1]):
        assert torch.equal(run(ops, starts, predictors, keep=keep, order=order), whole[keep])
    assert torch.equal(whole[0], starts)


def test_no_points_and_nothing_kept(ops):
    assert run(ops, make_points(0), [make_predictor()], keep=[3, 1]).shape == (2, 0, 3)
    assert run(ops, make_points(4), [make_predictor()], keep=[]).shape == (0, 4, 3)


def test_a_point_does_not_depend_on_those_beside_it(ops):
    starts, predictors = make_points(70), [make_predictor(outputs=2)]
    whole = run(ops, starts, predictors, keep=[3], order="random")
    assert torch.equal(run(ops, starts[60:], predictors, keep=[3]), whole[:, 60:])


def test_what_is_not_a_number_stays_visible_and_alone(ops):
    starts = make_points(3)
    starts[1, 2] = math.nan
    found = run(ops, starts, [make_predictor()], keep=[2])[0]
    assert found.isnan().any(dim=1).tolist() == [False, True, False]
    for name in ("first", "first_bias", "second", "second_bias", "output"):
        one = make_predictor()
        getattr(one, name).view(-1)[0] = math.nan
        assert run(ops, make_points(3), [one], keep=[1]).isnan().all(), name


@pytest.mark.parametrize("order", ORDERS)
def test_bf16_rounds_the_operands_of_products(ops, order):
    """A last bit of float32 may round to the next bfloat16: compare whole steps."""
    predictors = [make_predictor(64, 1, 33), make_predictor(40, 2, 33)]
    starts = make_points(61, 33)
    found, exact = (
        run(ops, starts, predictors, keep=[1], bf16=bf16, order=order)[0] - starts
        for bf16 in (True, False)
    )
    expected = reference.ascend(starts, predictors, step_size=0.05, keep=[1], precision="bf16")
    expected = expected[0] - starts
    assert (found - expected).norm() < 1e-3 * expected.norm()
    assert 1e-3 * exact.norm() < (found - exact).norm() < 5e-2 * exact.norm()


def test_float64_is_refused(ops):
    with pytest.raises(UsageError, match="ascend: expected float32 on cpu") as raised:
        run(ops, make_points(2).double(), [double(make_predictor())], keep=[1])
    assert "NGAE_OPS=torch" in raised.value.remedy
