"""Products of rows with a weight in plain PyTorch, exact or with operands rounded to bfloat16."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class _RoundedProduct(torch.autograd.Function):
    """`x @ weight.T` whose operands are rounded, in both directions, and added up in float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return matmul(x, weight.T, True)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return matmul(gradient, weight, True), matmul(gradient.T, x, True)


def matmul(x: Tensor, y: Tensor, bf16: bool) -> Tensor:
    """Return `x @ y`; x (rows, depth), y (depth, columns).

    Args:
        x: The left matrix.
        y: The right matrix.
        bf16: Round both to bfloat16, and add up in float32.
    """
    if not bf16:
        return x @ y
    x, y = x.bfloat16(), y.bfloat16()
    if x.device.type == "cuda":
        return torch.mm(x, y, out_dtype=torch.float32)
    return x.float() @ y.float()


def product(x: Tensor, weight: Tensor, precision: str, bias: Tensor | None = None) -> Tensor:
    """Return `x @ weight.T + bias`; x (rows, inputs), weight (outputs, inputs).

    Args:
        x: The rows.
        weight: The weight.
        precision: "float32", or "bf16" for operands rounded to bfloat16.
        bias: (outputs,), or None.
    """
    if precision == "bf16":
        rounded: Tensor = _RoundedProduct.apply(x, weight)
        return rounded if bias is None else rounded + bias
    return functional.linear(x, weight, bias)
