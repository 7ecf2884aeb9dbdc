"""`grouped_linear`: linear maps of several groups of rows, each with its own weights, in one call.

The door `grouped_linear` checks its arguments; `torch.ops.ngae.grouped_linear` and
`grouped_linear_backward` behind it are native and differentiable.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ngae.errors import UsageError
from ngae.ops import _library, reference
from ngae.ops.parameters import check_number, check_precision, check_tensor

torch.library.define(
    "ngae::grouped_linear", "(Tensor x, Tensor weight, Tensor bias, bool bf16) -> Tensor"
)
torch.library.define(
    "ngae::grouped_linear_backward",
    "(Tensor dout, Tensor x, Tensor weight, bool needs_x, bool bf16) -> (Tensor, Tensor, Tensor)",
)


def grouped_linear(
    x: Tensor, weight: Tensor, bias: Tensor, *, precision: str = "float32"
) -> Tensor:
    """Compute `x_g @ weight_g.T + bias_g` for every group g.

    On the CPU a group's rows are what `ngae.ops.linear` gives of them, so nothing depends on other
    groups or on the number of threads.

    Args:
        x: (groups, rows, inputs), float32 or float64; or (rows, inputs), the same for all groups.
        weight: (groups, outputs, inputs); not empty.
        bias: (groups, outputs).
        precision: As in `ngae.ops.linear`.

    Returns:
        (groups, rows, outputs), with gradients for x, weight and bias.

    Raises:
        UsageError: A shape, dtype, device or precision that does not fit.
    """
    check_number("grouped_linear", "weight", weight)
    if weight.dim() != 3 or weight.numel() == 0:
        raise UsageError(
            "grouped_linear: weight: expected shape (groups, outputs, inputs), none 0, found "
            f"{tuple(weight.shape)}"
        )
    groups, outputs, inputs = weight.shape
    rows = x.shape[-2] if x.dim() > 1 else 0
    shape = (rows, inputs) if x.dim() == 2 else (groups, rows, inputs)
    check_tensor("grouped_linear", "x", x, shape, weight)
    check_tensor("grouped_linear", "bias", bias, (groups, outputs), weight)
    check_precision("grouped_linear", precision, weight)
    x = x.expand(groups, -1, -1)
    if _library.backend("grouped_linear", weight.device) != "cpp":  # on CUDA cuBLAS's business
        return reference.grouped_linear(x, weight, bias, precision=precision)
    result: Tensor = torch.ops.ngae.grouped_linear(x, weight, bias, precision == "bf16")
    return result


def _sizes(x: Tensor, weight: Tensor) -> list[int]:
    return [*x.shape, weight.shape[1]]


@torch.library.impl("ngae::grouped_linear", "CPU")
def _forward(x: Tensor, weight: Tensor, bias: Tensor, bf16: bool) -> Tensor:
    out = _forward_fake(x, weight, bias, bf16)
    inputs = _library.contiguous([x, weight, bias])
    _library.function("grouped_linear_forward", x.dtype)(
        _sizes(x, weight), _library.machine(bf16), _library.addresses(inputs), out.data_ptr()
    )
    return out


@torch.library.impl("ngae::grouped_linear_backward", "CPU")
def _backward(
    dout: Tensor, x: Tensor, weight: Tensor, needs_x: bool, bf16: bool
) -> tuple[Tensor, Tensor, Tensor]:
    gradients = _backward_fake(dout, x, weight, needs_x, bf16)
    inputs = _library.contiguous([dout, x, weight])
    _library.function("grouped_linear_backward", x.dtype)(
        _sizes(x, weight),
        _library.machine(bf16),
        _library.addresses(inputs),
        _library.addresses([gradients[0] if needs_x else None, *gradients[1:]]),
    )
    return gradients


def _forward_fake(x: Tensor, weight: Tensor, bias: Tensor, bf16: bool) -> Tensor:
    return x.new_empty(x.shape[0], x.shape[1], weight.shape[1])


def _backward_fake(
    dout: Tensor, x: Tensor, weight: Tensor, needs_x: bool, bf16: bool
) -> tuple[Tensor, Tensor, Tensor]:
    dx = x.new_empty(x.shape if needs_x else 0)
    return dx, x.new_empty(weight.shape), x.new_empty(weight.shape[:2])


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, _, ctx.bf16 = inputs
    ctx.save_for_backward(x, weight)


def _autograd(ctx: Any, dout: Tensor) -> tuple[Any, ...]:
    needs_x = ctx.needs_input_grad[0]
    dx, dweight, dbias = torch.ops.ngae.grouped_linear_backward(
        dout, *ctx.saved_tensors, needs_x, ctx.bf16
    )
    return dx if needs_x else None, dweight, dbias, None


torch.library.register_fake("ngae::grouped_linear", _forward_fake)
torch.library.register_fake("ngae::grouped_linear_backward", _backward_fake)
torch.library.register_autograd("ngae::grouped_linear", _autograd, setup_context=_setup_context)
