"""The optimiser's step with a limit on the gradients' norm, native and torch's own."""

from __future__ import annotations

import pytest
import torch

from ngae.train.optimizer import clipped_step, new_adam


@pytest.mark.parametrize("clip", [0.1, 1e6])
def test_native_and_torch_take_the_same_steps(clip: float, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(5, 7, generator=generator), torch.randn(3, generator=generator)]
    results = []
    gradients = [[torch.randn(p.shape, generator=generator) for p in start] for _ in range(4)]
    for backend in ("cpp", "torch"):
        monkeypatch.setenv("NGAE_OPS", backend)
        parameters = [torch.nn.Parameter(p.clone()) for p in [*start, torch.ones(2)]]
        optimizer = new_adam(parameters, 0.01, torch.device("cpu"))
        for step in gradients:
            for parameter, gradient in zip(parameters, step, strict=False):
                parameter.grad = gradient.clone()
            clipped_step(optimizer, clip)
        results.append((parameters, optimizer.state))
    (ours, our_state), (theirs, their_state) = results
    assert torch.equal(ours[2], torch.ones(2))  # without a gradient
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)
        torch.testing.assert_close(our_state[one], their_state[other])


def test_a_gradient_that_comes_later_and_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for backend in ("cpp", "torch"):
        monkeypatch.setenv("NGAE_OPS", backend)
        parameters = [torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(2))]
        optimizer = new_adam(parameters, 0.01, torch.device("cpu"))
        clipped_step(optimizer, 1.0)
        for step in range(3):
            for parameter in parameters[: 1 + step // 2]:
                parameter.grad = torch.linspace(-1, 1, len(parameter)) + step
            clipped_step(optimizer, 1.0)
        results.append(parameters)
    torch.testing.assert_close(results[0], results[1])


def test_a_state_goes_on_with_the_other_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for order in (("cpp", "torch"), ("torch", "cpp")):
        parameter = torch.nn.Parameter(torch.ones(4))
        optimizer = new_adam([parameter], 0.01, torch.device("cpu"))
        for number, backend in enumerate(order):
            monkeypatch.setenv("NGAE_OPS", backend)
            parameter.grad = torch.linspace(-1, 1, 4) + number
            clipped_step(optimizer, 1.0)
        results.append(parameter)
    torch.testing.assert_close(results[0], results[1])
    assert results[0].detach().ne(1).all()
