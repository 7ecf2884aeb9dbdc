"""The step of Adam with a limit on the gradients' norm, against torch's own two passes."""

from __future__ import annotations

import pytest
import torch

from ngae.train.optimizer import clipped_step, new_adam


@pytest.mark.parametrize("clip", [0.1, 1e6])
@pytest.mark.parametrize("fused", [True, False])
def test_equals_clipping_and_then_adam(clip: float, fused: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(5, 7, generator=generator), torch.randn(3, generator=generator)]
    ours = [torch.nn.Parameter(p.clone()) for p in start]
    theirs = [torch.nn.Parameter(p.clone()) for p in start]
    one = new_adam(ours, 0.01, torch.device("cpu" if fused else "meta"))
    other = torch.optim.Adam(theirs, lr=0.01)
    assert bool(one.defaults["fused"]) == fused
    for step in range(4):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = (step + 1) * torch.randn(a.shape, generator=generator)
            b.grad = a.grad.clone()
        expected = torch.nn.utils.clip_grad_norm_(theirs, clip)
        torch.testing.assert_close(clipped_step(one, clip), expected)
        other.step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)
    assert not hasattr(one, "grad_scale")
