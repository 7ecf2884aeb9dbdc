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


class Adam:
    """Adam over parameters that are all on one device.

    Args:
        parameters: The parameters.
        lr: Learning rate.
        device: Where they are; torch's step is fused where torch has that.

    Attributes:
        parameters: The parameters, in their order.
        lr: Learning rate, which may be changed between steps.
        state: `step`, `exp_avg` and `exp_avg_sq` of each parameter; empty before its first step.
    """

    def __init__(self, parameters: Iterable[Parameter], lr: float, device: torch.device) -> None:
        self.parameters = list(parameters)
        self.lr = lr
        self.is_fused = device.type in ("cpu", "cuda")
        self.state: dict[Parameter, State] = {parameter: {} for parameter in self.parameters}
        self._torch: torch.optim.Adam | None = None  # made when needed: it takes a second to import

    def step(self, clip: float) -> None:
        """Take a step with all gradients divided by max(1, norm / clip).

        Args:
            clip: Greatest norm of all gradients together.
        """
        learned = [p for p in self.parameters if p.grad is not None]
        if self.is_native(learned):
            self._native_step(learned, clip)
        else:
            self._torch_step(learned, clip)

    def is_native(self, learned: list[Parameter]) -> bool:
        """Tell whether the native step can be taken: on the CPU, where all took as many steps.

        The device comes first: to read a count on another one would wait for it.
        """
        if any(p.device.type != "cpu" for p in learned) or active_backend() != "cpp":
            return False
        states = [self.state[p] for p in learned]
        return len({float(count) for count in _counts(states)}) + (not all(states)) <= 1

    @torch.no_grad()
    def _native_step(self, learned: list[Parameter], clip: float) -> None:
        states = [self.state[p] for p in learned]
        counts = _counts(states)
        # One for all, since to count a hundred tensors takes as long as the step; a new one, since
        # who has not learned keeps the old one.
        count = counts[0] + 1 if counts else torch.ones(())
        for parameter, state in zip(learned, states, strict=True):
            if not state:
                state["exp_avg"] = torch.zeros_like(parameter)
                state["exp_avg_sq"] = torch.zeros_like(parameter)
            state["step"] = count
        adam_step(
            [p.data for p in learned],
            [p.grad.contiguous() for p in learned if p.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            step=int(count),
            lr=self.lr,
            clip=clip,
        )

    def _torch_step(self, learned: list[Parameter], clip: float) -> None:
        if self._torch is None:
            self._torch = torch.optim.Adam(self.parameters, lr=self.lr, fused=self.is_fused)
        self._torch.param_groups[0]["lr"] = self.lr
        _part_counts([state for state in self.state.values() if state])
        self._torch.state.update({p: state for p, state in self.state.items() if state})
        _part_gradients(learned)
        torch.nn.utils.clip_grad_norm_(learned, clip)
        self._torch.step()
        self.state = {p: self._torch.state.get(p, {}) for p in self.parameters}


def _part_counts(states: list[State]) -> None:
    """Give each state a count of its own, as torch has it."""
    seen = set()
    for state in states:
        if id(state["step"]) in seen:
            state["step"] = state["step"].clone()
        seen.add(id(state["step"]))


def _part_gradients(learned: list[Parameter]) -> None:
    """Make gradients ready for torch's step: contiguous, and none that two parameters share.

    It takes them as they lie in memory, and the limit would divide a shared one twice.
    """
    seen = set()
    for p in learned:
        if p.grad is not None and (not p.grad.is_contiguous() or p.grad.data_ptr() in seen):
            p.grad = p.grad.clone(memory_format=torch.contiguous_format)
        seen.add(None if p.grad is None else p.grad.data_ptr())


def _counts(states: list[State]) -> list[Tensor]:
    """The different tensors that count steps: one, after a native step."""
    return list({id(state["step"]): state["step"] for state in states if state}.values())


def state_tensors(optimizer: Adam, model: nn.Module) -> dict[str, Tensor]:
    """Return the optimiser's state as tensors `<key>.<name of the parameter>`."""
    return {
        f"{key}.{name}": value.clone() if key == "step" else value  # one counts for many
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def load_state(optimizer: Adam, model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Take over what `state_tensors` gave, on whichever device.

    Args:
        optimizer: Over the parameters of `model`.
        model: The model.
        state: Tensors by name; parameters without any have taken no step.
    """
    optimizer.state = {parameter: {} for parameter in optimizer.parameters}
    for name, parameter in model.named_parameters():
        if f"step.{name}" not in state:
            continue
        device = parameter.device
        optimizer.state[parameter] = {
            # The fused step counts where the weights are, the others on the CPU.
            key: state[f"{key}.{name}"]
            .clone()
            .to(device if optimizer.is_fused or key != "step" else "cpu")
            for key in ("step", "exp_avg", "exp_avg_sq")
        }
