"""The native step of Adam against torch's clipping and Adam."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ngae.errors import UsageError
from ngae.ops.adam import adam_step

SHAPES = [(3,), (40, 17), (1,), (0, 4), (300, 101)]
LARGE = [(3,), (900, 301)]  # more numbers than one thread takes


Shapes = list[tuple[int, ...]]


def draws(dtype: torch.dtype, seed: int, shapes: Shapes = SHAPES) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def steps(
    dtype: torch.dtype, clip: float, shapes: Shapes = SHAPES
) -> tuple[list[Tensor], list[float]]:
    weights = draws(dtype, 0, shapes)
    means, squares = [torch.zeros_like(w) for w in weights], [torch.zeros_like(w) for w in weights]
    norms = [
        adam_step(
            weights, draws(dtype, step, shapes), means, squares, step=step, lr=0.01, clip=clip
        )
        for step in range(1, 5)
    ]
    return [*weights, *means, *squares], norms


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("clip", [0.1, 1e9])
@pytest.mark.usefixtures("native")
def test_equals_torch(dtype: torch.dtype, clip: float) -> None:
    weights = [torch.nn.Parameter(w) for w in draws(dtype, 0)]
    optimizer = torch.optim.Adam(weights, lr=0.01)
    found, norms = steps(dtype, clip)
    for step, norm in enumerate(norms, start=1):
        for weight, gradient in zip(weights, draws(dtype, step), strict=True):
            weight.grad = gradient
        expected = torch.nn.utils.clip_grad_norm_(weights, clip)
        torch.testing.assert_close(torch.tensor(norm, dtype=dtype), expected)
        optimizer.step()
    states = [optimizer.state[w] for w in weights]
    expected_all = [*weights, *(s["exp_avg"] for s in states), *(s["exp_avg_sq"] for s in states)]
    for one, other in zip(found, expected_all, strict=True):
        torch.testing.assert_close(one, other.detach())


def test_by_hand() -> None:
    weight, mean, square = torch.tensor([1.0]), torch.zeros(1), torch.zeros(1)
    norm = adam_step([weight], [torch.tensor([6.0])], [mean], [square], step=1, lr=0.5, clip=2.0)
    assert norm == 6
    torch.testing.assert_close(mean, torch.tensor([0.2]))  # (1 - 0.9) * 2
    torch.testing.assert_close(square, torch.tensor([0.004]))  # (1 - 0.999) * 4
    torch.testing.assert_close(weight, torch.tensor([0.5]))  # the first step is lr * sign


@pytest.mark.usefixtures("native")
def test_same_bits_for_any_number_of_threads(threads: Callable[[int], None]) -> None:
    results = []
    for count in (1, 2, 3):
        threads(count)
        results.append(steps(torch.float32, 1.0, LARGE))
    for tensors, norms in results[1:]:
        assert norms == results[0][1]
        for one, other in zip(tensors, results[0][0], strict=True):
            assert torch.equal(one, other)


def test_a_gradient_that_is_not_a_number_is_not_hidden() -> None:
    weights, zeros = [torch.ones(2)], [torch.zeros(2)]
    gradient = torch.tensor([1.0, torch.nan])
    adam_step(weights, [gradient], zeros, [torch.zeros(2)], step=1, lr=0.1, clip=1.0)
    assert weights[0].isnan().all()


def test_nothing_to_do() -> None:
    assert adam_step([], [], [], [], step=1, lr=0.1, clip=1.0) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gradients": []}, "gradients: expected tensors 1, found 0"),
        ({"means": [torch.zeros(3)]}, r"means: expected shape \(2,\), found \(3,\)"),
        ({"squares": [torch.zeros(2).double()]}, "squares: expected dtype torch.float32, found"),
        ({"weights": [torch.zeros(2).int()]}, "weights: expected float32 or float64, found"),
        ({"means": [torch.zeros(4)[::2]]}, "means: expected contiguous tensors, found others"),
        ({"step": 0}, "step: expected at least 1, found 0"),
    ],
)
def test_refuses(change: dict[str, object], message: str) -> None:
    names = ("weights", "gradients", "means", "squares")
    arguments: dict[str, object] = {name: [torch.zeros(2)] for name in names}
    arguments |= {"step": 1, "lr": 0.1, "clip": 1.0} | change
    with pytest.raises(UsageError, match=message):
        adam_step(**arguments)  # type: ignore[arg-type]
