"""`gather_rows`: by hand, against the reference, gradients, corners, and its promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.testing import assert_close

from ngae.errors import UsageError
from ngae.ops import gather_rows, reference


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("backend")
def test_by_hand(dtype: torch.dtype) -> None:
    table = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype=dtype, requires_grad=True)
    out = gather_rows(table, torch.tensor([2, 0, 2]))
    assert_close(out, torch.tensor([[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]], dtype=dtype))
    dout = torch.tensor([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]], dtype=dtype)
    (gradient,) = torch.autograd.grad(out, table, dout)
    assert_close(gradient, torch.tensor([[10.0, 20.0], [0.0, 0.0], [101.0, 202.0]], dtype=dtype))


@pytest.mark.parametrize("columns", [1, 17, 130])
@pytest.mark.parametrize("count", [0, 1, 700])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("native")
def test_equals_reference(columns: int, count: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(40, columns, generator=generator, dtype=dtype).requires_grad_()
    index = torch.randint(40, (count,), generator=generator)
    dout = torch.randn(count, columns, generator=generator, dtype=dtype)
    results = []
    for op in (gather_rows, reference.gather_rows):
        out = op(table, index)
        results.append((out, *torch.autograd.grad(out, table, dout)))
    for found, expected in zip(*results, strict=True):
        assert_close(found, expected)


@pytest.mark.usefixtures("backend")
def test_gradcheck() -> None:
    table = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    index = torch.tensor([3, 0, 0, 2, 3])
    assert torch.autograd.gradcheck(gather_rows, (table, index))


@pytest.mark.usefixtures("backend")
def test_not_contiguous() -> None:
    table = torch.arange(12.0).view(3, 4).t().requires_grad_()
    index = torch.tensor([[3, 9], [1, 9]])[:, 0]
    out = gather_rows(table, index)
    assert_close(out, torch.tensor([[3.0, 7.0, 11.0], [1.0, 5.0, 9.0]]))
    (gradient,) = torch.autograd.grad(out.sum(), table)
    assert_close(gradient, torch.tensor([0.0, 1.0, 0.0, 1.0])[:, None].expand(4, 3))


def test_opcheck() -> None:
    table, index = torch.randn(4, 3, requires_grad=True), torch.tensor([3, 0, 0])
    torch.library.opcheck(torch.ops.ngae.gather_rows.default, (table, index))
    arguments = (torch.ones(3, 3), index, 4)
    torch.library.opcheck(torch.ops.ngae.gather_rows_backward.default, arguments)


@pytest.mark.usefixtures("native")
def test_same_bits_for_any_number_of_threads(threads: Callable[[int], None]) -> None:
    generator = torch.Generator().manual_seed(0)
    table = torch.zeros(5, 50, requires_grad=True)
    index = torch.randint(5, (90_000,), generator=generator)
    dout = torch.randn(90_000, 50, generator=generator)
    gradients = []
    for count in (1, 2, 3):
        threads(count)
        gradients.append(torch.autograd.grad(gather_rows(table, index), table, dout)[0])
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])


@pytest.mark.usefixtures("backend")
def test_refuses() -> None:
    table, index = torch.zeros(4, 3), torch.tensor([0, 4])
    with pytest.raises(UsageError, match=r"index: expected dtype torch.int64, found torch.int32"):
        gather_rows(table, index.int())
    with pytest.raises(UsageError, match=r"table: expected shape \(0, 0\), found \(4,\)"):
        gather_rows(torch.zeros(4), index)
    with pytest.raises(IndexError):
        gather_rows(table, index)
    with pytest.raises(IndexError):
        gather_rows(table, -index)
