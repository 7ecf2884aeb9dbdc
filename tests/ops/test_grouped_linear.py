"""`grouped_linear`: by hand, against the reference and `linear`, gradients, corners, equal bits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from ngae.errors import UsageError
from ngae.ops import grouped_linear, linear, reference

# Groups, rows, inputs, outputs: one of each, fewer groups than threads, more, groups that do not
# divide evenly, and sizes that are worth several threads.
SHAPES = [(1, 1, 1, 1), (2, 3, 5, 2), (5, 17, 33, 9), (3, 40, 7, 65), (8, 60, 130, 90)]


def draw(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def draw_all(
    shape: tuple[int, int, int, int], dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor]:
    groups, rows, inputs, outputs = shape
    tensors = (
        draw(groups, rows, inputs, dtype=dtype),
        draw(groups, outputs, inputs, dtype=dtype, seed=1) / inputs**0.5,
        draw(groups, outputs, dtype=dtype, seed=2),
    )
    return tuple(tensor.requires_grad_() for tensor in tensors)


def result_and_gradients(op: Callable[..., Tensor], *tensors: Tensor, **options: str) -> list:
    out = op(*tensors, **options)
    dout = draw(*out.shape, dtype=out.dtype, seed=3) / max(out.shape[1], 1) ** 0.5
    return [out, *torch.autograd.grad(out, tensors, dout)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("backend")
def test_by_hand(dtype: torch.dtype) -> None:
    x = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]], dtype=dtype, requires_grad=True)
    weight = torch.tensor([[[1.0, -1.0]], [[0.5, 2.0]]], dtype=dtype, requires_grad=True)
    bias = torch.tensor([[10.0], [0.0]], dtype=dtype, requires_grad=True)
    out = grouped_linear(x, weight, bias)
    assert_close(out, torch.tensor([[[9.0]], [[9.5]]], dtype=dtype))
    dout = torch.tensor([[[2.0]], [[-1.0]]], dtype=dtype)
    dx, dweight, dbias = torch.autograd.grad(out, (x, weight, bias), dout)
    assert_close(dx, torch.tensor([[[2.0, -2.0]], [[-0.5, -2.0]]], dtype=dtype))
    assert_close(dweight, torch.tensor([[[2.0, 4.0]], [[-3.0, -4.0]]], dtype=dtype))
    assert_close(dbias, torch.tensor([[2.0], [-1.0]], dtype=dtype))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("dtype", "precision"),
    [(torch.float32, "float32"), (torch.float64, "float32"), (torch.float32, "bf16")],
)
@pytest.mark.usefixtures("native")
def test_equals_reference(
    shape: tuple[int, int, int, int], dtype: torch.dtype, precision: str
) -> None:
    x, weight, bias = draw_all(shape, dtype)
    for rows in (x, x[0].detach().requires_grad_()):
        found = result_and_gradients(grouped_linear, rows, weight, bias, precision=precision)
        expected = result_and_gradients(
            reference.grouped_linear, rows, weight, bias, precision=precision
        )
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.usefixtures("native")
def test_a_group_is_a_linear_map(
    shape: tuple[int, int, int, int], threads: Callable[[int], None]
) -> None:
    tensors = draw_all(shape, torch.float32)
    for count in (1, 2, 3):
        threads(count)
        out, *gradients = result_and_gradients(grouped_linear, *tensors)
        dout = draw(*out.shape, dtype=out.dtype, seed=3) / max(out.shape[1], 1) ** 0.5
        for group in range(shape[0]):
            own = [tensor[group].detach().requires_grad_() for tensor in tensors]
            expected = linear(*own)
            assert torch.equal(out[group], expected)
            by_hand = torch.autograd.grad(expected, own, dout[group])
            for one, other in zip(gradients, by_hand, strict=True):
                assert torch.equal(one[group], other)


@pytest.mark.usefixtures("backend")
def test_gradcheck() -> None:
    x, weight, bias = draw_all((2, 4, 3, 5))
    assert torch.autograd.gradcheck(grouped_linear, (x, weight, bias))
    shared = x[0].detach().requires_grad_()
    assert torch.autograd.gradcheck(grouped_linear, (shared, weight, bias))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opcheck(dtype: torch.dtype) -> None:
    x, weight, bias = draw_all((2, 4, 3, 5), dtype)
    torch.library.opcheck(torch.ops.ngae.grouped_linear.default, (x, weight, bias, False))
    dout = draw(2, 4, 5, dtype=dtype)
    for needs_x in (True, False):
        arguments = (dout, x.detach(), weight.detach(), needs_x, False)
        torch.library.opcheck(torch.ops.ngae.grouped_linear_backward.default, arguments)


@pytest.mark.usefixtures("backend")
class TestCorners:
    def test_no_rows(self) -> None:
        x, weight, bias = draw_all((2, 0, 3, 5))
        out, dx, dweight, dbias = result_and_gradients(grouped_linear, x, weight, bias)
        assert out.shape == (2, 0, 5)
        assert dx.shape == (2, 0, 3)
        assert_close(dweight, torch.zeros(2, 5, 3, dtype=torch.float64))
        assert_close(dbias, torch.zeros(2, 5, dtype=torch.float64))

    def test_not_contiguous(self) -> None:
        tensors = draw_all((2, 6, 4, 9))
        expected = result_and_gradients(grouped_linear, *tensors)
        scattered = [t.detach().transpose(0, 1).contiguous().transpose(0, 1) for t in tensors]
        assert not any(t.is_contiguous() for t in scattered)
        found = result_and_gradients(grouped_linear, *(t.requires_grad_() for t in scattered))
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)

    def test_rows_that_need_no_gradient(self) -> None:
        x, weight, bias = draw_all((2, 6, 4, 9))
        expected = result_and_gradients(grouped_linear, x, weight, bias)[2:]
        found = result_and_gradients(lambda *own: grouped_linear(x.detach(), *own), weight, bias)[
            1:
        ]
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)

    def test_nan_stays_in_its_group(self) -> None:
        x, weight, bias = (tensor.detach() for tensor in draw_all((3, 2, 4, 5)))
        x[1, 0, 2] = torch.nan
        found = grouped_linear(x, weight, bias).isnan()
        assert found.all(dim=2).tolist() == [[False, False], [True, False], [False, False]]
        assert found.sum() == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(3, 4, 3)}, r"x: expected shape \(2, 4, 3\), found \(3, 4, 3\)"),
        ({"x": torch.zeros(4, 6)}, r"grouped_linear: x: expected shape \(4, 3\), found \(4, 6\)"),
        ({"x": torch.zeros(3)}, r"x: expected shape \(2, 0, 3\), found \(3,\)"),
        ({"x": torch.zeros(2, 4, 3).double()}, r"x: expected dtype torch.float32, found torch.flo"),
        ({"weight": torch.zeros(2, 5, 3).int()}, r"weight: expected float32 or float64, found"),
        ({"weight": torch.zeros(2, 5, 0)}, r"weight: expected shape \(groups, outputs, inputs\)"),
        ({"weight": torch.zeros(5, 3)}, r"weight: expected shape \(groups, outputs, inputs\)"),
        ({"bias": torch.zeros(2, 4)}, r"bias: expected shape \(2, 5\), found \(2, 4\)"),
        ({"bias": torch.zeros(2, 5, device="meta")}, r"bias: expected device cpu, found meta"),
        ({"precision": "half"}, r"precision: expected float32 or bf16 for torch.float32"),
    ],
)
@pytest.mark.usefixtures("backend")
def test_refuses(change: dict[str, object], message: str) -> None:
    arguments = {
        "x": torch.zeros(2, 4, 3),
        "weight": torch.zeros(2, 5, 3),
        "bias": torch.zeros(2, 5),
    }
    with pytest.raises(UsageError, match=message):
        grouped_linear(**{**arguments, **change})
