"""Adam with a limit on the norm of all gradients: the native step where there is one, else torch's.

The state is that of `torch.optim.Adam`, so that checkpoints do not depend on who took the steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import Parameter

from ngae.ops import active_backend
from ngae.ops.adam import adam_step

State = dict[str, Tensor]  # of one parameter; empty before its first step


def new_adam(parameters: Iterable[Parameter], lr: float, device: torch.device) -> torch.optim.Adam:
    """Return Adam over `parameters`, fused where torch has it."""
    return torch.optim.Adam(parameters, lr=lr, fused=device.type in ("cpu", "cuda"))


def clipped_step(optimizer: torch.optim.Adam, clip: float) -> None:
    """Take a step with all gradients divided by max(1, norm / clip).

    Args:
        optimizer: Made by `new_adam`.
        clip: Greatest norm of all gradients together.
    """
    (group,) = optimizer.param_groups
    parameters = [p for p in group["params"] if p.grad is not None]
    states = [optimizer.state[p] for p in parameters]
    if _is_native(parameters, states):
        _native_step(optimizer, parameters, states, clip)
    else:
        _count_each(states)
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()


def _is_native(parameters: list[Tensor], states: list[State]) -> bool:
    """Whether the native step can be taken: on the CPU, where all have taken as many steps.

    The device comes first: to read a count on another one would wait for it.
    """
    if any(p.device.type != "cpu" for p in parameters) or active_backend() != "cpp":
        return False
    return len({float(count) for count in _counts(states)}) + (not all(states)) == 1


def _counts(states: list[State]) -> list[Tensor]:
    """The different tensors that count steps: one, after a native step."""
    return list({id(state["step"]): state["step"] for state in states if state}.values())


def _count_each(states: list[State]) -> None:
    """Give each state a count of its own, as torch's step has it."""
    for state in states:
        if state:
            state["step"] = state["step"].clone()


def state_tensors(optimizer: torch.optim.Adam, model: nn.Module) -> dict[str, Tensor]:
    """Return the optimiser's state as tensors `<key>.<name of the parameter>`."""
    return {
        f"{key}.{name}": value.clone() if key == "step" else value  # one counts for many
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def load_state(optimizer: torch.optim.Adam, model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Take over what `state_tensors` gave, on whichever device.

    Args:
        optimizer: Made by `new_adam` over the parameters of `model`.
        model: The model.
        state: Tensors by name; parameters without any have taken no step.
    """
    is_fused = bool(optimizer.defaults["fused"])
    for name, parameter in model.named_parameters():
        if f"step.{name}" not in state:
            continue
        device = parameter.device
        optimizer.state[parameter] = {
            # The fused step counts where the weights are, the others on the CPU.
            key: state[f"{key}.{name}"].clone().to(device if is_fused or key != "step" else "cpu")
            for key in ("step", "exp_avg", "exp_avg_sq")
        }


@torch.no_grad()
def _native_step(
    optimizer: torch.optim.Adam, parameters: list[Tensor], states: list[State], clip: float
) -> None:
    (group,) = optimizer.param_groups
    count = (_counts(states) or [torch.zeros(())])[0]
    count += 1
    for parameter, state in zip(parameters, states, strict=True):
        if not state:
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] = count  # of all: to count a hundred tensors takes as long as the step
    adam_step(
        [p.data for p in parameters],
        [p.grad.contiguous() for p in parameters if p.grad is not None],
        [state["exp_avg"] for state in states],
        [state["exp_avg_sq"] for state in states],
        step=int(count),
        lr=group["lr"],
        clip=clip,
        betas=group["betas"],
        epsilon=group["eps"],
    )
