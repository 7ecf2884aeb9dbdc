"""Reads published D-VAE/NGAE checkpoints (.pth), without running anything that they hold."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ngae.baselines.dvae_model import DVAE
from ngae.errors import DataError

_REMEDY = "pass a file written by torch.save(model.state_dict(), path)"


def load_checkpoint(path: str | Path) -> DVAE:
    """Load a published checkpoint by its parameter names.

    Args:
        path: A file written by `torch.save(model.state_dict(), path)`.

    Returns:
        The model on the CPU in evaluation mode; sizes are read from the file.

    Raises:
        DataError: No such file; not a state dict of plain tensors (anything else in it is
            refused, never run); or parameters that are missing, foreign, misshapen or not finite.
    """
    state = _read(Path(path))
    if not isinstance(state, dict) or not state:
        raise DataError(
            f"{path}: expected a state dict, found {type(state).__name__}", remedy=_REMEDY
        )
    for name, value in state.items():
        _check_parameter(path, name, value)
    try:
        return DVAE.from_state_dict(state).eval()
    except DataError as error:
        raise DataError(f"{path}: {error}", remedy=error.remedy) from error


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as stream:
            return _unpack(path, stream)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}", remedy=_REMEDY) from error


def _unpack(path: Path, stream: BinaryIO) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # foreign formats warn before they fail
            return torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile file can fail anywhere in the reader
        raise DataError(
            f"{path}: expected a PyTorch file of plain tensors, found one that is damaged or "
            f"holds other objects ({type(error).__name__})",
            remedy=_REMEDY,
        ) from error


def _check_parameter(path: str | Path, name: object, value: object) -> None:
    if not isinstance(name, str) or not isinstance(value, Tensor):
        raise DataError(
            f"{path}: expected named tensors, found {name!r:.80}: {type(value).__name__}",
            remedy=_REMEDY,
        )
    dense = value.layout == torch.strided and value.device.type == "cpu"
    if not dense or not value.is_floating_point() or not value.is_contiguous():
        raise DataError(
            f"{path}: parameter {name}: expected a dense, contiguous floating-point tensor, "
            f"found {value.dtype}, {value.layout} on {value.device}",
            remedy=_REMEDY,
        )
    if not bool(value.isfinite().all()):
        raise DataError(f"{path}: parameter {name}: expected finite numbers", remedy=_REMEDY)
