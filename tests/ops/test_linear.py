"""`linear`: by hand, against the reference, gradients, corners, and its promises of equality."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from ngae.errors import UsageError
from ngae.ops import linear, reference

# Rows, inputs, outputs: one of each, tails of every vector width, more rows than a block, more
# outputs than rows and the other way round, more inputs than a stretch or a group of panels.
SHAPES = [
    (1, 1, 1),
    (3, 5, 2),
    (2, 33, 17),
    (17, 16, 65),
    (150, 40, 31),
    (31, 40, 150),
    (260, 9, 100),
    (9, 1100, 7),
    (300, 530, 3),
    (5, 3, 530),
]


def draw(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return values.to(dtype).requires_grad_()


def draw_all(
    shape: tuple[int, int, int], dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor]:
    rows, inputs, outputs = shape
    weight = draw(outputs, inputs, dtype=dtype, seed=1).detach() / inputs**0.5
    return (
        draw(rows, inputs, dtype=dtype),
        weight.requires_grad_(),
        draw(outputs, dtype=dtype, seed=2),
    )


def result_and_gradients(op: Callable[..., Tensor], *tensors: Tensor, **options: str) -> list:
    out = op(*tensors, **options)
    dout = draw(*out.shape, dtype=out.dtype, seed=3).detach() / max(len(out), 1) ** 0.5
    return [out, *torch.autograd.grad(out, tensors, dout)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("backend")
def test_by_hand(dtype: torch.dtype) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=dtype, requires_grad=True)
    weight = torch.tensor([[1.0, 0.0], [1.0, -1.0], [0.5, 2.0]], dtype=dtype, requires_grad=True)
    bias = torch.tensor([0.0, 10.0, -1.0], dtype=dtype, requires_grad=True)
    out = linear(x, weight, bias)
    assert_close(out, torch.tensor([[1.0, 9.0, 3.5], [3.0, 9.0, 8.5]], dtype=dtype))
    dout = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]], dtype=dtype)
    dx, dweight, dbias = torch.autograd.grad(out, (x, weight, bias), dout)
    assert_close(dx, torch.tensor([[2.0, 4.0], [1.0, -1.0]], dtype=dtype))
    assert_close(dweight, torch.tensor([[1.0, 2.0], [3.0, 4.0], [2.0, 4.0]], dtype=dtype))
    assert_close(dbias, torch.tensor([1.0, 1.0, 2.0], dtype=dtype))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("native")
def test_equals_reference(shape: tuple[int, int, int], dtype: torch.dtype) -> None:
    tensors = draw_all(shape, dtype)
    for arguments in (tensors, tensors[:2]):
        found = result_and_gradients(linear, *arguments)
        expected = result_and_gradients(reference.linear, *arguments)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.usefixtures("native")
def test_bf16_equals_reference(shape: tuple[int, int, int]) -> None:
    """The operands are the same numbers on both sides, so only the order of adding differs."""
    tensors = draw_all(shape, torch.float32)
    found = result_and_gradients(linear, *tensors, precision="bf16")
    expected = result_and_gradients(reference.linear, *tensors, precision="bf16")
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)


@pytest.mark.usefixtures("native")
def test_bf16_rounds_both_operands() -> None:
    x = torch.tensor([[1.0, 1 + 2**-9]])  # the second rounds to 1
    weight = torch.tensor([[1.0, 1 + 2**-7]])
    assert linear(x, weight, precision="bf16").item() == 2 + 2**-7


@pytest.mark.usefixtures("backend")
def test_gradcheck() -> None:
    tensors = draw_all((4, 3, 5))
    assert torch.autograd.gradcheck(linear, tensors)
    assert torch.autograd.gradcheck(linear, tensors[:2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opcheck(dtype: torch.dtype) -> None:
    x, weight, bias = draw_all((4, 3, 5), dtype)
    for given in (bias, None):
        torch.library.opcheck(torch.ops.ngae.linear.default, (x, weight, given, False))
    for wanted in ([True, True, True], [False, True, False]):
        arguments = (draw(4, 5, dtype=dtype).detach(), x.detach(), weight.detach(), wanted, False)
        torch.library.opcheck(torch.ops.ngae.linear_backward.default, arguments)


@pytest.mark.usefixtures("backend")
class TestCorners:
    def test_no_rows(self) -> None:
        x, weight, bias = draw_all((0, 3, 5))
        out = linear(x, weight, bias)
        assert out.shape == (0, 5)
        dx, dweight, dbias = torch.autograd.grad(out.sum(), (x, weight, bias))
        assert dx.shape == (0, 3)
        assert_close(dweight, torch.zeros(5, 3, dtype=torch.float64))
        assert_close(dbias, torch.zeros(5, dtype=torch.float64))

    def test_not_contiguous(self) -> None:
        tensors = draw_all((6, 4, 9))
        expected = result_and_gradients(linear, *tensors)
        x, weight, bias = (t.detach() for t in tensors)
        scattered = [
            x.t().contiguous().t(),
            weight.t().contiguous().t(),
            torch.stack([bias, bias], 1)[:, 0],
        ]
        assert not any(t.is_contiguous() for t in scattered)
        found = result_and_gradients(linear, *(t.requires_grad_() for t in scattered))
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)

    def test_gradient_of_some_inputs_only(self) -> None:
        tensors = draw_all((6, 4, 9))
        expected = result_and_gradients(linear, *tensors)[1:]
        for i, gradient in enumerate(expected):
            chosen = [t.detach().requires_grad_(i == j) for j, t in enumerate(tensors)]
            out = linear(*chosen)
            dout = draw(6, 9, seed=3).detach() / 6**0.5
            assert_close(torch.autograd.grad(out, chosen[i], dout)[0], gradient)

    def test_nan_is_not_hidden(self) -> None:
        x, weight, bias = draw_all((3, 4, 5))
        x = x.detach().clone()
        x[1, 2] = torch.nan
        assert linear(x, weight, bias).isnan().all(dim=1).tolist() == [False, True, False]


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.usefixtures("native")
class TestSameBits:
    @pytest.mark.parametrize("shape", [(90, 700, 60), (40, 700, 170), (300, 200, 190)])
    def test_any_number_of_threads(
        self, precision: str, shape: tuple[int, int, int], threads: Callable[[int], None]
    ) -> None:
        tensors = draw_all(shape, torch.float32)
        threads(1)
        expected = result_and_gradients(linear, *tensors, precision=precision)
        for count in (2, 3):
            threads(count)
            found = result_and_gradients(linear, *tensors, precision=precision)
            assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))

    @pytest.mark.parametrize(("inputs", "outputs"), [(600, 33), (45, 70), (7, 600)])
    def test_any_rows_beside_a_row(self, precision: str, inputs: int, outputs: int) -> None:
        """Fewer rows than outputs and more of them take different ways through the kernels."""
        x, weight, bias = draw_all((150, inputs, outputs), torch.float32)
        dout = draw(150, outputs, dtype=torch.float32, seed=4)
        out = linear(x, weight, bias, precision=precision)
        (dx,) = torch.autograd.grad(out, x, dout)
        for rows in (slice(0, 1), slice(20, 40), slice(149, 150), slice(30, 145)):
            part = x[rows].detach().requires_grad_()
            found = linear(part, weight, bias, precision=precision)
            assert torch.equal(found, out[rows])
            assert torch.equal(torch.autograd.grad(found, part, dout[rows])[0], dx[rows])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(4, 6)}, r"linear: x: expected shape \(4, 3\), found \(4, 6\)"),
        ({"x": torch.zeros(3)}, r"linear: x: expected shape \(3, 3\), found \(3,\)"),
        ({"x": torch.zeros(4, 3).double()}, r"x: expected dtype torch.float32, found torch.flo"),
        ({"weight": torch.zeros(5, 3).int()}, r"weight: expected float32 or float64, found"),
        ({"weight": torch.zeros(5, 0)}, r"weight: expected shape \(outputs, inputs\), none 0"),
        ({"weight": torch.zeros(3)}, r"weight: expected shape \(outputs, inputs\), none 0"),
        ({"bias": torch.zeros(4)}, r"linear: bias: expected shape \(5,\), found \(4,\)"),
        ({"bias": torch.zeros(5, device="meta")}, r"bias: expected device cpu, found meta"),
        ({"precision": "half"}, r"precision: expected float32 or bf16 for torch.float32"),
    ],
)
@pytest.mark.usefixtures("backend")
def test_refuses(change: dict[str, object], message: str) -> None:
    arguments = {"x": torch.zeros(4, 3), "weight": torch.zeros(5, 3), "bias": torch.zeros(5)}
    with pytest.raises(UsageError, match=message):
        linear(**{**arguments, **change})
