"""Many tensors in one block: values, shapes, dtypes and places by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ngae.transfer import packed, transfer, unpacked

TENSORS = [
    torch.tensor([[1, 2], [3, -4]], dtype=torch.int32),
    torch.tensor([], dtype=torch.int64),
    torch.tensor([True, False, True]),
    torch.arange(40, dtype=torch.float32).view(4, 10).t(),
    torch.tensor(2**40),
]


def expect_equal(found: list[Tensor], expected: list[Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.cpu(), other, rtol=0, atol=0)


def test_a_block_holds_all_tensors() -> None:
    block = packed(TENSORS)
    assert (block.dtype, block.shape) == (torch.uint8, (64 + 0 + 64 + 192 + 64,))
    views = unpacked(block, TENSORS)
    expect_equal(views, TENSORS)
    offsets = [view.data_ptr() - block.data_ptr() for view in views if view.numel()]
    assert offsets == [0, 64, 128, 320]
    assert all(view.is_contiguous() for view in views)


def test_a_block_of_nothing() -> None:
    assert packed([]).shape == (0,)
    assert unpacked(packed([]), []) == []


def test_on_the_cpu_nothing_is_copied() -> None:
    moved = transfer(TENSORS, torch.device("cpu"))
    assert [m is t for m, t in zip(moved, TENSORS, strict=True)] == [True] * len(TENSORS)


@pytest.mark.gpu
def test_on_a_device(cuda_device: torch.device, without_waiting) -> None:
    with without_waiting():
        moved = transfer(TENSORS, cuda_device)
    assert all(tensor.device == cuda_device for tensor in moved)
    expect_equal(moved, TENSORS)
    expect_equal(transfer(moved, torch.device("cpu")), TENSORS)
