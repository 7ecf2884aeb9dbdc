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
        return _rounded(x) @ _rounded(weight).T

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = map(_rounded, ctx.saved_tensors)
        gradient = _rounded(gradient)
        return gradient @ weight, gradient.T @ x


def _rounded(x: Tensor) -> Tensor:
    return x.bfloat16().to(x.dtype)


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
