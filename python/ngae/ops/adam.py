"""`adam_step`: a step of Adam on many tensors, with a limit on the norm of all gradients, in place.

Two passes over the memory, in one call for all tensors: torch's own clipping and fused Adam take
three, and start their threads anew for every tensor. It is no operator of `torch.ops`: nothing
differentiates or traces it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ngae.errors import UsageError
from ngae.ops import _library
from ngae.ops.parameters import expect


def adam_step(
    weights: Sequence[Tensor],
    gradients: Sequence[Tensor],
    means: Sequence[Tensor],
    squares: Sequence[Tensor],
    *,
    step: int,
    lr: float,
    clip: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
) -> float:
    """Change `weights`, `means` and `squares` by one step of Adam (Kingma and Ba, 2015).

        g = gradient / max(1, norm / clip)
        mean   += (1 - beta1) (g - mean)
        square  = beta2 square + (1 - beta2) g^2
        weight -= lr / (1 - beta1^step) * mean / (sqrt(square / (1 - beta2^step)) + epsilon)

    The result does not depend on the number of threads.

    Args:
        weights: Contiguous, on the CPU, all float32 or all float64.
        gradients: As the weights, of the same shapes.
        means: First moments, the same.
        squares: Second moments, the same.
        step: Number of this step, from 1.
        lr: Learning rate.
        clip: Greatest norm of all gradients together.
        betas: Decay of the two moments.
        epsilon: Added to the root.

    Returns:
        The norm of all gradients before the limit.

    Raises:
        UsageError: Tensors that do not fit each other, or a step below 1.
    """
    columns = (weights, gradients, means, squares)
    for name, tensors in zip(("gradients", "means", "squares"), columns[1:], strict=True):
        expect("adam_step", name, "tensors", len(tensors), len(weights))
    if not _fit(columns):
        for row in zip(*columns, strict=True):
            _check(row, weights[0].dtype)
    if step < 1:
        raise UsageError(f"adam_step: step: expected at least 1, found {step}")
    dtype = weights[0].dtype if weights else torch.float32
    norm: float = _library.function("adam_step", dtype)(
        [_library.addresses(row) for row in zip(*columns, strict=True)],
        [weight.numel() for weight in weights],
        [lr, *betas, epsilon, clip],
        step,
        _library.machine(False),
    )
    return norm


def _fit(columns: Sequence[Sequence[Tensor]]) -> bool:
    """Whether all is as it should be; who finds that something is not looks at each tensor."""
    tensors = [tensor for column in columns for tensor in column]
    shapes = [tensor.shape for tensor in columns[0]]
    return (
        {tensor.dtype for tensor in tensors} in ({torch.float32}, {torch.float64})
        and all(tensor.is_contiguous() and tensor.is_cpu for tensor in tensors)
        and all([tensor.shape for tensor in column] == shapes for column in columns[1:])
    )


def _check(row: Sequence[Tensor], dtype: torch.dtype) -> None:
    if dtype not in (torch.float32, torch.float64):
        raise UsageError(f"adam_step: weights: expected float32 or float64, found {dtype}")
    for name, tensor in zip(("weights", "gradients", "means", "squares"), row, strict=True):
        expect("adam_step", name, "shape", tuple(tensor.shape), tuple(row[0].shape))
        expect("adam_step", name, "dtype", tensor.dtype, dtype)
        expect("adam_step", name, "device", tensor.device.type, "cpu")
        if not tensor.is_contiguous():
            raise UsageError(f"adam_step: {name}: expected contiguous tensors, found others")
