"""`ngae doctor`: versions, devices, backend and a self-test of the native ops on each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ngae import console
from ngae.errors import NgaeError

if TYPE_CHECKING:
    import torch


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command; needs no torch."""
    parser = argparse.ArgumentParser(
        prog="ngae doctor",
        description="Print versions, backend, GPUs and a short self-test: paste it into an issue.",
        epilog="example:\n  ngae doctor",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help="print a traceback with an error")
    return parser


def command(arguments: argparse.Namespace) -> int:
    """Test and print; 1 where the ops disagree."""
    import torch

    from ngae.train.session import environment

    for name, value in environment(torch.device("cpu")).items():
        _give(name, value)
    from ngae import _native
    from ngae.ops import devices

    _give("cpu levels", ", ".join(_native.load().cpu_levels()))
    _give("module", devices.cuda_module())
    gpus = devices.cuda_devices()
    _give("GPUs", "; ".join(gpus) or f"none: {devices.no_devices_because()}")
    tested = [torch.device("cpu")]
    if gpus and _native.has_cuda():
        tested += [torch.device("cuda", number) for number in range(len(gpus))]
    failures = [device for device in tested if not _test(device)]
    return 1 if failures else 0


def _give(name: str, value: object) -> None:
    console.give(f"{name:10} {value}")


def _test(device: torch.device) -> bool:
    """Test the native ops on one device and say how it went."""
    try:
        difference = _self_test(device)
    except (NgaeError, RuntimeError) as error:
        _give("self-test", f"FAILED on {device}: {error}")
        return False
    good = difference < 1e-4
    verdict = "ok" if good else "FAILED"
    _give(
        "self-test",
        f"{verdict} on {device}: native ops against plain torch, largest relative difference "
        f"{difference:.1e}",
    )
    return good


def _self_test(device: torch.device) -> float:
    """Take the gradients of a small model's objective on `device`, natively and by plain torch.

    Returns:
        The largest difference of a parameter's gradient, relative to its length.
    """
    import numpy as np
    import torch

    from ngae.batch import GraphBatch
    from ngae.models import ModelConfig, NGAEModel, TargetScaler
    from ngae.models.decisions import Decisions
    from ngae.ops._library import forced
    from ngae.spaces.enas import EnasSpace

    space, rng = EnasSpace(6), np.random.default_rng(0)
    batch = GraphBatch.pack([space.sample(rng) for _ in range(32)])
    scaler = TargetScaler.fit(np.linspace(0, 1, 4)[:, None])
    config = ModelConfig(hidden_dim=64, latent_dim=8, head_dim=64, predictor_dim=64)
    model = NGAEModel(space, config, scaler, scaler, seed=0).to(device)
    decisions = Decisions.of(batch, space.rules).to(device)
    targets = torch.linspace(0, 1, 32, device=device)
    noise = torch.zeros(32, 8, device=device)
    batch, gradients = batch.to(device), []
    for native in (True, False):
        with forced("" if native else "torch"):
            terms = model(batch, decisions, targets, targets[:, None], noise)
            total = terms.nodes + terms.edges + terms.kl + terms.performance + terms.complexity
            gradients.append(torch.autograd.grad(total, list(model.parameters())))
    differences = [(a - b).norm() / b.norm() for a, b in zip(*gradients, strict=True)]
    return float(torch.stack(differences).max())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    return console.run(build_parser(), command, argv)
