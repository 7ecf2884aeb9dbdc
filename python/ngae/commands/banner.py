"""The first line of every long command: versions, device, backend, GPUs."""

from __future__ import annotations

import torch

import ngae
from ngae import console
from ngae.ops import active_backend, devices


def show_banner(device: torch.device) -> None:
    """Say which versions and which backend are at work."""
    console.say(
        f"ngae {ngae.__version__} | torch {torch.__version__} | device {device} | "
        f"ops {active_backend(device)} | {devices.summary()} | {torch.get_num_threads()} threads"
    )
