"""What the CUDA implementations of the ops share: module, stream and memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ngae import _native
from ngae.errors import UsageError


def module() -> Any:
    """Return the CUDA module."""
    return _native.load_cuda()


def call(name: str, device: torch.device, bf16: bool, *arguments: Any) -> None:
    """Call a function of the CUDA module on `device`.

    Args:
        name: Of the function.
        device: Where the tensors are.
        bf16: Round the operands of products.
        *arguments: What it takes after device, stream and precision.

    Raises:
        UsageError: The device refuses; the message names function, device and CUDA's error.
    """
    try:
        getattr(module(), name)(run_arguments(device, bf16), *arguments)
    except RuntimeError as error:
        raise _native.refusal(name, str(device), error) from error


def run_arguments(device: torch.device, bf16: bool) -> tuple[int, int, bool]:
    """Return how an op is to run: device, its current stream, operands rounded or not."""
    stream = torch.cuda.current_stream(device)
    return stream.device_index, stream.cuda_stream, bf16


def empty(like: Tensor, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
    """Return memory on the device of `like`; all that kernels write to comes from here."""
    return like.new_empty(shape, dtype=dtype)


def require_float32(function: str, tensor: Tensor) -> None:
    """Check the one dtype that the kernels know.

    Raises:
        UsageError: It is another.
    """
    if tensor.dtype != torch.float32:
        raise UsageError(
            f"{function}: expected float32 on {tensor.device}, found {tensor.dtype}",
            remedy="set NGAE_OPS=torch to use plain PyTorch on this device",
        )


def one_hot(index: Tensor, count: int) -> Tensor:
    """Return rows of the unit matrix, float32 (len(index), count).

    Products with it are sums by number, in one order and without atomics.
    """
    return (index.unsqueeze(1) == torch.arange(count, device=index.device)).float()
