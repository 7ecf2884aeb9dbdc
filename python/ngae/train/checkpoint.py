"""Checkpoints as safetensors: tensors and one JSON text with a digest over both.

A file that is truncated, foreign or altered is refused by name; nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from ngae.errors import RefusedError, cut
from ngae.files import parse_json, write_bytes
from ngae.forms import Form, digest

_FORM = Form("checkpoint", 1)
_KEY = "ngae"  # one entry: the order of several would differ from file to file


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds.

    Attributes:
        tensors: By name; weights begin with `model.`.
        facts: Plain values, such as the settings and the step.
    """

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose names begin with `prefix`, without it."""
        return {n.removeprefix(prefix): t for n, t in self.tensors.items() if n.startswith(prefix)}


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write atomically; equal contents give equal bytes."""
    write_bytes(path, encoded(checkpoint))


def encoded(checkpoint: Checkpoint) -> bytes:
    """Return the content of the file."""
    tensors = {name: t.detach().cpu().contiguous() for name, t in checkpoint.tensors.items()}
    facts = dict(checkpoint.facts)
    head = {"format": str(_FORM), "sha256": _digest(tensors, facts), "facts": facts}
    return save(tensors, {_KEY: json.dumps(head, sort_keys=True)})


def read_checkpoint(path: Path) -> Checkpoint:
    """Read and verify a checkpoint.

    Raises:
        RefusedError: Missing, truncated, not ngae's, of a later form, or altered.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        head = _head(metadata)
    except FileNotFoundError as error:
        raise RefusedError(f"{path}: expected a checkpoint, found no file") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise RefusedError(
            f"{path}: expected a checkpoint in safetensors form, found a truncated or foreign "
            f"file ({error})"
        ) from error
    return _verified(tensors, head, path)


def decoded(content: bytes, place: object) -> Checkpoint:
    """Return what `encoded` was given, on the CPU.

    Args:
        content: Of another process.
        place: Where it came from, for errors.

    Raises:
        RefusedError: It was altered, or is of a later form.
    """
    begin = 8 + int.from_bytes(content[:8], "little")  # the form's own head, in JSON
    metadata = json.loads(content[8:begin]).get("__metadata__", {})
    return _verified(load(content), _head(metadata), place)


def _head(metadata: Mapping[str, str]) -> Any:
    return parse_json(metadata[_KEY]) if _KEY in metadata else {}


def _verified(tensors: Mapping[str, Tensor], head: Any, place: object) -> Checkpoint:
    head = head if isinstance(head, dict) else {}
    found = head.get("format")
    if not _FORM.is_known(found, place):
        raise RefusedError(
            f"{place}: expected a checkpoint of form {_FORM}, found {cut(str(found))}"
        )
    facts = head.get("facts")
    if not isinstance(facts, dict) or head.get("sha256") != _digest(tensors, facts):
        raise RefusedError(
            f"{place}: expected the contents that were written, found altered ones "
            "(the digest differs)"
        )
    return Checkpoint(tensors, facts)


def load_weights(module: torch.nn.Module, weights: Mapping[str, Tensor], place: object) -> None:
    """Copy weights into `module`.

    Raises:
        RefusedError: A name is missing or unknown, or a shape differs.
    """
    own = module.state_dict()
    missing = sorted(own.keys() - weights.keys())
    unknown = sorted(weights.keys() - own.keys())
    if missing or unknown:
        raise RefusedError(
            f"{place}: expected the weights of this model, found missing {missing[:3]}, "
            f"unknown {unknown[:3]}"
        )
    for name, tensor in own.items():
        if tensor.shape != weights[name].shape:
            raise RefusedError(
                f"{place}: {name}: expected shape {tuple(tensor.shape)}, "
                f"found {tuple(weights[name].shape)}"
            )
    module.load_state_dict(dict(weights))


def _digest(tensors: Mapping[str, Tensor], facts: Any) -> str:
    whole = [(name, tensors[name].contiguous()) for name in sorted(tensors)]
    return digest(
        facts,
        (
            (f"{name}:{t.dtype}:{tuple(t.shape)}", t.reshape(-1).view(torch.uint8).numpy())
            for name, t in whole
        ),
    )
