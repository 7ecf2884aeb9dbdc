"""Networks in ONNX: what is written of one, and torch's exporter around it."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from ngae.errors import MissingExtraError, UsageError

_PACKAGES = ("onnx", "onnxscript")


@dataclass(frozen=True)
class OnnxForm:
    """A network and how it is called.

    Attributes:
        network: The module.
        inputs: An example of each input by its name, in the order of `forward`; a list of tensors
            goes by the names `<name>_0`, `<name>_1` and so on.
        outputs: Names of the outputs.
        free: For each input the axes whose size may change, by name; for a list those of each of
            its tensors.
    """

    network: nn.Module
    inputs: Mapping[str, Tensor | list[Tensor]]
    outputs: tuple[str, ...]
    free: Mapping[str, Mapping[int, str]]


def image_form(network: nn.Module, *shape: int) -> OnnxForm:
    """Describe a network that takes a batch of inputs of this shape and gives scores."""
    images = torch.zeros(2, *shape)
    return OnnxForm(network, {"images": images}, ("scores",), {"images": {0: "batch"}})


def onnx_bytes(form: OnnxForm) -> bytes:
    """Write a network in eval mode.

    Args:
        form: The network, which is left in the mode that it has.

    Returns:
        The content of a .onnx file, weights included.

    Raises:
        MissingExtraError: onnx or onnxscript is not installed.
        UsageError: torch cannot write the network.
    """
    for package in _PACKAGES:
        try:
            import_module(package)
        except ImportError as error:
            raise MissingExtraError(package, "onnx", "export to ONNX") from error
    modes = [(module, module.training) for module in form.network.modules()]
    form.network.eval()
    try:
        program = _exported(form)
    except Exception as error:  # whatever torch's exporter raises
        reason = next((line for line in str(error).splitlines() if line.strip()), "no reason")
        raise UsageError(
            f"onnx: expected a network that torch.onnx.export writes, found "
            f"{type(form.network).__name__}: {type(error).__name__}: {reason}"
        ) from error
    finally:
        for module, training in modes:
            module.training = training
    written: bytes = program.model_proto.SerializeToString()
    return written


def _exported(form: OnnxForm) -> Any:
    names: list[str] = []
    shapes: list[Any] = []
    for name, value in form.inputs.items():
        axes = dict(form.free.get(name, {}))
        if isinstance(value, list):
            names += [f"{name}_{i}" for i in range(len(value))]
            shapes.append([axes] * len(value))
        else:
            names.append(name)
            shapes.append(axes)
    with _silence():
        return torch.onnx.export(
            form.network,
            tuple(form.inputs.values()),
            dynamo=True,
            verbose=False,
            input_names=names,
            output_names=form.outputs,
            dynamic_shapes=tuple(shapes),
        )


@contextmanager
def _silence() -> Iterator[None]:
    """Keep back what torch says on the way: of deprecated parts, of ways that it tried in vain."""
    disabled = logging.root.manager.disable
    nowhere = io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(nowhere), redirect_stderr(nowhere):
        warnings.simplefilter("ignore")
        logging.disable(logging.ERROR)
        try:
            yield
        finally:
            logging.disable(disabled)
