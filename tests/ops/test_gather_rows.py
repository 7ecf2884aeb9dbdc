"""`gather_rows` and `sum_by_index`: by hand, against the reference, gradients, corners."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from ngae.errors import UsageError
from ngae.ops import gather_rows, reference, sum_by_index


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


class TestSumByIndex:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.usefixtures("backend")
    def test_by_hand(self, dtype: torch.dtype) -> None:
        values = torch.tensor([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]], dtype=dtype)
        values.requires_grad_()
        sums = sum_by_index(values, torch.tensor([2, 0, 2]), 4)
        expected = [[10.0, 20.0], [0.0, 0.0], [101.0, 202.0], [0.0, 0.0]]
        assert_close(sums, torch.tensor(expected, dtype=dtype))
        dsums = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], dtype=dtype)
        (gradient,) = torch.autograd.grad(sums, values, dsums)
        assert_close(gradient, torch.tensor([[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]], dtype=dtype))

    @pytest.mark.parametrize("columns", [1, 17])
    @pytest.mark.parametrize(("count", "num_rows"), [(0, 3), (0, 0), (1, 1), (700, 40)])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.usefixtures("native")
    def test_equals_reference(
        self, columns: int, count: int, num_rows: int, dtype: torch.dtype
    ) -> None:
        values, index = draw(count, columns, num_rows, dtype)
        results = []
        for op in (sum_by_index, reference.sum_by_index):
            sums = op(values, index, num_rows)
            weights = torch.linspace(-1, 2, sums.numel(), dtype=dtype).view(sums.shape)
            results.append((sums, *torch.autograd.grad(sums, values, weights)))
        for found, expected in zip(*results, strict=True):
            assert_close(found, expected)

    @pytest.mark.usefixtures("backend")
    def test_gradcheck(self) -> None:
        values, index = draw(6, 3, 4, torch.float64)
        arguments = (values, index, 5)
        assert torch.autograd.gradcheck(sum_by_index, arguments)
        assert torch.autograd.gradgradcheck(sum_by_index, arguments)

    @pytest.mark.usefixtures("backend")
    def test_gradients_of_gradients_of_rows(self) -> None:
        table = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
        index = torch.tensor([3, 0, 0, 2, 3])
        assert torch.autograd.gradgradcheck(lambda t: gather_rows(t, index).square(), (table,))

    def test_opcheck(self) -> None:
        values, index = draw(3, 2, 4, torch.float32)
        torch.library.opcheck(torch.ops.ngae.gather_rows_backward.default, (values, index, 4))

    @pytest.mark.usefixtures("backend")
    def test_refuses(self) -> None:
        values, index = torch.zeros(2, 3), torch.tensor([0, 4])
        message = r"sum_by_index: index: expected shape \(2,\), found \(1,\)"
        with pytest.raises(UsageError, match=message):
            sum_by_index(values, index[:1], 5)
        with pytest.raises(UsageError, match=r"values: expected shape \(0, 0\), found \(2,\)"):
            sum_by_index(values[:, 0], index, 5)
        with pytest.raises(UsageError, match=r"num_rows: expected at least 0, found -1"):
            sum_by_index(values, index, -1)

    @pytest.mark.usefixtures("native")
    def test_refuses_a_number_without_a_row(self) -> None:
        with pytest.raises(IndexError, match=r"index\[1\]: expected 0..3, found 4"):
            sum_by_index(torch.zeros(2, 3), torch.tensor([0, 4]), 4)


def draw(count: int, columns: int, num_rows: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(count)
    values = torch.randn(count, columns, generator=generator, dtype=dtype).requires_grad_()
    return values, torch.randint(max(num_rows, 1), (count,), generator=generator)


def in_order(values: Tensor, order: Tensor, ptr: Tensor) -> Tensor:
    """Compute what the CUDA kernel does, one addition at a time."""
    sums = values.new_zeros(len(ptr) - 1, values.shape[1])
    for row in range(len(ptr) - 1):
        for i in order[ptr[row] : ptr[row + 1]].tolist():
            sums[row] += values[i]
    return sums


@pytest.mark.parametrize("columns", [1, 5])
@pytest.mark.parametrize(("count", "num_rows"), [(0, 0), (0, 3), (1, 1), (60, 7), (60, 90)])
def test_on_cuda_sums_are_runs_of_the_sorted_list(
    count: int, columns: int, num_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sum adds up in the order of the list, like the CPU's, so both have the same bits."""
    module = sys.modules["ngae.ops.gather_rows"]
    monkeypatch.setattr(module, "_sum_rows", in_order)
    values, index = draw(count, columns, num_rows, torch.float32)
    found = module._backward_by_sorting(values.detach(), index, num_rows)
    assert torch.equal(found, torch.ops.ngae.gather_rows_backward(values, index, num_rows))


@pytest.mark.gpu
@pytest.mark.parametrize("columns", [1, 130])
@pytest.mark.parametrize(("count", "num_rows"), [(0, 3), (1, 1), (700, 40), (40, 700)])
def test_on_a_device(count: int, columns: int, num_rows: int, cuda_device: torch.device) -> None:
    values, index = draw(count, columns, num_rows, torch.float32)
    table = draw(num_rows, columns, num_rows, torch.float32)[0]
    results = []
    for device in (torch.device("cpu"), cuda_device):
        there = [t.detach().to(device).requires_grad_() for t in (values, table)]
        at = index.to(device)
        sums, rows = sum_by_index(there[0], at, num_rows), gather_rows(there[1], at)
        gradients = torch.autograd.grad(sums.square().sum() + rows.square().sum(), there)
        results.append([tensor.cpu() for tensor in (sums, rows, *gradients)])
    for found, expected in zip(*results, strict=True):
        assert_close(found, expected)
