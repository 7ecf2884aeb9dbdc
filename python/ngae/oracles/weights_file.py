"""Shared weights in a file: safetensors, with the sizes of the bank beside the tensors."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ngae.errors import DataError, UsageError
from ngae.files import parse_json, write_bytes
from ngae.networks.macro import MacroConfig
from ngae.networks.macro_network import MacroBank

_KEY = "ngae.macro_bank"


def save_weights(path: str | Path, bank: MacroBank) -> None:
    """Write a complete bank to `path`, atomically; the same bank gives the same bytes."""
    write_bytes(Path(path), packed_weights(bank))


def packed_weights(bank: MacroBank) -> bytes:
    """Return what `save_weights` writes."""
    sizes = {"num_layers": bank.num_layers, "network": dataclasses.asdict(bank.config)}
    tensors = {name: tensor.contiguous() for name, tensor in bank.state_dict().items()}
    return save(tensors, {_KEY: json.dumps(sizes, sort_keys=True)})


def unpacked_weights(content: bytes) -> MacroBank:
    """Read what `packed_weights` returned; raises as `load_weights`."""
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(content)
        file.flush()
        return load_weights(file.name)


def load_weights(path: str | Path) -> MacroBank:
    """Read what `save_weights` wrote.

    Returns:
        The bank, frozen.

    Raises:
        DataError: No such file, or not a file of `save_weights`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            sizes = parse_json(file.metadata()[_KEY])
        bank = MacroBank.complete(sizes["num_layers"], MacroConfig(**sizes["network"]))
        bank.load_state_dict(tensors)
    except (
        OSError, SafetensorError, UsageError, RuntimeError, LookupError, TypeError, ValueError,
    ) as error:  # fmt: skip
        raise DataError(
            f"load_weights: {path}: expected a file that save_weights wrote, found "
            f"{type(error).__name__}: {str(error).splitlines()[0]}"
        ) from error
    return bank.requires_grad_(False).eval()
