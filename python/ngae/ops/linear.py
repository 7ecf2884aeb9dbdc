"""`linear`: a linear map of many rows, exact or with operands rounded to bfloat16.

The door `linear` checks its arguments; `torch.ops.ngae.linear` and `linear_backward` behind it are
native and differentiable.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ngae.errors import UsageError
from ngae.ops import _library, reference
from ngae.ops.parameters import check_number, check_precision, check_tensor

torch.library.define("ngae::linear", "(Tensor x, Tensor weight, Tensor? bias, bool bf16) -> Tensor")
torch.library.define(
    "ngae::linear_backward",
    "(Tensor dout, Tensor x, Tensor weight, bool[3] wanted, bool bf16) -> Tensor[]",
)


def linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, precision: str = "float32"
) -> Tensor:
    """Compute `x @ weight.T + bias`.

    On the CPU a row of the result and of x's gradient depends on no other row, and nothing on the
    number of threads.

    Args:
        x: (rows, inputs), float32 or float64.
        weight: (outputs, inputs), as in torch.nn.Linear; not empty.
        bias: (outputs,), or None.
        precision: "float32": as the numbers are; "bf16": the operands of the products, forward
            and backward, are rounded to bfloat16 and added up in float32.

    Returns:
        (rows, outputs), with gradients for x, weight and bias.

    Raises:
        UsageError: A shape, dtype, device or precision that does not fit.
    """
    check_number("linear", "weight", weight)
    if weight.dim() != 2 or weight.numel() == 0:
        raise UsageError(
            f"linear: weight: expected shape (outputs, inputs), none 0, found {tuple(weight.shape)}"
        )
    outputs, inputs = weight.shape
    check_tensor("linear", "x", x, (x.shape[0] if x.dim() else 0, inputs), weight)
    check_tensor("linear", "bias", bias, (outputs,), weight)
    check_precision("linear", precision, weight)
    if _library.backend("linear", weight.device) != "cpp":  # torch's own product on CUDA, too
        return reference.linear(x, weight, bias, precision=precision)
    result: Tensor = torch.ops.ngae.linear(x, weight, bias, precision == "bf16")
    return result


def _sizes(x: Tensor, weight: Tensor) -> list[int]:
    return [x.shape[0], weight.shape[1], weight.shape[0]]


@torch.library.impl("ngae::linear", "CPU")
def _forward(x: Tensor, weight: Tensor, bias: Tensor | None, bf16: bool) -> Tensor:
    out = x.new_empty(x.shape[0], weight.shape[0])
    inputs = _library.contiguous([x, weight, bias])
    _library.function("linear_forward", x.dtype)(
        _sizes(x, weight), _library.machine(bf16), _library.addresses(inputs), out.data_ptr()
    )
    return out


def _empty_gradients(x: Tensor, weight: Tensor, wanted: list[bool]) -> list[Tensor]:
    """Gradients of x, weight and bias; those that are not wanted have no elements."""
    shapes = (x.shape, weight.shape, weight.shape[:1])
    pairs = zip(shapes, wanted, strict=True)
    return [x.new_empty(shape if is_wanted else 0) for shape, is_wanted in pairs]


@torch.library.impl("ngae::linear_backward", "CPU")
def _backward(
    dout: Tensor, x: Tensor, weight: Tensor, wanted: list[bool], bf16: bool
) -> list[Tensor]:
    gradients = _empty_gradients(x, weight, wanted)
    inputs = _library.contiguous([dout, x, weight])
    pairs = zip(gradients, wanted, strict=True)
    _library.function("linear_backward", x.dtype)(
        _sizes(x, weight),
        _library.machine(bf16),
        _library.addresses(inputs),
        _library.addresses([gradient if is_wanted else None for gradient, is_wanted in pairs]),
    )
    return gradients


def _forward_fake(x: Tensor, weight: Tensor, bias: Tensor | None, bf16: bool) -> Tensor:
    return x.new_empty(x.shape[0], weight.shape[0])


def _backward_fake(
    dout: Tensor, x: Tensor, weight: Tensor, wanted: list[bool], bf16: bool
) -> list[Tensor]:
    return _empty_gradients(x, weight, wanted)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, _, ctx.bf16 = inputs
    ctx.save_for_backward(x, weight)


def _autograd(ctx: Any, dout: Tensor) -> tuple[Any, ...]:
    wanted = list(ctx.needs_input_grad[:3])
    gradients = torch.ops.ngae.linear_backward(dout, *ctx.saved_tensors, wanted, ctx.bf16)
    pairs = zip(gradients, wanted, strict=True)
    return *(gradient if is_wanted else None for gradient, is_wanted in pairs), None


torch.library.register_fake("ngae::linear", _forward_fake)
torch.library.register_fake("ngae::linear_backward", _backward_fake)
torch.library.register_autograd("ngae::linear", _autograd, setup_context=_setup_context)
