"""The optimiser's step with a limit on the gradients' norm, native and torch's own."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch

from ngae.train.optimizer import Adam, load_state, state_tensors


@pytest.mark.parametrize("clip", [0.1, 1e6])
def test_native_and_torch_take_the_same_steps(clip: float, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(5, 7, generator=generator), torch.randn(3, generator=generator)]
    results = []
    gradients = [[torch.randn(p.shape, generator=generator) for p in start] for _ in range(4)]
    for backend in ("cpp", "torch"):
        monkeypatch.setenv("NGAE_OPS", backend)
        parameters = [torch.nn.Parameter(p.clone()) for p in [*start, torch.ones(2)]]
        optimizer = Adam(parameters, 0.01, torch.device("cpu"))
        for step in gradients:
            for parameter, gradient in zip(parameters, step, strict=False):
                parameter.grad = gradient.clone()
            optimizer.step(clip)
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
        optimizer = Adam(parameters, 0.01, torch.device("cpu"))
        optimizer.step(1.0)
        for step in range(3):
            for parameter in parameters[: 1 + step // 2]:
                parameter.grad = torch.linspace(-1, 1, len(parameter)) + step
            optimizer.step(1.0)
        results.append(parameters)
    torch.testing.assert_close(results[0], results[1])


def test_a_gradient_that_stops_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for backend in ("cpp", "torch"):
        monkeypatch.setenv("NGAE_OPS", backend)
        parameters = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(3))]
        optimizer = Adam(parameters, 0.01, torch.device("cpu"))
        for step in range(5):
            parameters[0].grad = torch.linspace(-1, 1, 2) + step
            parameters[1].grad = None if step in (1, 2) else torch.linspace(-2, 1, 3) + step
            optimizer.step(1.0)
        assert [float(optimizer.state[p]["step"]) for p in parameters] == [5.0, 3.0]
        results.append(parameters)
    torch.testing.assert_close(results[0], results[1])


@pytest.mark.parametrize("backend", ["cpp", "torch"])
def test_a_gradient_may_lie_otherwise_than_its_parameter(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGAE_OPS", backend)
    parameter = torch.nn.Parameter(torch.ones(2, 3))
    optimizer = Adam([parameter], 0.01, torch.device("cpu"))
    parameter.grad = torch.arange(6.0).view(3, 2).t()
    optimizer.step(100.0)
    torch.testing.assert_close(optimizer.state[parameter]["exp_avg"], 0.1 * parameter.grad)


@pytest.mark.parametrize("backend", ["cpp", "torch"])
def test_a_gradient_that_two_parameters_share_is_limited_once(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGAE_OPS", backend)
    parameters = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    optimizer = Adam(parameters, 0.01, torch.device("cpu"))
    shared = torch.tensor([3.0, 4.0])
    limited = shared / 50**0.5
    for parameter in parameters:
        parameter.grad = shared
    optimizer.step(1.0)
    for parameter in parameters:
        torch.testing.assert_close(optimizer.state[parameter]["exp_avg"], 0.1 * limited)


def test_a_state_goes_on_with_the_other_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for order in (("cpp", "torch", "cpp", "torch"), ("torch", "cpp", "torch", "cpp")):
        parameters = [torch.nn.Parameter(torch.ones(4)), torch.nn.Parameter(torch.ones(2))]
        optimizer = Adam(parameters, 0.01, torch.device("cpu"))
        for number, backend in enumerate(order):
            monkeypatch.setenv("NGAE_OPS", backend)
            for parameter in parameters:
                parameter.grad = torch.linspace(-1, 1, len(parameter)) + number
            optimizer.step(1.0)
        assert [float(optimizer.state[p]["step"]) for p in parameters] == [4.0, 4.0]
        results.append(parameters)
    torch.testing.assert_close(results[0], results[1])
    assert all(parameter.detach().ne(1).all() for parameter in results[0])


def stepped_layer() -> tuple[torch.nn.Linear, Adam]:
    """A layer of which only the weight has taken steps, two of them."""
    layer = torch.nn.Linear(3, 2)
    optimizer = Adam(layer.parameters(), 0.01, torch.device("cpu"))
    for step in range(2):
        layer.weight.grad = torch.linspace(-1, 1, 6).view(2, 3) + step
        optimizer.step(1.0)
    return layer, optimizer


def test_a_state_is_taken_over() -> None:
    layer, optimizer = stepped_layer()
    state = state_tensors(optimizer, layer)
    assert set(state) == {"step.weight", "exp_avg.weight", "exp_avg_sq.weight"}
    other = torch.nn.Linear(3, 2)
    taken = Adam(other.parameters(), 0.01, torch.device("cpu"))
    load_state(taken, other, state)
    assert taken.state[other.bias] == {}
    assert state_tensors(taken, other).keys() == state.keys()
    for name, value in state_tensors(taken, other).items():
        torch.testing.assert_close(value, state[name], rtol=0, atol=0)
        assert value.data_ptr() != state[name].data_ptr()


def test_a_state_goes_to_the_weights_device() -> None:
    layer, optimizer = stepped_layer()
    there = torch.nn.Linear(3, 2, device="meta")
    taken = Adam(there.parameters(), 0.01, torch.device("meta"))
    load_state(taken, there, state_tensors(optimizer, layer))
    state = taken.state[there.weight]
    assert state["exp_avg"].device.type == state["exp_avg_sq"].device.type == "meta"
    assert state["step"].tolist() == 2.0  # not fused: counted on the CPU


def test_no_state_is_read_off_the_cpu() -> None:
    """On the meta device there is nothing to read: whoever tries raises."""
    layer = torch.nn.Linear(3, 2, device="meta")
    optimizer = Adam(layer.parameters(), 0.01, torch.device("meta"))
    count = torch.zeros((), device="meta")
    optimizer.state[layer.weight]["step"] = count
    with pytest.raises(RuntimeError, match="meta"):
        float(count)
    assert not optimizer.is_native(list(layer.parameters()))


@pytest.mark.gpu
def test_steps_on_a_device(cuda_device: torch.device, without_waiting) -> None:
    results = []
    for device in (torch.device("cpu"), cuda_device):
        layer, optimizer = stepped_layer()
        moved = torch.nn.Linear(3, 2).to(device)
        moved.load_state_dict({"weight": torch.ones(2, 3), "bias": torch.ones(2)})
        taken = Adam(moved.parameters(), 0.01, device)
        load_state(taken, moved, state_tensors(optimizer, layer))
        moved.weight.grad = torch.linspace(-2, 1, 6, device=device).view(2, 3)
        with without_waiting() if device.type == "cuda" else nullcontext():
            taken.step(1.0)
        results.append(
            [moved.weight.cpu(), *(s.cpu() for s in state_tensors(taken, moved).values())]
        )
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)
