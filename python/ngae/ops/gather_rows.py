"""`gather_rows`: rows of a table by number, with a gradient that is one sum per row.

torch's own indexing adds up gradients one element of the list at a time, on one thread.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ngae.ops import _library, reference
from ngae.ops.parameters import check_index, check_number, check_tensor

torch.library.define("ngae::gather_rows", "(Tensor table, Tensor index) -> Tensor")
torch.library.define(
    "ngae::gather_rows_backward", "(Tensor dout, Tensor index, SymInt num_rows) -> Tensor"
)


def gather_rows(table: Tensor, index: Tensor) -> Tensor:
    """Return `table[index]`.

    On the CPU the gradient does not depend on the number of threads.

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


@torch.library.impl("ngae::gather_rows", "CPU")
def _forward(table: Tensor, index: Tensor) -> Tensor:
    return table.index_select(0, index)


@torch.library.impl("ngae::gather_rows_backward", "CPU")
def _backward(dout: Tensor, index: Tensor, num_rows: int) -> Tensor:
    dtable = dout.new_empty(num_rows, dout.shape[1])
    dout, index = dout.contiguous(), index.contiguous()
    _library.function("gather_rows_backward", dout.dtype)(
        [num_rows, dout.shape[1], index.shape[0]],
        torch.get_num_threads(),
        index.data_ptr(),
        dout.data_ptr(),
        dtable.data_ptr(),
    )
    return dtable


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


torch.library.register_fake("ngae::gather_rows", _forward_fake)
torch.library.register_fake("ngae::gather_rows_backward", _backward_fake)
torch.library.register_autograd("ngae::gather_rows", _autograd, setup_context=_setup_context)
