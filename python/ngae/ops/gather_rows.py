"""`gather_rows` and `sum_by_index`: rows of a table by number, and the sums of rows by number.

Each is the other's gradient. torch's own indexing adds up one element of the list at a time, on
one thread of the CPU, and on CUDA in no fixed order.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ngae.errors import UsageError
from ngae.ops import _cuda, _library, reference
from ngae.ops.parameters import check_index, check_number, check_tensor
from ngae.threads import native_threads

_FEW_ROWS = 32  # whose lists are long, so that a block for each leaves a GPU idle

torch.library.define("ngae::gather_rows", "(Tensor table, Tensor index) -> Tensor")
torch.library.define(
    "ngae::gather_rows_backward", "(Tensor dout, Tensor index, SymInt num_rows) -> Tensor"
)


def gather_rows(table: Tensor, index: Tensor) -> Tensor:
    """Return `table[index]`.

    The gradient adds up in the order of `index`, for any number of threads.

    Args:
        table: (num_rows, columns), float32 or float64.
        index: int64 (count,), each 0 .. num_rows - 1.

    Returns:
        (count, columns), with a gradient for the table.

    Raises:
        UsageError: A shape, dtype or device that does not fit.
        IndexError: An index names no row.
    """
    check_number("gather_rows", "table", table)
    shape = (table.shape[0], table.shape[1]) if table.dim() > 1 else (0, 0)
    check_tensor("gather_rows", "table", table, shape, table)
    check_index("gather_rows", "index", index, table)
    if _library.backend("gather_rows", table.device) == "torch":
        return reference.gather_rows(table, index)
    result: Tensor = torch.ops.ngae.gather_rows(table, index)
    return result


def sum_by_index(values: Tensor, index: Tensor, num_rows: int) -> Tensor:
    """Add up the rows of `values` that have the same number.

        result_r = sum over i with index_i = r, ascending, of values_i

    Args:
        values: (count, columns), float32 or float64.
        index: int64 (count,), each 0 .. num_rows - 1.
        num_rows: Number of sums.

    Returns:
        (num_rows, columns), with a gradient for the values; 0 where no row has the number.

    Raises:
        UsageError: A shape, dtype or device that does not fit.
        IndexError: An index names no row; on CUDA it is not checked.
    """
    check_number("sum_by_index", "values", values)
    shape = (values.shape[0], values.shape[1]) if values.dim() > 1 else (0, 0)
    check_tensor("sum_by_index", "values", values, shape, values)
    check_index("sum_by_index", "index", index, values, shape[0])
    if num_rows < 0:
        raise UsageError(f"sum_by_index: num_rows: expected at least 0, found {num_rows}")
    if _library.backend("sum_by_index", values.device) == "torch":
        return reference.sum_by_index(values, index, num_rows)
    result: Tensor = torch.ops.ngae.gather_rows_backward(values, index, num_rows)
    return result


@torch.library.impl("ngae::gather_rows", ("CPU", "CUDA"))
def _forward(table: Tensor, index: Tensor) -> Tensor:
    return table.index_select(0, index)


@torch.library.impl("ngae::gather_rows_backward", "CPU")
def _backward(dout: Tensor, index: Tensor, num_rows: int) -> Tensor:
    dtable = dout.new_empty(num_rows, dout.shape[1])
    dout, index = dout.contiguous(), index.contiguous()
    _library.function("gather_rows_backward", dout.dtype)(
        [num_rows, dout.shape[1], index.shape[0]],
        native_threads(),
        index.data_ptr(),
        dout.data_ptr(),
        dtable.data_ptr(),
    )
    return dtable


def _backward_by_sorting(dout: Tensor, index: Tensor, num_rows: int) -> Tensor:
    """Sort the list, so that the terms of each sum are a run of it; few rows by a product."""
    if 0 < num_rows <= _FEW_ROWS:
        return _cuda.one_hot(index, num_rows).T @ dout
    ordered, order = torch.sort(index, stable=True)
    rows = torch.arange(num_rows + 1, device=index.device)
    return _sum_rows(dout.contiguous(), order, torch.searchsorted(ordered, rows))


def _sum_rows(values: Tensor, order: Tensor, ptr: Tensor) -> Tensor:
    """Add up on CUDA: row r of the result is the sum of values[order[ptr[r] : ptr[r + 1]]].

    Args:
        values: float32 (count, columns).
        order: int64 (count,).
        ptr: int64 (num_rows + 1,).
    """
    _cuda.require_float32("sum_by_index", values)
    sums = _cuda.empty(values, ptr.shape[0] - 1, values.shape[1])
    _cuda.call(
        "sum_rows",
        values.device,
        False,
        list(sums.shape),
        _library.addresses([ptr, order, values, sums]),
    )
    return sums


def _forward_fake(table: Tensor, index: Tensor) -> Tensor:
    return table.new_empty(index.shape[0], table.shape[1])


def _backward_fake(dout: Tensor, index: Tensor, num_rows: int) -> Tensor:
    return dout.new_empty(num_rows, dout.shape[1])


def _setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
    table, index = inputs
    ctx.num_rows = table.shape[0]
    ctx.save_for_backward(index)


def _autograd(ctx: Any, dout: Tensor) -> tuple[Tensor, None]:
    return torch.ops.ngae.gather_rows_backward(dout, *ctx.saved_tensors, ctx.num_rows), None


def _backward_setup(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: Tensor) -> None:
    ctx.save_for_backward(inputs[1])


def _backward_autograd(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
    return torch.ops.ngae.gather_rows(gradient, *ctx.saved_tensors), None, None


torch.library.impl("ngae::gather_rows_backward", "CUDA", _backward_by_sorting)
torch.library.register_fake("ngae::gather_rows", _forward_fake)
torch.library.register_fake("ngae::gather_rows_backward", _backward_fake)
torch.library.register_autograd("ngae::gather_rows", _autograd, setup_context=_setup_context)
torch.library.register_autograd(
    "ngae::gather_rows_backward", _backward_autograd, setup_context=_backward_setup
)
