"""Adam with the gradient's norm limited, in one pass over weights, gradients and moments."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter


def new_adam(parameters: Iterable[Parameter], lr: float, device: torch.device) -> torch.optim.Adam:
    """Return Adam over `parameters`, fused where the device has it."""
    return torch.optim.Adam(parameters, lr=lr, fused=device.type in ("cpu", "cuda"))


def clipped_step(optimizer: torch.optim.Adam, clip: float) -> Tensor:
    """Take a step with all gradients divided by max(1, norm / clip).

    The fused kernels divide by `grad_scale` while they read the gradients, as for mixed precision;
    a pass of its own over the gradients costs as much as a third of the step.

    Args:
        optimizer: Made by `new_adam`.
        clip: Greatest norm of all gradients together.

    Returns:
        The norm before, a scalar.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    scale = (norm / clip).clamp(min=1)
    if optimizer.defaults["fused"]:
        optimizer.grad_scale = scale  # type: ignore[attr-defined]
        optimizer.step()
        del optimizer.grad_scale  # type: ignore[attr-defined]
    else:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.div_(scale)
        optimizer.step()
    return norm
