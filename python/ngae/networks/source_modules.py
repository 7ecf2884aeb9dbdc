"""The source of modules that are made of torch's own: each written as the call that makes it.

What a call cannot say (classes of one's own, hooks, weights that two modules share) is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ngae.errors import UsageError
from ngae.networks.dag_network import DagNetwork, add
from ngae.networks.source import NetworkSource, listed, quiet, total

_SQUARE = ("kernel_size", "stride", "padding", "dilation", "output_padding", "output_size")
_REMEDY = "make the operations of torch.nn's modules, or use Dag.to_torch()"

_DAG = '''
class Network(nn.Module):
    """The modules of the architecture's nodes; a node takes the sum of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = {stem}
{nodes}
        self.head = {head}

    def forward(self, x: Tensor) -> Tensor:
        h0 = self.stem(x)
{steps}
        return self.head(h{last})
'''


def modules_source(
    network: nn.Module, labels: Sequence[str], example: tuple[str, ...]
) -> NetworkSource:
    """Write a `DagNetwork`, an `nn.Sequential` or one module of torch's.

    Args:
        network: The network; its weights are not written.
        labels: What the nodes of a `DagNetwork` are called, the stem's node first.
        example: Arguments for a call.

    Raises:
        UsageError: Something in it cannot be written, named by its place.
    """
    _check_unshared(network)
    if type(network) is not DagNetwork:
        text = _indented(expression(network, "network", 85), 4)
        code = f"def Network() -> nn.Module:\n    return {text}"
        return NetworkSource(code, example)
    if network.combine is not add:
        raise UsageError(
            "source: expected nodes that add their inputs, found a `combine` of one's own",
            remedy=_REMEDY,
        )
    nodes = [
        f"{expression(module, f'node {place}', 82 - len(label))}  # {quiet(label)}"
        for place, (module, label) in enumerate(zip(network.nodes, labels[1:], strict=True), 1)
    ]
    steps = []
    for place, feeding in enumerate(network.predecessors):
        terms = [f"h{u}" for u in feeding]
        inputs = total(terms, 8, "").strip()
        steps.append(f"        h{place + 1} = self.nodes[{place}]({inputs})")
    code = _DAG.format(
        stem=_indented(expression(network.stem, "stem", 80), 8),
        nodes=listed("self.nodes = nn.ModuleList([", nodes, "])", 8),
        head=_indented(expression(network.head, "head", 80), 8),
        steps="\n".join(steps),
        last=len(network.nodes),
    )
    return NetworkSource(code, example)


def _check_unshared(network: nn.Module) -> None:
    """Refuse what stands at two places: the written calls would make two of it."""
    seen: dict[int, str] = {}
    named: list[tuple[str, Any]] = list(network.named_modules(remove_duplicate=False))
    named += network.named_parameters(remove_duplicate=False)
    for name, value in named:
        if id(value) in seen:
            raise UsageError(
                f"source: {name}: expected weights of its own, found those of {seen[id(value)]}",
                remedy=_REMEDY,
            )
        seen[id(value)] = name


def expression(module: nn.Module, place: str, width: int) -> str:
    """Write the call that makes a module.

    Args:
        module: One of torch.nn's.
        place: What an error calls it.
        width: Of the lines.

    Raises:
        UsageError: It is of another class, or has hooks, or arguments that cannot be found again.
    """
    kind = type(module)
    if not kind.__module__.startswith("torch.nn.modules.") or _has_hooks(module):
        found = f"{kind.__module__}.{kind.__qualname__}"
        hooks = " with hooks" if _has_hooks(module) else ""
        raise UsageError(
            f"source: {place}: expected a module of torch.nn, found {found}{hooks}", remedy=_REMEDY
        )
    name = f"nn.{kind.__name__}"
    if kind is nn.Sequential and all(key.isdecimal() for key, _ in module.named_children()):
        inner = [
            expression(child, f"{place}.{key}", width - 5) for key, child in module.named_children()
        ]
        return listed(f"{name}(", inner, ")", width=width)
    if any(True for _ in module.children()):
        raise UsageError(
            f"source: {place}: expected nn.Sequential around modules, found {name}", remedy=_REMEDY
        )
    _check_precision(module, place)
    return listed(f"{name}(", list(_arguments(module, place)), ")", width=width)


def _indented(text: str, blanks: int) -> str:
    """Indent all lines but the first."""
    return text.replace("\n", "\n" + " " * blanks)


def _check_precision(module: nn.Module, place: str) -> None:
    """Refuse another type than float32: the written call would not make it again."""
    for name, value in [*module.named_parameters(), *module.named_buffers()]:
        if (value.is_floating_point() or value.is_complex()) and value.dtype != torch.float32:
            raise UsageError(
                f"source: {place}: {name}: expected torch.float32, found {value.dtype}",
                remedy=_REMEDY,
            )


def _has_hooks(module: nn.Module) -> bool:
    return any(
        bool(value) for name, value in vars(module).items() if "hooks" in name and name[0] == "_"
    )


def _arguments(module: nn.Module, place: str) -> Iterator[str]:
    """The arguments of a module's call that are not the defaults, by its attributes."""
    named = False
    for name, parameter in inspect.signature(type(module)).parameters.items():
        if name == "bias" and getattr(module, "affine", True) is False:
            continue
        if name in ("device", "dtype", "args", "kwargs") or name.startswith("_"):
            if name in ("args", "kwargs") and type(module) is not nn.Identity:
                raise _unknown(module, place, name)
            continue
        if not hasattr(module, name):
            raise _unknown(module, place, name)
        value = _plain(name, getattr(module, name))
        if not _is_literal(value):
            raise _unknown(module, place, name)
        if parameter.default is inspect.Parameter.empty and not named:
            yield repr(value)
        elif value != parameter.default or type(value) is not type(parameter.default):
            named = True
            yield f"{name}={value!r}"


def _plain(name: str, value: Any) -> Any:
    """An attribute as the argument that made it: a weight is a flag, (3, 3) is 3."""
    if isinstance(value, Tensor) or (name == "bias" and value is None):
        return value is not None
    if isinstance(value, tuple | list):
        value = tuple(value)
        if name in _SQUARE and value and len(set(value)) == 1:
            return value[0]
    return value


def _is_literal(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_literal, value))
    if isinstance(value, float):
        return abs(value) < float("inf")
    return value is None or isinstance(value, bool | int | str)


def _unknown(module: nn.Module, place: str, name: str) -> UsageError:
    return UsageError(
        f"source: {place}: expected a module whose arguments can be found again, found "
        f"nn.{type(module).__name__} and nothing of its {name}",
        remedy=_REMEDY,
    )
