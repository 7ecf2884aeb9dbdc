"""Moves what the host has made to a device, in one copy that the host does not wait for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_ALIGNMENT = 64  # bytes, so that every part begins where any dtype may


def transfer(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Return contiguous `tensors` on `device`; those that are there already are not copied.

    To CUDA all tensors of the CPU go in one copy from pinned memory, which the stream takes when
    it comes to it: a copy from pageable memory would wait for all work before it. The results are
    then views of one block.

    Args:
        tensors: Of any shapes and dtypes.
        device: Where they are wanted.

    Returns:
        As many tensors, in the same order.
    """
    from_host = all(tensor.device.type == "cpu" for tensor in tensors)
    if device.type != "cuda" or not from_host:
        return [tensor.to(device) for tensor in tensors]
    block = packed(tensors, pinned=True)
    return unpacked(block.to(device, non_blocking=True), tensors)


def packed(tensors: Sequence[Tensor], *, pinned: bool = False) -> Tensor:
    """Copy CPU tensors into one block, uint8 (num_bytes,), each from a multiple of 64 bytes on."""
    places = _places(tensors)
    block = torch.empty(places[-1], dtype=torch.uint8, pin_memory=pinned)
    for tensor, copy in zip(tensors, unpacked(block, tensors), strict=True):
        copy.copy_(tensor)
    return block


def unpacked(block: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Return views of a `packed` block on any device, with shapes and dtypes of `like`."""
    return [
        block[place : place + tensor.numel() * tensor.element_size()]
        .view(tensor.dtype)
        .view(tensor.shape)
        for place, tensor in zip(_places(like), like, strict=False)
    ]


def _places(tensors: Sequence[Tensor]) -> list[int]:
    """First byte of each tensor, and the end."""
    places = [0]
    for tensor in tensors:
        size = tensor.numel() * tensor.element_size()
        places.append(places[-1] + -(-size // _ALIGNMENT) * _ALIGNMENT)
    return places
